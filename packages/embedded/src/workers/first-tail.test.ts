// Collections that have no main index yet, and more to take in than their tail may have room for: the writer and the indexer, on one thread.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type IndexSpec, isNighError, type Metric } from "@nigh/contract";
import { serial } from "@nigh/index";
import { rowBytes } from "@nigh/kernels";
import { testFolder } from "../folder/folder.test-support.ts";
import type { VectorFormat } from "../memory/generation.ts";
import { vectorBytes } from "../memory/rows.ts";
import { flatSize, mostRecords } from "../memory/sizes.ts";
import { chosenIndex } from "../records/catalogue.ts";
import { specOf } from "../spec.ts";
import type { CommittedRow } from "./committed-rows.ts";
import { IndexedCollection } from "./indexed-collection.ts";
import { mostFirstRows } from "./memory-plan.ts";
import { emptyGeneration, vectorsOf } from "./next-generation.ts";
import { turn } from "./turn.ts";
import { WrittenCollection } from "./written-collection.ts";

const NEVER = Number.POSITIVE_INFINITY;
const L2: VectorFormat = { metric: "l2", dimensions: 64, weights: null };

interface Shape {
	readonly index: IndexSpec;
	readonly metric?: Metric;
	readonly dimensions?: number;
	readonly maxMB?: number;
	/** Rows that the first tail has room for, instead of those that it would have. */
	readonly mostTailRows?: number;
	readonly vector?: (n: number) => Float32Array | Uint8Array;
}

/** A collection with so many records to come, whose indexer works whenever the writer waits. */
async function begun(t: TestContext, records: number, shape: Shape) {
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
	const collection: IndexedCollection = new IndexedCollection(1, "notes", spec, owned, {
		parallel: serial,
		install: async (installed, { oldSlots, fromSlot }) => {
			const isInstalled = written.install(installed, oldSlots, fromSlot);
			if (isInstalled) rings.push(installed.generation.size.ringRows);
			return isInstalled;
		},
		freed: () => written.wake(),
		folded() {},
		foldFailed() {},
		stalled() {},
		outgrown() {},
		reindex: async () => {},
		keepsSnapshots: true,
		placeOf: () => ({ folder, key: 1, databaseId: "d", records: folder, readOnly: false }),
		saveSnapshot: async () => {},
		keepNewest: async () => {},
	});
	let isWorking = false;
	let isWaiting = false;
	const written: WrittenCollection = new WrittenCollection(entry, {
		grow: (room) => collection.makeRoom(room),
		waiting(waiting) {
			isWaiting = waiting;
			if (waiting && !isWorking) void work(() => isWaiting);
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

function vectorFor({ metric, dimensions }: VectorFormat, n: number): Float32Array | Uint8Array {
	if (metric === "hamming") return Uint8Array.from({ length: dimensions / 8 }, (_, i) => hashOf(n * 131 + i) & 0xff);
	return Float32Array.from({ length: dimensions }, (_, i) => (hashOf(n * 131 + i) % 2_001) / 1_000 - 1);
}

function hashOf(n: number): number {
	let h = Math.imul(n + 1, 0x9e3779b1);
	h = Math.imul(h ^ (h >>> 15), 0x85ebca6b);
	return (h ^ (h >>> 13)) >>> 0;
}

const BOUNDED: readonly (Shape & { readonly name: string; readonly kind: string; readonly count?: number })[] = [
	{ name: "ivf on disk", index: { kind: "ivf", storage: "disk" }, mostTailRows: 2_100, kind: "ivf" },
	{ name: "ivfpq on disk", index: { kind: "ivfpq", storage: "disk" }, mostTailRows: 2_100, kind: "ivfpq" },
	{ name: "ivfrabitq on disk under a cap", index: { kind: "ivfrabitq", storage: "disk" }, maxMB: 3, kind: "ivfrabitq" },
	{ name: "cells that need more than the tail's share", index: { kind: "ivf", nlist: 60 }, maxMB: 3, kind: "ivf" },
	{ name: "l1 under a cap", index: { kind: "ivf" }, metric: "l1", maxMB: 3, kind: "ivf" },
	{ name: "a graph under a cap", index: { kind: "hnsw" }, maxMB: 3, kind: "hnsw" },
	{ name: "a graph of bits under a cap", index: { kind: "hnsw" }, metric: "hamming", maxMB: 1, kind: "hnsw" },
];

for (const { name, kind, count = 6_000, ...shape } of BOUNDED) {
	for (const way of ["append", "upsert"] as const) {
		test(`${name}: an index is built from a part of ${way === "append" ? "the records" : "one upsert"}, and what is left is taken in`, async (t) => {
			const life = await begun(t, way === "append" ? count : 0, shape);
			const { collection, rings, first } = life;
			assert.ok(first !== undefined && first < count / 1.2, `${first} rows in the first tail`);
			await life[way](count);
			await life.settle();
			assert.equal(life.kind, kind);
			if (shape.maxMB !== undefined) assert.ok(Math.max(...rings) <= first, `no tail has more room: ${rings}`);
			assert.equal(collection.tail, 0);
			life.checkAll();
		});
	}
}

test("what nothing can be learnt from waits in a tail that becomes larger, and is an index once others have come", async (t) => {
	const alike = 5_000;
	for (const maxMB of [undefined, 3]) {
		const life = await begun(t, 0, {
			index: { kind: "ivf", storage: "disk" },
			...(maxMB === undefined ? { mostTailRows: 2_100 } : { maxMB }),
			vector: (n) => (n < alike ? new Float32Array(64).fill(1) : vectorFor(L2, n)),
		});
		await life.upsert(alike);
		assert.equal(life.kind, undefined);
		life.checkAll();
		await life.upsert(4_000);
		await life.settle();
		assert.equal(life.kind, "ivf");
		life.checkAll();
	}
});

test("a tail that is full of what has been deleted is emptied, not waited for", async (t) => {
	const life = await begun(t, 0, { index: { kind: "ivfpq", storage: "disk" }, maxMB: 3 });
	const { collection, written } = life;
	assert.equal(life.first, 2_048);
	for (let round = 0; round < 8; round++) {
		await life.upsert(700);
		for (let label = round * 700; label < (round + 1) * 700; label++) written.kill(label, 1);
		await life.settle();
	}
	assert.equal(life.kind, undefined);
	assert.ok(collection.generation.size.ringRows <= 4 * 2_048);
	await life.upsert(5_000);
	await life.settle();
	assert.equal(life.kind, "ivfpq");
	life.checkAll(5_600);
});

test("bits that are only compared under a cap, and what is in memory without one, have all of it in the tail", async (t) => {
	for (const shape of [
		{ index: { kind: "flat" }, maxMB: 8 },
		{ index: { kind: "hnsw" } },
		{ index: "auto" },
		{ index: { kind: "ivf" } },
	] as const) {
		const life = await begun(t, 3_000, shape);
		assert.equal(life.first, undefined, JSON.stringify(shape));
		const { ringRows, capacity } = life.collection.generation.size;
		assert.equal(ringRows, capacity);
	}
	// With any other index they would take more.
	const bits = { type: "bit", dimensions: 64, metric: "hamming", memory: { maxMB: 8 } } as const;
	const spec = await specOf(bits, undefined);
	const format = { metric: "hamming", dimensions: 64, weights: null } as const;
	const most = (records: number) => mostFirstRows({ choice: chosenIndex(spec), spec, format }, records);
	assert.equal(most(35_000), undefined);
	assert.ok(most(1_000) !== undefined);
});

test("records that no memory could hold with their vectors begin without these", async () => {
	const format: VectorFormat = { metric: "l2", dimensions: 1_152, weights: null };
	const row = rowBytes(vectorBytes(format));
	const records = 1_000_000;
	assert.ok(records > mostRecords(row) && records < mostRecords(row, true));
	assert.throws(
		() => flatSize(records, 0, row),
		(error) => isNighError(error, "MEMORY_LIMIT"),
	);
	const spec = await specOf({ dimensions: 1_152, metric: "l2", index: { kind: "ivfpq", storage: "disk" } }, undefined);
	const most = mostFirstRows({ choice: chosenIndex(spec), spec, format }, records) as number;
	const { generation } = emptyGeneration(1, format, row, records, null, most);
	assert.ok(generation.size.capacity >= records);
	assert.equal(generation.size.ringRows, most);
	assert.ok(most * row <= 2 ** 27);
});
