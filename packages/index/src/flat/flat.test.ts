import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { AbortFlag, Arena, LabelSet } from "@nigh/kernels";
import fc from "fast-check";
import { refusal, rejection } from "../refusal.test-support.ts";
import { isOrdered, randomNumbers, randomRows, trueNeighbors } from "../vectors.test-support.ts";
import { createFlat, type FlatIndex } from "./flat.ts";

type Value = (random: () => number, row: number, dimension: number) => number;

const spread = (random: () => number) => 2 * random() - 1;

/** Data that codes of one step for all dimensions and one origin for all rows have a hard time with. */
const DATA: Readonly<Record<string, Value>> = {
	"spread evenly": spread,
	"in clusters": (random, row) => (row % 5) * 10 + 0.01 * spread(random),
	"with two huge dimensions": (random, _, dimension) => spread(random) * (dimension < 2 ? 1e6 : 1),
	"with a few huge rows": (random, row) => spread(random) * (row % 37 === 5 ? 1e7 : 1),
	"with heavy tails": (random) => spread(random) / Math.max(0.001, random()) ** 3,
	"of few different rows": (_, row, dimension) => Math.sin((row % 3) + dimension),
	"with constant dimensions": (random, _, dimension) => (dimension % 2 === 0 ? 1234.5 : spread(random)),
	"all equal": () => 0.1,
	tiny: (random) => 1e-30 * spread(random),
	"below the normal numbers": (random) => 1e-42 * spread(random),
	huge: (random) => 1e15 * spread(random),
	"near the bound of the norm": (random) => 2 ** 58 * spread(random),
	"with zero rows": (random, row) => (row % 3 === 0 ? 0 : spread(random)),
	"far from the origin": (random) => 1e4 + 1e-3 * spread(random),
	"of whole numbers": (random) => Math.round(3 * spread(random)),
	"of all scales": (random, row) => spread(random) * 10 ** ((row % 31) - 15),
};

const fill = (value: Value, seed: number, n: number, dimensions: number): Float32Array => {
	const random = randomNumbers(seed);
	return Float32Array.from({ length: n * dimensions }, (_, i) =>
		value(random, Math.floor(i / dimensions), i % dimensions),
	);
};

const arena = new Arena();

/** A scene: rows, what is done to them afterwards, queries. */
const SCENE = fc.record({
	seed: fc.integer({ min: 1, max: 1_000_000 }),
	name: fc.constantFrom(...Object.keys(DATA)),
	later: fc.constantFrom(...Object.keys(DATA)),
	metric: fc.constantFrom("l2" as const, "cosine" as const, "ip" as const),
	dimensions: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constantFrom(1, 15, 16, 17, 64)),
	n: fc.oneof(fc.integer({ min: 1, max: 90 }), fc.integer({ min: 100, max: 700 })),
	k: fc.oneof(fc.integer({ min: 1, max: 10 }), fc.integer({ min: 1, max: 700 })),
	share: fc.constantFrom(0.01, 0.1, 0.5, 0.9),
	weighted: fc.boolean(),
});

type Scene = typeof SCENE extends fc.Arbitrary<infer T> ? T : never;

interface Stage {
	readonly scene: Scene;
	readonly plain: FlatIndex;
	readonly coded: FlatIndex;
	readonly queries: Float32Array;
	readonly vectors: Map<number, Float32Array>;
	readonly weights: readonly number[] | undefined;
}

/** Runs `act` on the scene before and after removals and insertions of other data, too few for the codes to be learnt again. */
async function perform(scene: Scene, act: (stage: Stage) => void): Promise<void> {
	const { seed, metric, dimensions, n } = scene;
	const weights = scene.weighted ? Array.from({ length: dimensions }, (_, i) => 1 + (i % 4)) : undefined;
	const options = { dimensions, metric, arena, ...(weights === undefined ? {} : { weights }) };
	const plain = createFlat({ ...options, codes: "none" });
	const coded = createFlat({ ...options, codes: "sq7" });
	const vectors = new Map<number, Float32Array>();
	const insert = async (rows: Float32Array, labels: Uint32Array) => {
		for (const index of [plain, coded]) await index.insertMany(rows, { labels });
		labels.forEach((label, i) => {
			vectors.set(label, rows.subarray(i * dimensions, (i + 1) * dimensions));
		});
	};
	try {
		const value = DATA[scene.name] as Value;
		const rows = fill(value, seed, n, dimensions);
		await insert(
			rows,
			Uint32Array.from({ length: n }, (_, i) => i),
		);
		const queries = queriesFor(scene, rows);
		act({ scene, plain, coded, queries, vectors, weights });
		const gone = [...vectors.keys()].filter((label) => label % 3 === 1);
		for (const index of [plain, coded]) assert.equal(index.remove(gone), gone.length);
		for (const label of gone) vectors.delete(label);
		const more = Math.floor(n / 4);
		const labels = Uint32Array.from({ length: more }, (_, i) => (i % 2 === 0 ? i : n + i));
		await insert(fill(DATA[scene.later] as Value, seed + 1, more, dimensions), labels);
		act({ scene, plain, coded, queries, vectors, weights });
	} finally {
		plain.dispose();
		coded.dispose();
	}
	assert.equal(arena.usedBytes, 0);
}

/** Rows themselves, rows a little off, rows of other data, far ones, the zero vector. */
function queriesFor({ seed, later, dimensions, n }: Scene, rows: Float32Array): Float32Array {
	const random = randomNumbers(seed + 7);
	const row = (i: number) => rows.slice((i % n) * dimensions, ((i % n) + 1) * dimensions);
	const others = fill(DATA[later] as Value, seed + 3, 6, dimensions);
	const list = [
		row(0),
		row(n - 1),
		row(n >> 1).map((x) => x * (1 + 1e-6 * spread(random))),
		row(1).map((x) => x + spread(random)),
		row(2).map((x) => 1e3 * x),
		row(3).map(() => 1e12 * spread(random)),
		row(4).map((x) => -x),
		row(5).map(() => 0),
		...[0, 1, 2, 3, 4, 5].map((i) => others.subarray(i * dimensions, (i + 1) * dimensions)),
	];
	return Float32Array.from(list.flatMap((query) => withinBound(query)));
}

/** A vector on the same line that is not refused, whatever the weights here. */
function withinBound(vector: Float32Array): number[] {
	const norm = Math.hypot(...vector);
	return norm <= 2 ** 60 ? [...vector] : Array.from(vector, (x) => (x / norm) * 2 ** 60);
}

const rowOf = (rows: Float32Array, i: number, dimensions: number) =>
	rows.subarray(i * dimensions, (i + 1) * dimensions);

describe("the scan over codes", () => {
	test("answers bit for bit what the scan over vectors answers", async () => {
		await fc.assert(
			fc.asyncProperty(SCENE, (scene) =>
				perform(scene, ({ plain, coded, queries }) => {
					const single = (index: FlatIndex, k: number) =>
						Array.from({ length: queries.length / scene.dimensions }, (_, i) =>
							index.search(rowOf(queries, i, scene.dimensions), k),
						);
					for (const k of new Set([1, Math.max(1, Math.floor(plain.size / 9)), scene.k])) {
						const expected = single(plain, k);
						assert.deepEqual(single(coded, k), expected, `single, k ${k}`);
						assert.deepEqual(coded.searchMany(queries, k), expected, `many over codes, k ${k}`);
						assert.deepEqual(plain.searchMany(queries, k), expected, `many, k ${k}`);
					}
				}),
			),
			{ numRuns: 150 },
		);
	});

	test("answers bit for bit what the scan over vectors answers where only some labels are allowed", async () => {
		await fc.assert(
			fc.asyncProperty(SCENE, (scene) =>
				perform(scene, ({ plain, coded, queries, vectors }) => {
					const random = randomNumbers(scene.seed);
					const allowed = [...vectors.keys()].filter(() => random() < scene.share);
					const allow = new LabelSet(arena, [...allowed, 5_000]);
					try {
						for (const k of [1, scene.k]) {
							const expected = plain.searchMany(queries, k, { allow });
							assert.deepEqual(coded.searchMany(queries, k, { allow }), expected);
							expected.forEach((hits, i) => {
								const query = rowOf(queries, i, scene.dimensions);
								assert.equal(hits.length, Math.min(k, allowed.length));
								assert.deepEqual(plain.search(query, k, { allow }), hits);
								const all = plain.search(query, plain.size);
								assert.deepEqual(hits, all.filter(({ label }) => allow.has(label)).slice(0, k));
							});
						}
					} finally {
						allow.dispose();
					}
				}),
			),
			{ numRuns: 60 },
		);
	});

	for (const engine of ["relaxed", "simd", "scalar"] as const) {
		test(`answers alike on every engine: ${engine}`, async () => {
			for (const metric of ["l2", "cosine", "ip"] as const) {
				const rows = randomRows(3, 600, 20) as Float32Array;
				const queries = randomRows(4, 5, 20) as Float32Array;
				const answers: unknown[] = [];
				for (const one of ["scalar", engine] as const) {
					const index = createFlat({ dimensions: 20, metric, codes: "sq7", arena: new Arena({ engine: one }) });
					await index.insertMany(rows);
					answers.push(index.searchMany(queries, 10));
				}
				assert.deepEqual(answers[1], answers[0]);
			}
		});
	}
});

test("every rank has the distance that a scan in float64 has, up to rounding", async () => {
	await fc.assert(
		fc.asyncProperty(SCENE, (scene) =>
			perform(scene, ({ coded, queries, vectors, weights }) => {
				for (let i = 0; i < 8; i++) {
					const query = rowOf(queries, i, scene.dimensions);
					const truth = trueNeighbors(scene.metric, query, vectors, weights);
					const tolerance = Math.max(...truth.map((one) => one.tolerance));
					const byLabel = new Map(truth.map((one) => [one.label, one]));
					const hits = coded.search(query, scene.k);
					assert.equal(hits.length, Math.min(scene.k, vectors.size));
					assert.ok(isOrdered(hits));
					hits.forEach(({ label, distance }, rank) => {
						const own = byLabel.get(label);
						assert.ok(
							own !== undefined && Math.abs(own.distance - distance) <= own.tolerance,
							`label ${label}: ${distance}`,
						);
						assert.ok(Math.abs((truth[rank] as { distance: number }).distance - distance) <= tolerance, `rank ${rank}`);
					});
				}
			}),
		),
		{ numRuns: 60 },
	);
});

describe("options", () => {
	test('"auto" takes codes from 32 dimensions on, where the metric allows them', () => {
		const codes = (dimensions: number, metric: "l2" | "cosine" | "ip" | "l1" | "hamming", asked?: "auto") =>
			createFlat({ dimensions, metric, arena, ...(asked === undefined ? {} : { codes: asked }) });
		const expected = [
			[codes(31, "l2"), "none"],
			[codes(32, "l2"), "sq7"],
			[codes(32, "cosine", "auto"), "sq7"],
			[codes(32, "ip"), "sq7"],
			[codes(64, "l1"), "none"],
			[codes(64, "hamming", "auto"), "none"],
		] as const;
		for (const [index, name] of expected) {
			assert.equal(index.effective().codes, name);
			index.dispose();
		}
		assert.equal(arena.usedBytes, 0);
	});

	test("an unknown option of a call is refused with the nearest, and so is ef", async () => {
		const index = createFlat({ dimensions: 2, metric: "l2", arena });
		await index.insertMany(Float32Array.of(1, 2));
		const unknown = { exakt: true } as object;
		assert.equal(refusal("INVALID_OPTION", () => index.search([1, 2], 1, unknown)).details.nearest, "exact");
		const many = refusal("INVALID_OPTION", () => index.searchMany(new Float32Array(2), 1, unknown));
		assert.equal(many.details.nearest, "exact");
		const insert = index.insertMany(new Float32Array(2), { label: Uint32Array.of(4) } as object);
		assert.equal((await rejection("INVALID_OPTION", insert)).details.nearest, "labels");
		assert.equal(refusal("INVALID_OPTION", () => index.search([1, 2], 1, { ef: 10 })).details.field, "ef");
		assert.deepEqual([...index.labels()], [0]);
		const undefinedOnes = { ef: undefined, allow: undefined, exact: undefined, abort: undefined } as object;
		assert.equal(index.search([1, 2], 1, undefinedOnes).length, 1);
		index.dispose();
	});
});

test("an abort flag of another arena is refused", async () => {
	const index = createFlat({ dimensions: 2, metric: "l2", arena });
	await index.insertMany(Float32Array.of(1, 2));
	const abort = new AbortFlag(new Arena({ engine: "scalar" }));
	assert.equal(refusal("INVALID_OPTION", () => index.search([1, 2], 1, { abort })).details.field, "abort");
	const many = () => index.searchMany(Float32Array.of(1, 2), 1, { abort });
	assert.equal(refusal("INVALID_OPTION", many).details.field, "abort");
	index.dispose();
});

describe("an arena that is full", () => {
	const filled = async () => {
		const small = new Arena({ maxBytes: 4 * 65_536 });
		const index = createFlat({ dimensions: 16, metric: "l2", codes: "sq7", arena: small });
		const rows = randomRows(1, 1_000, 16) as Float32Array;
		await index.insertMany(rows);
		return { small, index, rows };
	};

	test("refuses more rows with MEMORY_LIMIT, whole, and keeps what it has", async () => {
		const { index } = await filled();
		const query = randomRows(2, 1, 16);
		const before = index.search(query, 20);
		const error = await rejection("MEMORY_LIMIT", index.insertMany(randomRows(3, 4_000, 16)));
		assert.equal(error.details.size, 1_000);
		assert.equal(index.size, 1_000);
		assert.deepEqual(index.search(query, 20), before);
		assert.equal(index.remove([0, 1]), 2);
		index.insert(0, randomRows(4, 1, 16) as Float32Array);
		assert.equal(index.size, 999);
	});

	test("refuses a search that has no room with MEMORY_LIMIT, and takes nothing for it", async () => {
		const { small, index } = await filled();
		const before = small.usedBytes;
		refusal("MEMORY_LIMIT", () => index.searchMany(randomRows(2, 16, 16), 1_000));
		assert.equal(small.usedBytes, before);
		assert.equal(index.search(randomRows(2, 1, 16), 5).length, 5);
		index.dispose();
		assert.equal(small.usedBytes, 0);
	});

	test("refuses another index, with MEMORY_LIMIT", async () => {
		const { small } = await filled();
		while (true) {
			try {
				small.alloc(64);
			} catch {
				break;
			}
		}
		const weights = Array.from({ length: 16 }, () => 1);
		refusal("MEMORY_LIMIT", () => createFlat({ dimensions: 16, metric: "l2", arena: small, weights }));
	});
});

test("memory follows the formula: rows, codes, labels", async () => {
	const index = createFlat({ dimensions: 32, metric: "l2", codes: "sq7", arena });
	await index.insertMany(randomRows(1, 5_000, 32));
	index.compact();
	const { vectors, codes, formula } = index.memory();
	assert.equal(vectors, 5_000 * 32 * 4);
	assert.equal(codes, 5_000 * (32 + 16));
	assert.equal(formula, 5_000 * (128 + 48 + 8));
	index.dispose();
});
