import assert from "node:assert/strict";
import { test } from "node:test";
import { METRICS, type Metric } from "@nigh/contract";
import fc from "fast-check";
import { distanceBetween, type Small, type StoredVector, smallGeneration } from "./generations.test-support.ts";
import type { SlotQuery } from "./searcher.ts";

const DIMENSIONS = 8;

/** Small whole numbers, so that ties and zero vectors come often, and sums are exact. */
function vectorsOf(metric: Metric): fc.Arbitrary<StoredVector> {
	if (metric === "hamming") return fc.uint8Array({ minLength: DIMENSIONS / 8, maxLength: DIMENSIONS / 8 });
	const component = fc.integer({ min: -3, max: 3 });
	const some = fc.array(component, { minLength: DIMENSIONS, maxLength: DIMENSIONS }).map((v) => Float32Array.from(v));
	return fc.oneof({ weight: 9, arbitrary: some }, { weight: 1, arbitrary: fc.constant(new Float32Array(DIMENSIONS)) });
}

interface Record {
	readonly vector: StoredVector;
	readonly born: number;
	/** Infinity: never. */
	readonly died: number;
	readonly isAllowed: boolean;
}

function recordsOf(metric: Metric, maxLength: number): fc.Arbitrary<Record[]> {
	const record = fc.record({
		vector: vectorsOf(metric),
		born: fc.integer({ min: 1, max: 3 }),
		died: fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.integer({ min: 0, max: 6 })),
		isAllowed: fc.boolean(),
	});
	return fc.array(record, { maxLength });
}

/** Every answer is one that may be given, at its own distance, and together they are as near as any k can be. */
function checkAnswers(small: Small, kept: ReadonlyMap<number, StoredVector>, query: SlotQuery, isExact = true): void {
	const { metric } = small.handle.format;
	const { slots, distances } = small.searcher;
	const near = (a: number, b: number) => Math.abs(a - b) <= 1e-5 * (1 + Math.abs(b));
	assert.equal(slots.length, Math.min(query.k, kept.size), "how many");
	assert.equal(new Set(slots).size, slots.length, "each once");
	slots.forEach((slot, i) => {
		const vector = kept.get(slot);
		assert.ok(vector !== undefined, `slot ${slot} may not be answered`);
		assert.ok(near(distances[i] as number, distanceBetween(metric, query.vector, vector)), `distance of slot ${slot}`);
		assert.ok(i === 0 || (distances[i - 1] as number) <= (distances[i] as number), "ascending");
	});
	if (!isExact) return;
	const all = [...kept.values()].map((vector) => distanceBetween(metric, query.vector, vector)).sort((a, b) => a - b);
	distances.forEach((distance, i) => {
		assert.ok(near(distance, all[i] as number), `${distance} at ${i} instead of ${all[i]}`);
	});
}

/** Those that a reader sees, by slot. */
function visible(records: readonly Record[], change: number, isFiltered: boolean): Map<number, StoredVector> {
	const seen = [...records.entries()].filter(
		([, { born, died, isAllowed }]) => born <= change && change < died && (isAllowed || !isFiltered),
	);
	return new Map(seen.map(([slot, { vector }]) => [slot, vector]));
}

function fill(small: Small, records: readonly Record[]): void {
	for (const { vector, born, died } of records) {
		const slot = small.add(vector, { born });
		if (died !== Number.POSITIVE_INFINITY) small.generation.kill(slot, died);
	}
}

function queryOf(small: Small, records: readonly Record[], query: SlotQuery, isFiltered: boolean): SlotQuery {
	if (!isFiltered) return query;
	const members = [...records.keys()].filter((slot) => records[slot]?.isAllowed);
	return { ...query, matches: { bitmap: small.bitmap(members), count: members.length, change: query.change } };
}

for (const metric of METRICS) {
	test(`${metric}: a tail answers the nearest of what a reader sees, filtered or not`, () => {
		const small = smallGeneration({ metric, dimensions: DIMENSIONS, capacity: 4_096 });
		let first = 0;
		fc.assert(
			fc.property(
				recordsOf(metric, 40),
				vectorsOf(metric),
				fc.integer({ min: 1, max: 45 }),
				fc.integer({ min: 1, max: 7 }),
				fc.boolean(),
				(records, vector, k, change, isFiltered) => {
					// What an earlier run has left is dead.
					for (; first < small.generation.slotEnd; first++) small.generation.kill(first, 0);
					const before = Array.from({ length: first }, (): Record => ({ vector, born: 1, died: 0, isAllowed: true }));
					fill(small, records);
					const all = [...before, ...records];
					const query = queryOf(small, all, { vector, k, change, exact: false }, isFiltered);
					assert.equal(small.searcher.search(query), true);
					assert.equal(small.searcher.slots.length, Math.min(k, visible(all, change, isFiltered).size));
					assert.equal(small.searcher.way, isFiltered ? "filtered-scan" : "scan");
					checkAnswers(small, visible(all, change, isFiltered), query);
				},
			),
			{ numRuns: 60 },
		);
	});

	test(`${metric}: main index and tail together answer exactly min(k, matches), at every share taken in`, async () => {
		await fc.assert(
			fc.asyncProperty(
				recordsOf(metric, 60),
				fc.double({ min: 0, max: 1, noNaN: true }),
				vectorsOf(metric),
				fc.integer({ min: 1, max: 65 }),
				fc.integer({ min: 1, max: 7 }),
				async (records, share, vector, k, change) => {
					const small = smallGeneration({ metric, dimensions: DIMENSIONS, capacity: 64, graph: true });
					fill(small, records);
					await small.fold(Math.floor(records.length * share));
					for (const isFiltered of [false, true]) {
						for (const exact of [true, false]) {
							const query = queryOf(small, records, { vector, k, change, exact }, isFiltered);
							small.searcher.search(query);
							checkAnswers(small, visible(records, change, isFiltered), query, exact);
						}
					}
				},
			),
			{ numRuns: 15 },
		);
	});
}

test("the ring wraps around: its rows belong to the slots that are in them now", async () => {
	const small = smallGeneration({ dimensions: DIMENSIONS, capacity: 64, ringRows: 7, graph: true });
	const kept = new Map<number, StoredVector>();
	for (let i = 0; i < 40; i++) {
		if (small.slots.full("a") === "tail") await small.fold(small.generation.mainEnd + 1 + (i % 4));
		const vector = Float32Array.from({ length: DIMENSIONS }, (_, d) => ((i * (d + 3)) % 11) - 5);
		kept.set(small.add(vector), vector);
		for (const exact of [true, false]) {
			const query = { vector: Float32Array.of(1, 2, 3, 4, 3, 2, 1, 0), k: 5, change: 1, exact };
			small.searcher.search(query);
			checkAnswers(small, kept, query);
		}
	}
	assert.ok(small.generation.mainEnd > 30);
});

test("at every selectivity there are min(k, matches) answers, however they were found", async () => {
	const N = 1_500;
	const small = smallGeneration({ dimensions: DIMENSIONS, capacity: 2_048, graph: true });
	const vectorOf = (i: number) => Float32Array.from({ length: DIMENSIONS }, (_, d) => Math.sin(i * (d + 1)));
	for (let i = 0; i < N; i++) small.add(vectorOf(i));
	await small.fold(N - 100);
	for (let slot = 0; slot < N; slot += 7) small.generation.kill(slot, 2);
	const ways = new Set<string>();
	for (const step of [1, 2, 5, 20, 100, 700, N]) {
		const members = Array.from({ length: N }, (_, slot) => slot).filter((slot) => slot % step === 1 % step);
		const alive = members.filter((slot) => slot % 7 !== 0);
		const kept = new Map(alive.map((slot) => [slot, vectorOf(slot)] as const));
		// Where a narrow beam is asked for, fewer matches are compared one by one.
		for (const [k, ef] of [
			[1, undefined],
			[5, 5],
			[10, 10],
			[200, undefined],
		] as const) {
			const matches = { bitmap: small.bitmap(members), count: members.length, change: 2 };
			const query = { vector: vectorOf(0.5), k, ef, isWidthAsked: ef !== undefined, change: 2, exact: false, matches };
			small.searcher.search(query);
			checkAnswers(small, kept, query, small.searcher.way === "filtered-scan");
			ways.add(small.searcher.way);
		}
	}
	assert.deepEqual([...ways].sort(), ["filtered-index", "filtered-scan"]);
});

test("with most of the main index dead, all that are left are found", async () => {
	const small = smallGeneration({ dimensions: DIMENSIONS, capacity: 512, graph: true });
	const kept = new Map<number, StoredVector>();
	for (let i = 0; i < 400; i++) {
		const vector = Float32Array.from({ length: DIMENSIONS }, (_, d) => Math.cos(i * (d + 2)));
		const slot = small.add(vector);
		if (i % 80 === 3) kept.set(slot, vector);
	}
	await small.fold();
	for (let slot = 0; slot < 400; slot++) if (!kept.has(slot)) small.generation.kill(slot, 2);
	const query = { vector: new Float32Array(DIMENSIONS).fill(0.1), k: 10, change: 2, exact: false };
	small.searcher.search(query);
	checkAnswers(small, kept, query);
	// What died later is still there for a reader of before.
	small.searcher.search({ ...query, change: 1, k: 400 });
	assert.equal(small.searcher.slots.length, 400);
});

test("what was taken in after the search had looked where the main index ends is answered once", async () => {
	const small = smallGeneration({ dimensions: DIMENSIONS, capacity: 64, graph: true });
	const kept = new Map<number, StoredVector>();
	for (let i = 0; i < 30; i++) {
		const vector = new Float32Array(DIMENSIONS).fill(i);
		kept.set(small.add(vector), vector);
	}
	await small.fold(10);
	// In the graph, but not said to be: as between the indexer's insert and its new end.
	await small.fold(20);
	small.generation.mainEnd = 10;
	for (const exact of [true, false]) {
		const query = { vector: new Float32Array(DIMENSIONS).fill(12), k: 12, change: 1, exact };
		small.searcher.search(query);
		checkAnswers(small, kept, query);
	}
});

test("a reader is counted while it searches, and has left afterwards, also where the caller stops midway", () => {
	const small = smallGeneration({ dimensions: DIMENSIONS, capacity: 20_000 });
	for (let i = 0; i < 10_000; i++) small.add(new Float32Array(DIMENSIONS).fill(i % 50));
	const query = { vector: new Float32Array(DIMENSIONS), k: 3, change: 1, exact: true };
	const { generation, searcher } = small;
	const steps = searcher.steps(query);
	steps.next();
	const turns = generation.readerTurns();
	assert.equal(generation.haveLeft(turns), false);
	steps.return();
	assert.equal(generation.haveLeft(turns), true);
	assert.deepEqual(searcher.distances, [0, 0, 0], "what was found by then");
	searcher.search(query);
	assert.equal(generation.haveLeft(generation.readerTurns()), true);
});

test("bytesCompared tells how much would be read to compare rows", async () => {
	const small = smallGeneration({ dimensions: DIMENSIONS, capacity: 64, graph: true });
	for (let i = 0; i < 30; i++) small.add(new Float32Array(DIMENSIONS).fill(i));
	await small.fold(20);
	const matches = { bitmap: small.bitmap([1, 2]), count: 2, change: 1 };
	const { rowBytes } = small.generation.size;
	assert.equal(small.searcher.bytesCompared({ exact: true, k: 1 }), 30 * rowBytes);
	assert.equal(small.searcher.bytesCompared({ exact: false, k: 1 }), 10 * rowBytes);
	assert.equal(small.searcher.bytesCompared({ exact: true, k: 1, matches }), 12 * rowBytes);
	const coded = smallGeneration({ dimensions: 64, capacity: 2_000, codes: { origin: -1, unit: 1 / 64 } });
	for (let i = 0; i < 2_000; i++) coded.add(Float32Array.from({ length: 64 }, (_, d) => Math.sin(i * (d + 1))));
	assert.equal(coded.searcher.bytesCompared({ exact: true, k: 250 }), 2_000 * (64 + 16));
	assert.equal(coded.searcher.bytesCompared({ exact: true, k: 251 }), 2_000 * 256, "codes exclude too few of them");
});

test("weights scale the tail and the main index alike", async () => {
	const weights = [0, 1, 2, 0.5, 1, 1, 4, 1];
	const small = smallGeneration({ dimensions: DIMENSIONS, capacity: 64, graph: true, weights });
	const vectors = Array.from({ length: 40 }, (_, i) =>
		Float32Array.from({ length: DIMENSIONS }, (_, d) => ((i * (d + 3)) % 9) - 4),
	);
	for (const vector of vectors) small.add(vector);
	await small.fold(20);
	const query = { vector: Float32Array.of(9, 1, 0, 2, -1, 0, 1, 1), k: 40, change: 1, exact: true };
	small.searcher.search(query);
	small.searcher.slots.forEach((slot, i) => {
		const expected = distanceBetween("l2", query.vector, vectors[slot] as StoredVector, weights);
		assert.ok(Math.abs((small.searcher.distances[i] as number) - expected) < 1e-4 * (1 + expected));
	});
	assert.equal(small.searcher.slots.length, 40);
});

test("a search that would read more than it may gives no answers, and leaves the generation", () => {
	const small = smallGeneration({ dimensions: 64, capacity: 9_000, codes: { origin: 0, unit: 1 } });
	// Codes tell none of them from another.
	for (let i = 0; i < 9_000; i++) small.add(new Float32Array(64).fill(1_000 + i));
	const { searcher, generation } = small;
	const query = { vector: new Float32Array(64), k: 2, change: 1, exact: true };
	const estimated = searcher.bytesCompared(query);
	assert.equal(searcher.search(query, estimated), false);
	assert.deepEqual([searcher.slots, searcher.distances], [[], []]);
	assert.equal(generation.haveLeft(generation.readerTurns()), true);
	assert.equal(searcher.search(query), true);
	assert.deepEqual(searcher.slots, [0, 1]);
});

test("what one search has read is not held against the next", async () => {
	const small = smallGeneration({ dimensions: 16, capacity: 5_000, graph: true, codes: { origin: 0, unit: 1 } });
	for (let i = 0; i < 5_000; i++) small.add(new Float32Array(16).fill(1_000 + i));
	const query = { vector: new Float32Array(16).fill(6_000), k: 2, change: 1, exact: true };
	const most = 1_000;
	assert.equal(small.searcher.search(query, most), false);
	await small.fold();
	// Nothing of the tail is left.
	assert.equal(small.searcher.search(query, most), true);
	assert.deepEqual(small.searcher.slots, [4_999, 4_998]);
});
