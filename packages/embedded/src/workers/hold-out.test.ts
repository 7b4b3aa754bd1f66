import assert from "node:assert/strict";
import { test } from "node:test";
import { serial } from "@nigh/index";
import { rowBytes } from "@nigh/kernels";
import fc from "fast-check";
import { testFolder } from "../folder/folder.test-support.ts";
import { RowMaker, vectorBytes } from "../memory/rows.ts";
import { SlotWriter } from "../memory/slot-writer.ts";
import { drawn, holdOut, LEAST_HELD_OUT, mostHeldOut } from "./hold-out.ts";
import type { CellsWanted } from "./main-index.ts";
import { emptyGeneration, nextGeneration, type Owned } from "./next-generation.ts";

test("what is held out and the rest are all slots, each once, and the first is not held out", () => {
	fc.assert(
		fc.property(fc.integer({ min: 0, max: 9_000 }), (n) => {
			const { heldOut, rest } = holdOut(n);
			if (rest === undefined) {
				assert.ok(heldOut.length === 0 && mostHeldOut(n) < LEAST_HELD_OUT);
				return;
			}
			assert.equal(heldOut.length, mostHeldOut(n));
			assert.ok(!heldOut.includes(0));
			assert.ok(rest.every((slot, i) => i === 0 || slot > (rest[i - 1] as number)));
			assert.deepEqual(
				[...heldOut, ...rest].sort((a, b) => a - b),
				Array.from({ length: n }, (_, slot) => slot),
			);
		}),
		{ numRuns: 60 },
	);
	assert.equal(mostHeldOut(10 ** 7), 2_000);
});

test("each slot but the first is as likely to be held out as any other, and to ask first", () => {
	const bins = 20;
	const held = new Float64Array(bins);
	const first = new Float64Array(bins);
	let all = 0;
	let draws = 0;
	for (let n = 3_072; n < 3_672; n++) {
		const { heldOut } = holdOut(n);
		for (const slot of heldOut) {
			const bin = Math.floor(((slot - 1) * bins) / (n - 1));
			held[bin] = (held[bin] as number) + 1;
		}
		const [one] = heldOut;
		const bin = Math.floor((((one as number) - 1) * bins) / (n - 1));
		first[bin] = (first[bin] as number) + 1;
		all += heldOut.length;
		draws++;
	}
	// Chi-square with 19 degrees of freedom: above 43.8 one time in a thousand.
	const chi = (counts: Float64Array, total: number) =>
		counts.reduce((sum, count) => sum + (count - total / bins) ** 2 / (total / bins), 0);
	assert.ok(chi(held, all) < 43.8, `${chi(held, all)}`);
	assert.ok(chi(first, draws) < 43.8, `${chi(first, draws)}`);
});

test("of a tail each row is as likely to be drawn, none twice, and no more than ask at most", () => {
	const counts = new Float64Array(20);
	for (let tail = 4_000; tail < 4_200; tail++) {
		const slots = drawn(1_000, 1_000 + tail);
		assert.equal(slots.length, 2_000);
		assert.equal(new Set(slots).size, 2_000);
		for (const slot of slots) {
			assert.ok(slot >= 1_000 && slot < 1_000 + tail);
			const bin = Math.floor(((slot - 1_000) * 20) / tail);
			counts[bin] = (counts[bin] as number) + 1;
		}
	}
	const expected = (200 * 2_000) / 20;
	const chi = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
	assert.ok(chi < 43.8, `${chi}`);
	assert.deepEqual([...drawn(5, 9)].sort(), [5, 6, 7, 8]);
	assert.deepEqual(drawn(5, 5), new Uint32Array(0));
});

const FORMAT = { metric: "l2", dimensions: 8, weights: null } as const;
const N = 3_200;

async function built(
	folder: string,
	vectorAt: (slot: number, isHeld: boolean) => Float32Array,
	wanted: CellsWanted | { readonly kind: "hnsw"; readonly M: number },
	examine: (index: Owned, slots: Uint32Array) => Promise<void>,
): Promise<Owned> {
	const bytes = rowBytes(vectorBytes(FORMAT));
	const before = emptyGeneration(1, FORMAT, bytes, N, null);
	const [slots, rows] = [new SlotWriter(before.generation), new RowMaker(FORMAT)];
	const held = new Set(holdOut(N).heldOut);
	for (let slot = 0; slot < N; slot++) {
		const row = rows.row(vectorAt(slot, held.has(slot)));
		slots.append({ label: slot, id: `r${slot}`, born: 1, expires: Number.POSITIVE_INFINITY, row });
	}
	before.generation.publish(1);
	const place = { folder, key: 1, databaseId: "d", records: folder, readOnly: false };
	const rest = {
		fresh: true,
		arrange: true,
		place,
		parallel: serial,
		between: async () => {},
		onProgress() {},
		examine,
	};
	return (await nextGeneration(before, bytes, { wanted, ...rest })).owned;
}

function usual(slot: number): Float32Array {
	return Float32Array.from({ length: 8 }, (_, d) => Math.sin(slot * (d + 1.3)));
}

for (const kind of ["ivf", "ivfpq", "ivfrabitq"] as const) {
	test(`${kind}: what is held out has no part in what is learnt`, async (t) => {
		const wanted = { kind, storage: "memory" } as const;
		const learnt: string[] = [];
		for (const far of [0, 1_000]) {
			await built(
				testFolder(t),
				(slot, isHeld) => usual(slot).map((value) => value + (isHeld ? far : 0)),
				wanted,
				async ({ main }, slots) => {
					assert.ok(slots.every((slot) => main?.has(slot) === false));
					const { sections } = main?.parts() ?? { sections: [] };
					learnt.push(JSON.stringify(sections.map(({ name, bytes }) => [name, Buffer.from(bytes).toString("base64")])));
				},
			);
		}
		assert.equal(learnt.length, 2);
		assert.equal(learnt[0], learnt[1]);
	});
}

test("an index whose examination ends early, or fails, has all that there is all the same", async (t) => {
	const wanted = { kind: "hnsw", M: 4 } as const;
	const owned = await built(testFolder(t), usual, wanted, async () => {});
	assert.equal(owned.main?.size, N);
	const failing = built(testFolder(t), usual, wanted, async () => Promise.reject(new Error("aborted")));
	await assert.rejects(failing, /aborted/);
});
