// The writer and the indexer of one collection, on one thread, without a database around them.
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import type { IndexSpec, Metric } from "@nigh/contract";
import { rowBytes } from "@nigh/kernels";
import { testFolder } from "../folder/folder.test-support.ts";
import type { VectorFormat } from "../memory/generation.ts";
import { vectorBytes } from "../memory/rows.ts";
import { chosenIndex } from "../records/catalogue.ts";
import { specOf } from "../spec.ts";
import type { CommittedRow } from "./committed-rows.ts";
import { IndexedCollection } from "./indexed-collection.ts";
import { mostFirstRows } from "./memory-plan.ts";
import type { Installed } from "./messages.ts";
import { emptyGeneration, type Owned, vectorsOf } from "./next-generation.ts";
import { surroundings } from "./surroundings.test-support.ts";
import { turn } from "./turn.ts";
import { WrittenCollection } from "./written-collection.ts";

const NEVER = Number.POSITIVE_INFINITY;

export interface Shape {
	readonly index: IndexSpec;
	readonly metric?: Metric;
	readonly dimensions?: number;
	readonly maxMB?: number;
	/** Rows that the first tail has room for, instead of those that it would have. */
	readonly mostTailRows?: number;
	readonly vector?: (n: number) => Float32Array | Uint8Array;
	/** Told of each generation that is about to take over from another. */
	readonly onInstall?: (installed: Installed, old: Owned) => void;
}

/** A collection with so many records to come, whose indexer works whenever the writer waits. */
export async function begun(t: TestContext, records: number, shape: Shape) {
	const { index, metric = "l2", dimensions = 64, maxMB } = shape;
	const memory = maxMB === undefined ? {} : { memory: { maxMB } };
	const type = metric === "hamming" ? { type: "bit" as const } : {};
	const spec = await specOf({ dimensions, metric, index, ...type, ...memory }, undefined);
	const format: VectorFormat = { metric, dimensions, weights: null };
	const bytes = rowBytes(vectorBytes(format));
	const most = shape.mostTailRows ?? mostFirstRows({ choice: chosenIndex(spec), spec, format }, records);
	const owned = emptyGeneration(1, format, bytes, records, null, most);
	const entry = { key: 1, name: "notes", spec, change: 0, records: 0, nextLabel: 0 };
	const rings: number[] = [];
	const folder = testFolder(t);
	const collection: IndexedCollection = new IndexedCollection(
		1,
		"notes",
		spec,
		owned,
		surroundings({
			install: async (installed, { oldSlots, fromSlot }) => {
				shape.onInstall?.(installed, collection.owned);
				const isInstalled = written.install(installed, oldSlots, fromSlot);
				if (isInstalled) rings.push(installed.generation.size.ringRows);
				return isInstalled;
			},
			freed: () => written.wake(),
			keepsSnapshots: true,
			placeOf: () => ({ folder, key: 1, databaseId: "d", records: folder, readOnly: false }),
		}),
	);
	let isWorking = false;
	let isWaiting = false;
	const written: WrittenCollection = new WrittenCollection(entry, {
		grow: (room) => collection.makeRoom(room),
		waiting(waiting) {
			isWaiting = waiting;
		},
		awaited() {
			if (!isWorking) void work(() => isWaiting);
		},
		mend: async () => {},
	});
	/** What is due, until there is nothing left and nobody waits. */
	const work = async (isWanted: () => boolean) => {
		isWorking = true;
		for (let rounds = 0, idle = 0; rounds < 2_000 && idle < 1_000; rounds++) {
			const next = collection.chore(performance.now());
			if (next !== undefined && "chore" in next) {
				idle = 0;
				await collection.run(next.chore).catch((error) => collection.fault(next.chore, error));
			} else if (isWanted()) idle++;
			else break;
			await turn();
		}
		isWorking = false;
		assert.ok(!isWanted(), "a writer waits, and there is nothing to do");
	};
	written.begin(collection.installed);
	collection.expected = records;
	t.after(() => collection.owned.rows?.close());
	const vector = shape.vector ?? ((n) => vectorFor(format, n));
	const rowsFrom = (from: number, count: number): CommittedRow[] =>
		Array.from({ length: count }, (_, i) => {
			return { label: from + i, id: `r${from + i}`, born: 1, expires: NEVER, vector: vector(from + i) };
		});
	let end = 0;
	return {
		collection,
		written,
		rings,
		first: most,
		bytes,
		/** As catching up does: room has been made for all of it. */
		async append(count: number) {
			for (const row of rowsFrom(end, count)) await written.append(row);
			end += count;
			written.publish(1);
		},
		/** As an upsert does: room is made first. */
		async upsert(count: number) {
			const release = await written.reserve({ slots: count, idBytes: 8 * count });
			await written.show(1, rowsFrom(end, count), []);
			release();
			end += count;
		},
		settle: () => work(() => false),
		get kind(): string | undefined {
			return collection.owned.main?.kind;
		},
		/** That those from `from` on, and no others, are there with their vectors. */
		checkAll(from = 0) {
			const { generation, owned } = collection;
			const slots = Uint32Array.from({ length: generation.slotEnd }, (_, slot) => slot).filter(
				(slot) => !generation.isDeleted(slot),
			);
			assert.equal(slots.length, end - from);
			const rows = vectorsOf(owned, slots);
			const width = rows.length / slots.length;
			slots.forEach((slot, i) => {
				assert.equal(generation.idOf(slot), `r${from + i}`);
				assert.deepEqual(rows.subarray(i * width, (i + 1) * width), vector(from + i));
			});
		},
	};
}

export function vectorFor({ metric, dimensions }: VectorFormat, n: number): Float32Array | Uint8Array {
	if (metric === "hamming") return Uint8Array.from({ length: dimensions / 8 }, (_, i) => hashOf(n * 131 + i) & 0xff);
	return Float32Array.from({ length: dimensions }, (_, i) => (hashOf(n * 131 + i) % 2_001) / 1_000 - 1);
}

function hashOf(n: number): number {
	let h = Math.imul(n + 1, 0x9e3779b1);
	h = Math.imul(h ^ (h >>> 15), 0x85ebca6b);
	return (h ^ (h >>> 13)) >>> 0;
}
