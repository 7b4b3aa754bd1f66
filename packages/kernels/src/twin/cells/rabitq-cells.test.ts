import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Bench, randomNumbers } from "../../kernels.test-support.ts";
import { METRIC_CODES, RABITQ_BLOCK, RABITQ_QUERY } from "../../layout.ts";
import { type CellsOptions, type SearchOptions, TestCells } from "./cells.test-support.ts";

const DIMENSIONS = 64;
const METRIC = METRIC_CODES.l2;
const PLACES = 1_024;

/** Cells of coded rows, the rows themselves by place, and a query. */
class Scene {
	readonly cells: TestCells;
	readonly vectors: readonly Float32Array[];
	readonly query: Float32Array;
	readonly vectorsAt: number;
	readonly queryAt: number;
	readonly centroidsAt: number;
	readonly struct: number;
	readonly out: number;

	constructor(seed: number, bits: number) {
		const random = randomNumbers(seed);
		const vector = () => Float32Array.from({ length: DIMENSIONS }, () => 2 * random() - 1);
		this.vectors = Array.from({ length: PLACES }, vector);
		this.query = vector();
		const centroids = Array.from({ length: CELLS }, vector);
		const factors = bits === 1 ? RABITQ_BLOCK.factors : RABITQ_BLOCK.fineFactors;
		const codeBytes = RABITQ_BLOCK.rows * ((DIMENSIONS * bits) / 8) + factors * RABITQ_BLOCK.factorBytes;
		this.cells = new TestCells(random, { ...OPTIONS, codeBytes });
		const { bench } = this.cells;
		this.vectorsAt = bench.put(Float32Array.from(this.vectors.flatMap((row) => [...row])));
		this.queryAt = bench.put(this.query);
		this.centroidsAt = bench.put(Float32Array.from(centroids.flatMap((row) => [...row])));
		this.struct = this.#prepared(bench, bits);
		this.out = bench.room(640);
		const residual = bench.room(4 * DIMENSIONS);
		this.cells.forEachRow((row, cell, payload, at) => {
			const centroid = centroids[cell] as Float32Array;
			bench.write(
				residual,
				(this.vectors[row.place] as Float32Array).map((x, i) => x - (centroid[i] as number)),
			);
			const centroidAt = this.centroidsAt + 4 * DIMENSIONS * cell;
			bench.run("rabitqEncode", METRIC, residual, centroidAt, DIMENSIONS, bits, payload, at);
		});
	}

	#prepared(bench: Bench, bits: number): number {
		const struct = bench.room(RABITQ_QUERY.bytes);
		const rooms = [bench.room(4 * DIMENSIONS), bench.room(2 * DIMENSIONS)];
		const words = [DIMENSIONS, bits, METRIC, this.queryAt, 4 * DIMENSIONS, this.queryAt, ...rooms];
		bench.write(struct, Uint32Array.from(words));
		// So wide that no bound excludes what it should not.
		bench.write(struct + RABITQ_QUERY.epsilon, Float32Array.of(10));
		bench.run("rabitqPrepare", struct);
		return struct;
	}

	/** Runs the kernel; with `vectors` by exact keys. */
	run(search: number, byRow: boolean, eligibility = 0): number {
		const row = 4 * DIMENSIONS;
		const { centroidsAt, queryAt, vectorsAt, struct, out, cells } = this;
		const rows = [METRIC, queryAt, byRow ? vectorsAt : 0, row, row] as const;
		return cells.bench.run("rabitqCells", cells.cells, search, struct, centroidsAt, row, ...rows, out, eligibility);
	}

	/** The exact key of a place: what the kernel of distances says. */
	keyOf(place: number): number {
		const row = 4 * DIMENSIONS;
		return this.cells.bench.run("distance", METRIC, this.queryAt, this.vectorsAt + row * place, row);
	}
}

const CELLS = 5;

const OPTIONS: Omit<CellsOptions, "codeBytes"> = {
	cells: CELLS,
	mostRows: 80,
	subs: 1,
	entries: 1,
	termBytes: 0,
	termOf: () => 0,
	putCode: () => {},
};

test("with rows the pool has the nearest by exact keys, by label, for any chains, budget and eligibility", () => {
	const cases = fc.record({
		seed: fc.nat(2 ** 30),
		bits: fc.constantFrom(1, 4),
		room: fc.constantFrom(1, 10, 500),
		budget: fc.constantFrom(1, 60, 10_000),
		isFiltered: fc.boolean(),
	});
	fc.assert(
		fc.property(cases, ({ seed, bits, room, budget, isFiltered }) => {
			const scene = new Scene(seed, bits);
			const { cells } = scene;
			const asked: SearchOptions = { probes: cells.probes(() => 0), room, budget };
			const search = cells.search(asked);
			const filter = isFiltered ? cells.eligibility() : undefined;
			const ranked = scene.run(search, true, filter?.at ?? 0);
			const expected = cells
				.expected({ ...asked, room: PLACES }, (row) => scene.keyOf(row.place), filter?.admits)
				.map(({ key, place }) => ({ key, place: cells.labels[place] as number }))
				.sort((a, b) => a.key - b.key || a.place - b.place);
			assert.deepEqual(cells.found(search), expected.slice(0, room));
			assert.ok(ranked >= Math.min(room, expected.length) && ranked <= expected.length);
			cells.checkCounts(search, asked);
		}),
		{ numRuns: 40 },
	);
});

test("without rows the pool has places by their estimates, which come near the keys", () => {
	const scene = new Scene(5, 4);
	const { cells } = scene;
	const asked: SearchOptions = { probes: cells.probes(() => 0), room: 500 };
	const search = cells.search(asked);
	assert.equal(scene.run(search, false), 0);
	const found = cells.found(search);
	const live = cells.reached(asked).flatMap(({ cell }) => cells.live(cell));
	assert.deepEqual(new Set(found.map(({ place }) => place)), new Set(live.map(({ place }) => place)));
	const largest = Math.max(...found.map(({ place }) => scene.keyOf(place)));
	for (const { key, place } of found) assert.ok(Math.abs(key - scene.keyOf(place)) < 0.2 * largest);
});

test("an abort word that is raised ends a scan before its first cell", () => {
	const scene = new Scene(7, 1);
	const { cells } = scene;
	const abort = cells.bench.put(Int32Array.of(1));
	const search = cells.search({ probes: cells.probes(() => 0), room: 10, abort });
	assert.equal(scene.run(search, true), -1);
	assert.deepEqual(cells.found(search), []);
});
