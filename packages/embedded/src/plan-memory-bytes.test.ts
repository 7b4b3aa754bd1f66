import assert from "node:assert/strict";
import { test } from "node:test";
import { estimateMemory } from "@nigh/index";
import { rowBytes } from "@nigh/kernels";
import fc from "fast-check";
import { SLOT_BYTES, tailRows } from "./memory/sizes.ts";
import {
	leastCap,
	leastDeadWithin,
	mostInMemory,
	mostWithin,
	neededFor,
	type PlannedChoice,
	tailRowsWithin,
} from "./plan-memory-bytes.ts";

const INDEXES: readonly PlannedChoice[] = [
	{ kind: "flat" },
	{ kind: "hnsw" },
	{ kind: "hnsw", M: 48 },
	{ kind: "ivf" },
	{ kind: "ivf", nlist: 500 },
	{ kind: "ivf", storage: "disk" },
	{ kind: "ivfpq", storage: "memory" },
	{ kind: "ivfpq", storage: "disk", bits: 8 },
	{ kind: "ivfrabitq", storage: "disk", bits: 4 },
];
const ANY_INDEX = fc.constantFrom(...INDEXES);
const PLENTY = 2 ** 45;

test("no vector makes an index take less, and what fits by these bytes is what mostWithin finds", () => {
	fc.assert(
		fc.property(
			ANY_INDEX,
			fc.integer({ min: 1, max: 300 }),
			fc.integer({ min: 1, max: 300_000 }),
			fc.integer({ min: 1, max: 5_000 }),
			fc.integer({ min: 2 ** 20, max: 2 ** 30 }),
			(index, dimensions, n, more, maxBytes) => {
				const space = { dimensions, metric: "l2" } as const;
				const bytesFor = (vectors: number) => neededFor(index, vectors, space, maxBytes).bytes;
				assert.ok(bytesFor(n + 1) >= bytesFor(n) && bytesFor(n + more) >= bytesFor(n));
				const most = mostWithin(index, space, maxBytes);
				if (most > 0) assert.ok(bytesFor(most) <= maxBytes);
				assert.ok(bytesFor(most + 1) > maxBytes || most === mostInMemory(index, space));
			},
		),
		{ numRuns: 100 },
	);
});

test("the least cap is enough, and a byte less is not", () => {
	fc.assert(
		fc.property(
			ANY_INDEX,
			fc.integer({ min: 1, max: 300 }),
			fc.integer({ min: 1, max: 300_000 }),
			(index, dimensions, n) => {
				const space = { dimensions, metric: "cosine" } as const;
				const cap = leastCap(index, n, space);
				assert.ok(neededFor(index, n, space, cap).bytes <= cap);
				assert.ok(neededFor(index, n, space, cap - 1).bytes > cap - 1);
			},
		),
		{ numRuns: 60 },
	);
});

test("tables and index are there twice while the next is built, one with what is dead; so are tails, and what is learnt from once", () => {
	const [n, dimensions, idBytes] = [200_000, 128, 10];
	const slots = n * 1.25;
	const space = { dimensions, metric: "l2", idBytes } as const;
	const tables = (n + slots) * (SLOT_BYTES + idBytes);
	const tails = 2 * tailRows(512) * (512 + 128 + 16);
	const cells = (n: number) => estimateMemory({ kind: "ivf", n, dimensions, metric: "l2", capacity: 2 * n });
	const within = (bytes: number, least: number, what: string) =>
		assert.ok(bytes >= least && bytes <= least * 1.02 + 2 ** 23, `${what}: ${bytes} bytes, ${least} expected`);
	// A copy begins with what is dead.
	const graph = estimateMemory({ kind: "hnsw", n: slots, dimensions, metric: "l2" });
	within(neededFor({ kind: "hnsw" }, n, space, PLENTY).bytes, tables + 2 * graph.total + tails, "hnsw");
	const inMemory = neededFor({ kind: "ivf" }, n, space, PLENTY);
	const rows = inMemory.trainingRows;
	assert.equal(rows, Math.max(16_384, 64 * (cells(n).settings.nlist as number)));
	// As they were gathered, and what cells see of them: half of the axes, and what k-means notes of each. Axes are learnt from some.
	const learning = rows * 512 + rows * (256 + 32) + 16_384 * 512;
	const most = (copied: number, learnt: number) => Math.max(2 * copied, copied + learnt + learning);
	within(inMemory.bytes, tables + most(cells(slots).total, cells(n).total) + tails, "ivf");
	const onDisk = neededFor({ kind: "ivf", storage: "disk" }, n, space, PLENTY);
	within(onDisk.bytes, tables + most(cells(slots).index, cells(n).index) + tails, "ivf on disk");
	assert.deepEqual([inMemory.onDisk, onDisk.onDisk], [0, n * 512]);
	// Everything is in the tail.
	within(neededFor({ kind: "flat" }, n, space, PLENTY).bytes, tables + (n + slots) * 516, "flat");
});

test("fewer dead rows are left where they are wide", () => {
	assert.equal(leastDeadWithin(512, PLENTY), 1_024);
	assert.equal(leastDeadWithin(4_096, 16 * 2 ** 20), 64);
	assert.equal(leastDeadWithin(2 ** 20, 2 ** 20), 16);
	const space = { dimensions: 1_024, metric: "l2" } as const;
	const flat = neededFor({ kind: "flat" }, 100, space, 16 * 2 ** 20).bytes;
	assert.equal(
		neededFor({ kind: "flat" }, 100, space, PLENTY).bytes - flat,
		(1_024 - 64) * (4_096 + 4 + SLOT_BYTES + 40) + 120,
	);
});

test("before there can be cells, all rows are in memory", () => {
	const space = { dimensions: 256, metric: "l2" } as const;
	const n = 39 * 2_000;
	const { bytes } = neededFor({ kind: "ivfpq", nlist: 2_000, storage: "disk" }, n, space, 32 * 2 ** 20);
	assert.ok(bytes > 2 * n * 1_024, `${bytes}`);
});

test("too few vectors for the index that was asked for take what all that are compared take", () => {
	const space = { dimensions: 2_048, metric: "l2" } as const;
	for (const [index, least] of [
		[{ kind: "hnsw" }, 256],
		[{ kind: "ivf", storage: "disk" }, 1_024],
		[{ kind: "ivfpq", nlist: 100, bits: 4 }, 3_900],
	] as const) {
		const bytesWith = (n: number) => neededFor(index, n, space, PLENTY);
		assert.deepEqual(bytesWith(least - 1), neededFor({ kind: "flat" }, least - 1, space, PLENTY), index.kind);
		assert.ok(bytesWith(least).bytes > neededFor({ kind: "flat" }, least, space, PLENTY).bytes, index.kind);
	}
});

test("the tail has an eighth of the cap, at least enough to learn cells from, and at most what it has without one", () => {
	const row = rowBytes(4 * 128);
	const perRow = 512 + 128 + 16 + 4;
	assert.equal(tailRowsWithin(row, 2 ** 40), tailRows(row));
	assert.equal(tailRowsWithin(row, 0), 2_048);
	assert.equal(tailRowsWithin(row, 40 * 2 ** 20), Math.floor((5 * 2 ** 20) / perRow));
});

test("a training has a quarter of the cap, but 39 vectors for each cell", () => {
	const space = { dimensions: 512, metric: "l2" } as const;
	const rowsWith = (maxBytes: number, vectors = 400_000) =>
		neededFor({ kind: "ivf", nlist: 1_000 }, vectors, space, maxBytes).trainingRows;
	assert.equal(rowsWith(PLENTY), 64_000);
	assert.equal(rowsWith(2 ** 20), 39_000);
	const between = rowsWith(640 * 2 ** 20);
	assert.ok(between > 39_000 && between < 64_000, `${between}`);
	assert.equal(rowsWith(PLENTY, 40_000), 40_000);
	assert.equal(rowsWith(PLENTY, 500), 0, "too few to learn from");
});
