// What the generations of a collection under a cap really write to, beside what its plan counts.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { IndexSettings } from "@nigh/contract";
import { type EstimateOptions, estimateMemory } from "@nigh/index";
import { Arena } from "@nigh/kernels";
import { SLOT_BYTES } from "../memory/sizes.ts";
import { neededParts, type PlannedChoice } from "../plan-memory-bytes.ts";
import type { Installed } from "./messages.ts";
import type { Owned } from "./next-generation.ts";
import { begun } from "./one-thread.test-support.ts";

const PAGE = 4_096;
const DIMENSIONS = 64;
const RECORDS = 12_000;
const ROUNDS = 4;
const MAX_MB = 24;
/** What two readers, and rows on their way, take. */
const READING = 3 * 2 ** 18;
/** `r11999` */
const ID_BYTES = 6;

/** Pages of each memory that were given out again, and written over with zeros. */
const zeroed = new WeakMap<object, Set<number>>();

/** Notes what is given out again from here on. */
function noteZeroed(t: TestContext): void {
	const { alloc } = Arena.prototype;
	const ends = new WeakMap<object, number>();
	t.mock.method(Arena.prototype, "alloc", function (this: Arena, bytes: number): number {
		const address = alloc.call(this, bytes);
		const end = ends.get(this.memory) ?? 0;
		if (address >= end) ends.set(this.memory, address + bytes);
		else {
			const pages = zeroed.get(this.memory) ?? new Set();
			zeroed.set(this.memory, pages);
			for (let at = address; at < address + bytes; at += PAGE) pages.add(Math.floor(at / PAGE));
		}
		return address;
	});
}

/** Bytes of the pages that have ever been written to: the others cost nothing. */
function writtenTo(memory: { readonly buffer: ArrayBufferLike }): number {
	const words = new BigUint64Array(memory.buffer);
	const pages = new Set(zeroed.get(memory));
	for (let at = 0; at < words.length; at++) {
		if (words[at] === 0n) continue;
		const page = Math.floor((at * 8) / PAGE);
		pages.add(page);
		at = ((page + 1) * PAGE) / 8 - 1;
	}
	return pages.size * PAGE;
}

const KINDS: readonly Extract<PlannedChoice & IndexSettings, { readonly kind: string }>[] = [
	{ kind: "ivf", storage: "disk" },
	{ kind: "ivfpq", storage: "disk" },
	{ kind: "ivfrabitq", storage: "disk" },
	{ kind: "ivf", storage: "memory" },
	{ kind: "hnsw" },
];

for (const choice of KINDS) {
	const room = choice.kind === "hnsw" ? {} : { capacity: 2 * RECORDS };
	const name = `${choice.kind}${"storage" in choice ? ` on ${choice.storage}` : ""}`;
	test(`${name}: two generations write to what the plan counts for each, through growth, trainings and deletes`, async (t) => {
		noteZeroed(t);
		const space = { dimensions: DIMENSIONS, metric: "l2", idBytes: ID_BYTES } as const;
		let least = 1;
		const onInstall = ({ generation: { memory } }: Installed, { arena, generation }: Owned) => {
			const { live } = generation;
			const counted = neededParts(choice, live, space, MAX_MB * 2 ** 20);
			const [serving, next] = [writtenTo(arena.memory), writtenTo(memory)];
			const told = `${live} vectors, ${serving} and ${next} bytes: ${JSON.stringify(counted)}`;
			assert.ok(serving <= counted.serving && next <= counted.next, told);
			// Nothing has come to its tail yet, and what it was learnt in is not there; a copy has been given what was dead.
			const n = generation.slotEnd;
			const index = estimateMemory({ ...choice, ...space, ...room, n } as EstimateOptions);
			const atRest = index.total + n * SLOT_BYTES;
			assert.ok(next <= 1.05 * atRest + READING, `${told}, ${atRest} at rest`);
			least = Math.min(least, (serving + next) / (counted.serving + counted.next));
		};
		const life = await begun(t, 0, { index: choice, maxMB: MAX_MB, dimensions: DIMENSIONS, onInstall });
		for (let round = 0; round < ROUNDS; round++) {
			await life.upsert(RECORDS / ROUNDS);
			await life.settle();
		}
		const died = RECORDS * 0.22;
		for (let label = 0; label < died; label++) life.written.kill(label, 1);
		await life.settle();
		life.checkAll(died);
		// Most of the difference is tails that are not full, and rows on their way.
		assert.ok(least > 0.1, `${least} of what is counted`);
	});
}
