import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { generated, generatedRows, uniform } from "./generated.ts";

const SHAPE = { n: 1_000, dimensions: 32, queries: 50, seed: 7 };

/** How often each first component occurs: rows that are copies would share theirs. */
const distinctRows = (rows: Float32Array, dimensions: number) =>
	new Set(rows.filter((_, at) => at % dimensions === 0)).size;

for (const [name, make] of Object.entries({ generated, uniform })) {
	describe(name, () => {
		test("has the shape asked for, of finite numbers, no row a copy", () => {
			const { base, queries } = make(SHAPE);
			assert.deepEqual([base.length, queries.length], [1_000 * 32, 50 * 32]);
			assert.ok([...base, ...queries].every(Number.isFinite));
			assert.ok(distinctRows(base, 32) > 990 && distinctRows(queries, 32) >= 49);
		});
		test("is the same for a seed and another for another", () => {
			const { base, queries } = make(SHAPE);
			assert.deepEqual(make(SHAPE), { base, queries });
			assert.notDeepEqual(make({ ...SHAPE, seed: 8 }).base, base);
		});
		test("asks for none of its own vectors", () => {
			const { base, queries } = make(SHAPE);
			const firsts = new Set(base.filter((_, at) => at % 32 === 0));
			const shared = queries.filter((value, at) => at % 32 === 0 && firsts.has(value));
			assert.ok(shared.length <= 1);
		});
	});
}

test("drawn in pieces, generated has the same rows", () => {
	const { base, queries } = generated(SHAPE);
	const draw = generatedRows(SHAPE);
	const pieces = [300, 1, 699, SHAPE.queries].map(draw);
	assert.deepEqual(
		pieces.flatMap((piece) => [...piece]),
		[...base, ...queries],
	);
});

test("uniform numbers lie in [0, 1), around a half in every dimension", () => {
	const { base } = uniform(SHAPE);
	assert.ok(base.every((value) => value >= 0 && value < 1));
	for (let d = 0; d < 32; d++) {
		let sum = 0;
		for (let i = 0; i < 1_000; i++) sum += base[i * 32 + d] as number;
		assert.ok(Math.abs(sum / 1_000 - 0.5) < 5 * Math.sqrt(1 / 12 / 1_000));
	}
});

describe("the clusters of generated", () => {
	const [n, dimensions] = [1_600, 128];
	const { base, queries } = generated({ n, dimensions, queries: 400, seed: 3 });
	/** Distances are compared in the latent space, from which the map stretches squares by dimensions / 20. */
	const isNear = (a: Float32Array, b: Float32Array, distance: number) =>
		a.reduce((sum, x, d) => sum + (x - (b[d] as number)) ** 2, 0) < distance ** 2 * (dimensions / 20);
	const row = (rows: Float32Array, at: number) => rows.subarray(at * dimensions, (at + 1) * dimensions);

	test("have heavy-tailed sizes", () => {
		// Two points of a cluster are about 6.9 apart, two of others 11.7, though some clusters overlap. Within 6.5 a point sees up to half
		// of its own cluster: of 40 alike some 0.0125, of sizes 1 / rank up to half of 1 / (1 + 1/2 + ... + 1/40) = 0.23 and a little more.
		const seen = Array.from({ length: n / 10 }, (_, at) => {
			let near = 0;
			for (let other = 0; other < n; other++) if (isNear(row(base, at * 10), row(base, other), 6.5)) near++;
			return near / n;
		}).sort((a, b) => a - b);
		const [smallest, largest] = [seen[0] as number, seen.at(-1) as number];
		assert.ok(largest > 0.1 && largest < 0.25, `the most seen is ${largest}`);
		assert.ok(smallest < 0.01, `the least seen is ${smallest}`);
	});
	test("are those of the queries, too", () => {
		let homeless = 0;
		for (let q = 0; q < 400; q++) {
			let near = 0;
			for (let at = 0; at < n; at++) if (isNear(row(queries, q), row(base, at), 9)) near++;
			if (near === 0) homeless++;
		}
		assert.ok(homeless < 20, `${homeless} of 400 queries lie in no cluster`);
	});
	test("lie in 20 dimensions with a little noise", () => {
		// What is left of a row when its part along 20 rows of the map's span is taken away: Gram-Schmidt over the first 20 differences.
		const basis: Float64Array[] = [];
		const rest = (values: Float64Array) => {
			for (const axis of basis) {
				const along = values.reduce((sum, x, d) => sum + x * (axis[d] as number), 0);
				axis.forEach((x, d) => {
					values[d] = (values[d] as number) - along * x;
				});
			}
			return Math.sqrt(values.reduce((sum, x) => sum + x * x, 0));
		};
		const kept = Array.from({ length: 40 }, (_, at) => {
			const values = Float64Array.from(row(base, at));
			const whole = Math.sqrt(values.reduce((sum, x) => sum + x * x, 0));
			const left = rest(values);
			basis.push(values.map((x) => x / left));
			return left / whole;
		});
		assert.ok(Math.min(...kept.slice(0, 15)) > 0.15, "the first 15 rows are independent");
		assert.ok(Math.max(...kept.slice(25)) < 0.15, "after 20 only noise is left");
	});
});
