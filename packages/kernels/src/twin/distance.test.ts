import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Bench, randomNumbers, randomVector, referenceKey, roundingOf, unitVector } from "../kernels.test-support.ts";
import { METRIC_CODES } from "../layout.ts";

const FLOAT_METRICS = [METRIC_CODES.l2, METRIC_CODES.ip, METRIC_CODES.cosine, METRIC_CODES.l1] as const;
const DENORMAL = 1.4e-45;

/** Rows that random ones would never hit: zeros, denormals, large among small, large enough that 1,536 squares just stay finite. */
function rowsOf(dimensions: number, n: number, random: () => number): Float32Array[] {
	const special = [
		new Float32Array(dimensions),
		new Float32Array(dimensions).fill(DENORMAL),
		new Float32Array(dimensions).fill(-1e-20),
		Float32Array.from({ length: dimensions }, (_, i) => (i % 7 === 0 ? 1e4 : 1e-4)),
		Float32Array.from({ length: dimensions }, (_, i) => (i % 2 === 0 ? -0 : 1e17)),
	];
	return Array.from({ length: n }, (_, i) => special[i] ?? randomVector(random, dimensions));
}

/** Runs all forms over n rows and asserts that they give the same bits; returns the keys of the first query. */
function allForms(bench: Bench, metric: number, queries: Rows, rows: Rows, bytes: number, m: number, n: number) {
	const ids = bench.put(Uint32Array.from({ length: n }, (_, i) => i));
	const single: number[] = [];
	const tiles = bench.room(4 * (n + 3) * m);
	const outStride = 4 * (n + 3);
	bench.run(
		"distanceTiles",
		metric,
		queries.base,
		queries.stride,
		m,
		rows.base,
		rows.stride,
		bytes,
		n,
		tiles,
		outStride,
	);
	for (let j = 0; j < m; j++) {
		const query = queries.base + j * queries.stride;
		const many = bench.room(4 * n);
		const block = bench.room(4 * n);
		bench.run("distanceMany", metric, query, rows.base, rows.stride, bytes, ids, n, many);
		bench.run("distanceBlock", metric, query, rows.base, rows.stride, bytes, n, block);
		const keys = Array.from({ length: n }, (_, i) =>
			bench.run("distance", metric, query, rows.base + i * rows.stride, bytes),
		);
		assert.deepEqual(Array.from(bench.f32(many, n)), keys);
		assert.deepEqual(Array.from(bench.f32(block, n)), keys);
		assert.deepEqual(Array.from(bench.f32(tiles + j * outStride, n)), keys);
		if (j === 0) single.push(...keys);
	}
	return single;
}

interface Rows {
	readonly base: number;
	readonly stride: number;
}

for (const dimensions of [1, 3, 17, 127, 784, 1536]) {
	test(`at ${dimensions} dimensions every form of every metric gives the bits of the twin, near the float64 key`, () => {
		const random = randomNumbers(dimensions);
		const rows = rowsOf(dimensions, 11, random);
		const queries = [...rows.slice(3, 4), ...rowsOf(dimensions, 7, random).slice(5)];
		for (const metric of FLOAT_METRICS) {
			const prepare = metric === METRIC_CODES.cosine ? unitVector : (row: Float32Array) => row;
			const stored = rows.map(prepare);
			const asked = queries.map(prepare);
			const bench = new Bench();
			const base = bench.putRows(stored);
			const query = bench.putRows(asked);
			const keys = allForms(bench, metric, query, base, base.stride, asked.length, stored.length);
			keys.forEach((key, i) => {
				const truth = referenceKey(metric, asked[0] as Float32Array, stored[i] as Float32Array);
				// Below the smallest denormal a product may vanish altogether.
				const allowed = roundingOf(dimensions) * truth.magnitude + dimensions * DENORMAL;
				assert.ok(Math.abs(key - truth.key) <= allowed, `metric ${metric}, row ${i}: ${key}, not ${truth.key}`);
			});
		}
	});
}

test("any number of rows from 0 to 9 and of queries from 1 to 3 goes through tiles and tails alike", () => {
	const random = randomNumbers(5);
	for (const metric of FLOAT_METRICS) {
		const bench = new Bench();
		const base = bench.putRows(Array.from({ length: 9 }, () => unitVector(randomVector(random, 21))));
		const query = bench.putRows(Array.from({ length: 3 }, () => unitVector(randomVector(random, 21))));
		for (let n = 0; n <= 9; n++) for (let m = 1; m <= 3; m++) allForms(bench, metric, query, base, base.stride, m, n);
	}
});

test("any dimensions and values: the same bits in every form, near the float64 key", () => {
	const value = fc.float({ min: Math.fround(-1e6), max: Math.fround(1e6), noNaN: true });
	const vectors = fc
		.integer({ min: 1, max: 70 })
		.chain((d) => fc.array(fc.array(value, { minLength: d, maxLength: d }), { minLength: 2, maxLength: 6 }));
	fc.assert(
		fc.property(vectors, fc.constantFrom(...FLOAT_METRICS), (values, metric) => {
			const prepare = metric === METRIC_CODES.cosine ? unitVector : (row: Float32Array) => row;
			const rows = values.map((row) => prepare(Float32Array.from(row)));
			const bench = new Bench({ bytes: 65_536 });
			const base = bench.putRows(rows);
			const keys = allForms(bench, metric, base, base, base.stride, 2, rows.length);
			const dimensions = (rows[0] as Float32Array).length;
			keys.forEach((key, i) => {
				const truth = referenceKey(metric, rows[0] as Float32Array, rows[i] as Float32Array);
				assert.ok(
					Math.abs(key - truth.key) <= roundingOf(dimensions) * truth.magnitude + dimensions * DENORMAL,
					`metric ${metric}: ${key}, not ${truth.key}`,
				);
			});
		}),
		{ numRuns: 60 },
	);
});

test("a row named twice and out of order gets the key of its number", () => {
	const random = randomNumbers(8);
	const bench = new Bench();
	const { base, stride } = bench.putRows(Array.from({ length: 12 }, () => randomVector(random, 30)));
	const named = [11, 0, 11, 5, 3, 7, 7];
	const ids = bench.put(Uint32Array.from(named));
	const out = bench.room(4 * named.length);
	bench.run("distanceMany", METRIC_CODES.l2, base, base, stride, stride, ids, named.length, out);
	const keys = named.map((id) => bench.run("distance", METRIC_CODES.l2, base, base + id * stride, stride));
	assert.deepEqual(Array.from(bench.f32(out, named.length)), keys);
});

test("cosine keys stay within 0 and 2 where rounding would leave them", () => {
	const bench = new Bench();
	const row = new Float32Array(7).fill(1 / Math.sqrt(7));
	const long = row.map((x) => x * 1.0001);
	const { base, stride } = bench.putRows([long, long, long.map((x) => -x)]);
	assert.equal(bench.run("distance", METRIC_CODES.cosine, base, base + stride, stride), 0);
	assert.equal(bench.run("distance", METRIC_CODES.cosine, base, base + 2 * stride, stride), 2);
});

test("an inner product of 0 gives the key 0, not -0", () => {
	const bench = new Bench();
	const { base, stride } = bench.putRows([Float32Array.of(1, 0), Float32Array.of(0, 1)]);
	assert.ok(Object.is(bench.run("distance", METRIC_CODES.ip, base, base + stride, stride), 0));
});

test("hamming counts differing bits in every form", () => {
	const random = randomNumbers(2);
	for (const bytes of [16, 48, 112, 1024]) {
		const bench = new Bench();
		const rows = Array.from({ length: 9 }, (_, i) => {
			if (i < 2) return new Uint8Array(bytes).fill(i === 0 ? 0 : 255);
			return Uint8Array.from({ length: bytes }, () => 256 * random());
		});
		const base = bench.room(9 * bytes);
		rows.forEach((row, i) => {
			bench.write(base + i * bytes, row);
		});
		const at = { base, stride: bytes };
		const keys = allForms(bench, METRIC_CODES.hamming, at, at, bytes, 3, 9);
		const bits = (row: Uint8Array) => [...row].map((byte) => byte.toString(2).padStart(8, "0")).join("");
		const first = bits(rows[0] as Uint8Array);
		keys.forEach((key, i) => {
			const other = bits(rows[i] as Uint8Array);
			assert.equal(key, [...other].filter((bit, b) => bit !== first[b]).length);
		});
	}
});

test("hamming is right up to the longest row, of 65,520 bytes", () => {
	const bench = new Bench();
	const zeros = bench.room(65_520);
	const ones = bench.put(new Uint8Array(65_520).fill(255));
	assert.equal(bench.run("distance", METRIC_CODES.hamming, zeros, ones, 65_520), 8 * 65_520);
});
