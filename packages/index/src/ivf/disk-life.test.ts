import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Arena, rowBytes } from "@nigh/kernels";
import fc from "fast-check";
import { type Parallel, serial } from "../parallel.ts";
import { refusal, rejection } from "../refusal.test-support.ts";
import { createFile, type IvfOptions } from "./create-file.ts";
import { splitSearch, twins, vectorsOf } from "./disk.test-support.ts";
import { clustered, labelsOf, leavingNothing, rowAt, withRefusal } from "./ivf.test-support.ts";
import { createIvf, IvfIndex } from "./ivf.ts";

const D = 38;
const N = 1_200;
const NLIST = 20;
const ROWS = clustered(1, { n: N, d: D, centers: 40, spread: 0.7 });
const QUERIES = Array.from({ length: 6 }, (_, i) => rowAt(ROWS, D, 90 * i + 7).map((x, j) => x + 0.2 * Math.cos(j)));

const KINDS: readonly Pick<IvfOptions, "kind" | "bits">[] = [
	{ kind: "ivf" },
	{ kind: "ivfpq" },
	{ kind: "ivfpq", bits: 6 },
	{ kind: "ivfrabitq", bits: 2 },
];

const shape = (kind: Pick<IvfOptions, "kind">, options: Partial<IvfOptions> = {}): IvfOptions => ({
	...kind,
	dimensions: D,
	metric: "l2",
	nlist: NLIST,
	...options,
});

/** All cells and as many candidates as there may be: what is answered then does not depend on how codes tie. */
const WIDE = { nprobe: NLIST } as const;
const wide = ({ kind }: Pick<IvfOptions, "kind">) => (kind === "ivf" ? WIDE : { ...WIDE, rerank: 5_000 });

const rangeOf = (from: number, to: number) => Uint32Array.from({ length: to - from }, (_, i) => from + i);
const slice = (from: number, to: number) => ROWS.subarray(from * D, to * D);

for (const kind of KINDS) {
	const name = JSON.stringify(kind);

	test(`${name}: through inserting, replacing, removing, relabelling, compacting and clearing it answers as one in memory`, async () => {
		const options = shape(kind);
		const [memory, disk] = [createIvf(options), createIvf({ ...options, storage: "disk" })];
		const both = { memory, disk };
		const check = () => {
			assert.equal(disk.size, memory.size);
			assert.deepEqual([...disk.labels()].sort(), [...memory.labels()].sort());
			for (const query of QUERIES) {
				const expected = memory.search(query, 15, wide(kind));
				assert.deepEqual(splitSearch(both, query, 15, wide(kind)), expected);
			}
		};
		const steps: readonly ((index: IvfIndex) => unknown)[] = [
			(index) => index.train(ROWS),
			(index) => index.insertMany(slice(0, 500)),
			(index) => index.insertMany(slice(500, 700), { labels: rangeOf(900, 1_100) }),
			(index) => index.insert(2_000, rowAt(ROWS, D, 700)),
			(index) => index.remove(rangeOf(100, 200)),
			// Places of removed rows serve again in memory, and are passed over here.
			(index) => index.insertMany(slice(100, 160), { labels: rangeOf(3_000, 3_060) }),
			(index) => index.insertMany(slice(300, 320), { labels: rangeOf(0, 20) }),
			(index) => index.insert(2_000, rowAt(ROWS, D, 701)),
			(index) => index.relabel((label) => 5_000 - label),
			(index) => index.compact(),
			(index) => index.insertMany(slice(800, 900)),
			(index) => index.remove(index.labels().filter((label) => label % 3 === 0)),
			(index) => index.compact({ keepRoom: true }),
			(index) => index.remove(index.labels()),
			(index) => index.insertMany(slice(0, 30)),
			(index) => index.remove(index.labels()),
			(index) => index.compact(),
			// Empty again, it may learn anew.
			(index) => index.train(slice(0, 900)),
			(index) => index.insertMany(slice(0, 100), { labels: rangeOf(7, 107) }),
		];
		for (const step of steps) {
			for (const index of [memory, disk]) await step(index);
			check();
		}
		assert.equal(disk.has(7), true);
		assert.equal(disk.has(6), false);
		assert.equal(disk.nextLabel, memory.nextLabel);
		disk.dispose();
		assert.equal(disk.arena.usedBytes, 0);
	});

	test(`${name}: rows that take several batches and lanes come out as at once`, async () => {
		const d = 8;
		// More than are staged at a time.
		const rows = clustered(4, { n: 4_500, d, centers: 50, spread: 0.5 });
		const options = { ...kind, dimensions: d, metric: "l2", nlist: NLIST } as const;
		const { memory, disk } = await twins(options, rows);
		const lanes: Parallel = { lanes: 3, run: serial.run };
		const file = createFile({ ...options, storage: "disk", shared: true });
		const parallel = new IvfIndex(file);
		await parallel.train(rows, { parallel: lanes });
		const steps: number[] = [];
		const sizes: number[] = [];
		await parallel.insertMany(rows, {
			parallel: lanes,
			onProgress: (done) => {
				assert.equal(file.staging?.bytes, 4_096 * 32, "no more than may be staged at a time");
				steps.push(done);
				sizes.push(parallel.probe(rowAt(rows, d, 3), 10_000, { nprobe: NLIST }).labels.length);
			},
		});
		assert.deepEqual(steps, [4_096, 4_500]);
		assert.deepEqual(sizes, steps, "what is in by then is found");
		const sections = (index: IvfIndex) => index.parts().sections.map((section) => Buffer.from(section.bytes));
		assert.deepEqual(sections(parallel), sections(disk));
		for (const query of [rowAt(rows, d, 1), rowAt(rows, d, 4_400)]) {
			const asked = kind.kind === "ivf" ? {} : { rerank: 100 };
			assert.deepEqual(splitSearch({ memory, disk: parallel }, query, 10, asked), memory.search(query, 10, asked));
		}
	});

	test(`${name}: stored rows are taken as they are, and scaled ones scaled`, async () => {
		const weights = Array.from({ length: D }, (_, i) => 0.5 + (i % 3));
		for (const metric of ["l2", "cosine", "ip"] as const) {
			const options = shape(kind, { metric, weights });
			const both = await twins(options, ROWS);
			const labels = both.memory.labels();
			const stored = createIvf({ ...options, storage: "disk" });
			await stored.train(ROWS);
			await stored.insertMany(vectorsOf(both.memory, labels), { labels, stored: true });
			for (const query of QUERIES) assert.deepEqual(stored.probe(query, 10), both.disk.probe(query, 10));
		}
	});

	test(`${name}: an insertion that is aborted keeps what it has placed`, async () => {
		const d = 8;
		const rows = clustered(4, { n: 4_500, d, centers: 50, spread: 0.5 });
		const index = createIvf({ ...kind, dimensions: d, metric: "l2", nlist: NLIST, storage: "disk" });
		await index.train(rows);
		const controller = new AbortController();
		const inserting = index.insertMany(rows, { signal: controller.signal, onProgress: () => controller.abort() });
		assert.equal((await rejection("ABORTED", inserting)).details.done, 4_096);
		assert.equal(index.size, 4_096);
		await rejection("DIMENSION_MISMATCH", index.insertMany(rows.subarray(1)));
		assert.equal(index.probe(rowAt(rows, d, 0), 10_000, { nprobe: NLIST }).labels.length, 4_096);
	});

	test(`${name}: wherever the memory ends, inserting leaves whole rows, and only these`, () => {
		const arena = new Arena();
		return leavingNothing(arena, async () => {
			const index = createIvf({ ...shape(kind), storage: "disk", arena });
			await index.train(ROWS);
			await index.insertMany(slice(0, 300));
			for (const inserting of ["many", "one"] as const) {
				for (let allowed = 0; ; allowed++) {
					index.compact();
					const used = arena.usedBytes;
					const isRefused = await withRefusal(arena, allowed, async () => {
						try {
							if (inserting === "one") for (const label of [3, 900]) index.insert(label, rowAt(ROWS, D, 600));
							else await index.insertMany(slice(600, 602), { labels: Uint32Array.of(3, 900) });
						} catch (error) {
							assert.equal((error as { code: string }).code, "MEMORY_LIMIT", (error as Error).stack);
						}
					});
					const { labels } = index.probe(rowAt(ROWS, D, 600), 1_000, WIDE);
					assert.deepEqual([...labels].sort(), [...index.labels()].sort(), `${inserting}, ${allowed}`);
					if (!isRefused) break;
					index.remove([900]);
					index.compact();
					assert.ok(arena.usedBytes <= used + 64 * 1_024 * 8, "nothing is left of what was staged");
				}
				assert.ok(index.has(3) && index.has(900));
			}
			index.dispose();
		});
	});

	test(`${name}: memory tells no vectors, and adds up to what is in use of the arena`, async () => {
		const arena = new Arena();
		const index = createIvf({ ...shape(kind), storage: "disk", arena });
		await index.train(ROWS);
		await index.insertMany(ROWS);
		index.remove([1, 2, 3]);
		index.compact();
		const first = index.memory();
		index.probe(QUERIES[0] as Float32Array, 10);
		const { codes, ids, centroids, codebooks, vectors, total, onDisk, formula } = index.memory();
		const scratch = total - codes - ids - centroids - codebooks;
		assert.equal(vectors, 0);
		assert.equal(onDisk, (N - 3) * rowBytes(4 * D));
		assert.equal(scratch, total - first.total, "what searches work in");
		assert.ok(formula <= first.total, `${formula} by the layout, ${first.total} in use`);
		// The table of labels lies outside of the arena; the struct of the cells and the origin of codes are in no part.
		const tables = ids - (arena.usedBytes - (total - ids));
		assert.ok(tables > 4 * (N - 3) - 1_024 && tables < 8 * N, `${tables} bytes of labels`);
		const memory = await twins(shape(kind), ROWS).then((both) => both.memory.memory());
		assert.equal(memory.onDisk, 0);
		assert.ok(memory.vectors >= N * rowBytes(4 * D));
	});
}

describe("the arena does not grow with the vectors", () => {
	test("at 128 dimensions a row takes less than half of its vector, whatever the kind", () => {
		const d = 128;
		const rows = clustered(9, { n: 900, d, centers: 30, spread: 0.6 });
		return fc.assert(
			fc.asyncProperty(
				fc.constantFrom<Pick<IvfOptions, "kind" | "bits">>(...KINDS, { kind: "ivfrabitq", bits: 4 }),
				fc.constantFrom("l2" as const, "cosine" as const, "ip" as const),
				fc.integer({ min: 1, max: 6 }),
				async (kind, metric, batches) => {
					const arena = new Arena();
					const index = createIvf({ ...kind, dimensions: d, metric, nlist: 10, storage: "disk", arena });
					await index.train(rows);
					const step = Math.floor(900 / batches);
					const used: number[] = [];
					for (let batch = 0; batch < batches; batch++) {
						await index.insertMany(rows.subarray(batch * step * d, (batch + 1) * step * d));
						index.compact();
						used.push(arena.usedBytes);
					}
					const before = await (async () => {
						const empty = createIvf({ ...kind, dimensions: d, metric, nlist: 10, storage: "disk" });
						await empty.train(rows);
						return empty.arena.usedBytes;
					})();
					const rowsThere = batches * step;
					const perRow = ((used.at(-1) as number) - before) / rowsThere;
					assert.ok(perRow < rowBytes(4 * d) / 2, `${perRow} bytes a row`);
				},
			),
			{ numRuns: 12 },
		);
	});

	test("what is staged is bounded by bytes and by rows", () => {
		const of = (dimensions: number) => createFile({ kind: "ivf", dimensions, metric: "l2", storage: "disk" });
		assert.equal(of(2).staging?.most, 4_096);
		assert.equal(of(1_024).staging?.most, 1_024);
		assert.equal(of(16_384).staging?.most, 64);
	});

	test("and is given back", async () => {
		const file = createFile(shape({ kind: "ivf" }, { storage: "disk" }));
		const index = new IvfIndex(file);
		await index.train(ROWS);
		await index.insertMany(ROWS, {
			parallel: {
				lanes: 1,
				async run(...args) {
					assert.equal(file.staging?.bytes, N * rowBytes(4 * D));
					assert.equal(index.memory().index >= N * rowBytes(4 * D), true);
					await serial.run(...args);
				},
			},
		});
		assert.equal(file.staging?.bytes, 0);
		index.insert(9_000, rowAt(ROWS, D, 3));
		assert.equal(file.staging?.bytes, 0);
	});
});

test("places are never taken twice before they are compacted, and room is told so", async () => {
	const file = createFile(shape({ kind: "ivfpq" }, { storage: "disk" }));
	const index = new IvfIndex(file);
	await index.train(ROWS);
	index.reserve(600);
	assert.equal(index.room, 600);
	await index.insertMany(slice(0, 500));
	index.remove(rangeOf(0, 100));
	assert.equal(index.room, 100);
	index.reserve(600);
	assert.equal(index.room, 200);
	const capacity = file.capacity;
	await index.insertMany(slice(500, 700));
	assert.deepEqual([file.capacity, file.slots, index.room], [capacity, 700, 0]);
	index.compact();
	assert.deepEqual([file.slots, index.size], [600, 600]);
	await index.insertMany(slice(0, 900), { labels: rangeOf(100, 1_000) });
	assert.equal(index.size, 900);
});

test("what an index on disk holds is as large as it may be", async () => {
	const index = createIvf(shape({ kind: "ivf" }, { storage: "disk", maxElements: 100 }));
	await rejection("NOT_TRAINED", index.insertMany(slice(0, 1)));
	await index.train(ROWS);
	await index.insertMany(slice(0, 100));
	await rejection("COLLECTION_FULL", index.insertMany(slice(100, 101)));
	refusal("COLLECTION_FULL", () => index.insert(500, rowAt(ROWS, D, 1)));
	index.insert(5, rowAt(ROWS, D, 1));
	assert.equal(index.size, 100);
	const small = createIvf(shape({ kind: "ivf" }, { storage: "disk", arena: new Arena({ maxBytes: 1_600_000 }) }));
	await small.train(slice(0, 600));
	const { details } = refusal("MEMORY_LIMIT", () => small.reserve(50_000));
	assert.ok((details.bytesPerVector as number) < rowBytes(4 * D));
});

describe("validation", () => {
	for (const kind of KINDS) {
		for (const metric of ["l2", "cosine", "ip"] as const) {
			test(`${JSON.stringify(kind)}, ${metric}: vectors that are given are found; without them only cells are looked at`, async () => {
				const weights = Array.from({ length: D }, (_, i) => i % 3);
				const rows = ROWS.slice();
				// Zero vectors, and the same one again and again.
				for (let i = 0; i < N; i += 50) rows.fill(0, i * D, (i + 1) * D);
				for (let i = 1; i < N; i += 50) rows.set(rowAt(rows, D, 1), i * D);
				const { memory, disk } = await twins(shape(kind, { metric, weights }), rows);
				const labels = rangeOf(0, 200);
				const used = disk.arena.usedBytes;
				disk.probe(QUERIES[0] as Float32Array, 1);
				const scratch = disk.arena.usedBytes - used;
				const found = disk.validate(200, { labels, rows: vectorsOf(memory, labels) });
				assert.ok(found.passed && found.found >= 190, `${found.found} of 200`);
				assert.equal(disk.arena.usedBytes, used + scratch);
				assert.equal(disk.validate(5, { labels, rows: vectorsOf(memory, labels) }).probes, 5);
				const alone = disk.validate();
				assert.deepEqual([alone.probes, alone.accuracy, alone.passed], [0, 1, true]);
				assert.deepEqual([alone.nlist, alone.nonEmptyCells], [NLIST, memory.validate().nonEmptyCells]);
				disk.remove(labels);
				assert.equal(disk.validate(200, { labels, rows: vectorsOf(memory, labels) }).probes, 0);
			});
		}

		test(`${JSON.stringify(kind)}: it fails where vectors are not found, and where cells have collapsed`, async () => {
			const { memory, disk } = await twins(shape(kind, { nprobe: 1 }), ROWS);
			const labels = rangeOf(0, 100);
			const others = vectorsOf(
				memory,
				labels.map((label) => label + 1),
			);
			const { accuracy, collapsed, passed } = disk.validate(100, { labels, rows: others });
			assert.ok(accuracy < 0.9 && !collapsed && !passed, `${accuracy}`);
			const kept = disk.probe(rowAt(ROWS, D, 0), 3, { nprobe: 1, ...(kind.kind !== "ivf" && { rerank: 3 }) }).labels;
			const stays = new Set(kept.subarray(0, 3));
			disk.remove(disk.labels().filter((label) => !stays.has(label)));
			const left = disk.validate(5, { labels: kept, rows: vectorsOf(memory, kept) });
			assert.deepEqual([left.nonEmptyCells, left.collapsed, left.passed], [1, true, false]);
			assert.deepEqual([disk.validate().collapsed, disk.validate().passed], [true, false]);
		});
	}

	test("of one vector so often that not all of it are named, those that are serve for the others", async () => {
		const rows = ROWS.slice();
		for (let i = 0; i < 400; i++) rows.set(rowAt(ROWS, D, 999), i * D);
		for (const kind of ["ivfpq", "ivfrabitq"] as const) {
			const { memory, disk } = await twins(shape({ kind }, { rerank: 5 }), rows);
			const labels = rangeOf(0, 400);
			const { probes, found } = disk.validate(400, { labels, rows: vectorsOf(memory, labels) });
			assert.deepEqual([probes, found], [400, 400], kind);
		}
	});

	test("is given vectors only where it has none, and as many as labels", async () => {
		const { memory, disk } = await twins(shape({ kind: "ivf" }), ROWS);
		const labels = rangeOf(0, 2);
		const rows = vectorsOf(memory, labels);
		assert.equal(refusal("INVALID_OPTION", () => memory.validate(5, { labels, rows })).details.field, "given");
		refusal("DIMENSION_MISMATCH", () => disk.validate(5, { labels, rows: rows.subarray(D) }));
		for (const probes of [0, 10_001, 1.5]) refusal("INVALID_OPTION", () => disk.validate(probes, { labels, rows }));
		rows[3] = Number.POSITIVE_INFINITY;
		refusal("INVALID_VECTOR", () => disk.validate(5, { labels, rows }));
	});
});

test("analysis, drift and fill are those of an index in memory", async () => {
	const { memory, disk } = await twins(shape({ kind: "ivfpq" }, { nlist: "adaptive" }), ROWS);
	assert.deepEqual(disk.analyze(), memory.analyze());
	assert.equal(disk.hasDrifted(), memory.hasDrifted());
	assert.equal(disk.fill(), memory.fill());
	assert.deepEqual({ ...disk.effective(), storage: "memory" }, memory.effective());
	assert.deepEqual(labelsOf(disk.search(QUERIES[0] as Float32Array, 3, { rerank: 0 })).length, 3);
});
