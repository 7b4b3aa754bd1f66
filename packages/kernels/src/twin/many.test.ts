import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Bench, randomNumbers, randomVector, unitVector } from "../kernels.test-support.ts";
import { MANY, METRIC_CODES, manyCodesBytes } from "../layout.ts";

type CodedMetric = "l2" | "ip" | "cosine";

const METRICS: readonly CodedMetric[] = ["l2", "ip", "cosine"];

interface Coded {
	readonly bench: Bench;
	readonly base: number;
	readonly stride: number;
	readonly origin: number;
	readonly inverse: number;
}

function put(rows: readonly Float32Array[], centre: Float32Array, step: number): Coded {
	const bench = new Bench({ bytes: 1 << 21 });
	const { base, stride } = bench.putRows(rows);
	const { base: origin } = bench.putRows([centre.map((x) => x - 63.5 * step)]);
	return { bench, base, stride, origin, inverse: Math.fround(1 / step) };
}

test("a row's codes are its steps from the origin to the nearest, with what they leave out, rounded up a little", () => {
	const random = randomNumbers(3);
	for (const dimensions of [1, 4, 5, 127, 1_000]) {
		for (const n of [1, 8, 11]) {
			const rows = Array.from({ length: n }, () => randomVector(random, dimensions).map((x) => 1.5 * x));
			const coded = put(rows, new Float32Array(dimensions), 2 / 127);
			const { bench, base, stride, origin, inverse } = coded;
			const panels = bench.room(manyCodesBytes(stride, n));
			bench.run("encodeMany", base, stride, n, stride, origin, inverse, 3, panels);
			const bytes = new Uint8Array(bench.buffer);
			const from = bench.f32(origin, dimensions);
			rows.forEach((row, i) => {
				const panel = panels + Math.floor(i / 8) * manyCodesBytes(stride, 1) + 4 * (i % 8);
				let [norm, left, squared] = [0, 0, 0];
				row.forEach((x, j) => {
					const code = bytes[panel + 96 + 32 * (j >>> 2) + (j & 3)] as number;
					const steps = (x - (from[j] as number)) * inverse;
					assert.ok(Math.abs(Math.min(127, Math.max(0, steps)) - code) <= 0.5001);
					norm += code * code;
					left += (steps - code) ** 2;
					squared += x * x;
				});
				assert.equal(bench.u32(panel, 1)[0], norm);
				const [error, length] = [bench.f32(panel + 32, 1)[0] as number, bench.f32(panel + 64, 1)[0] as number];
				assert.ok(error >= Math.sqrt(left) && error <= 1.002 * Math.sqrt(left) + 0.0002 * Math.sqrt(dimensions));
				assert.ok(Math.abs(length - 3 * squared) <= 1e-4 * squared);
			});
		}
	}
});

/** A struct whose limits allow for the rounding of the keys. */
function putMany(
	coded: Coded,
	metric: CodedMetric,
	n: number,
	count: number,
	k: number,
): { many: number; pools: number } {
	const { bench, base, stride, origin, inverse } = coded;
	const rounding = (stride / 32 + 8) * 2 ** -23;
	const squares = metric === "l2" ? 0 : inverse ** 2 * (1 + 4 * rounding + 2 ** -17);
	const queries = base + n * stride;
	const [queryCodes, rowCodes] = [count, n].map((rows) => bench.room(manyCodesBytes(stride, rows))) as [number, number];
	bench.run("encodeMany", queries, stride, count, stride, origin, inverse, squares, queryCodes);
	bench.run("encodeMany", base, stride, n, stride, origin, inverse, squares, rowCodes);
	const pools = bench.room(8 * k * count);
	const many = bench.putWords(MANY, {
		queries,
		queryStride: stride,
		queryCodes,
		count,
		rowCodes,
		k,
		pools,
		sizes: bench.room(4 * count),
		limits: bench.put(new Float32Array(count + 8).fill(Number.NEGATIVE_INFINITY)),
		metric: METRIC_CODES[metric],
		rowBytes: stride,
	});
	const scale = metric === "l2" ? (1 + 2 * rounding) * inverse : inverse ** 2;
	const offset = metric === "cosine" ? -2 + 2 ** -19 : 2 ** -60;
	bench.write(many + MANY.scale, Float64Array.of(scale, offset, metric === "cosine" ? 2 : Number.POSITIVE_INFINITY));
	return { many, pools };
}

/** Runs the kernel over rows in parts; checks that it found what comparing everything finds. Returns the share of the pairs it compared. */
function check(
	coded: Coded,
	metric: CodedMetric,
	{ n, count, k, cuts }: { n: number; count: number; k: number; cuts: readonly number[] },
): number {
	const { bench, base, stride, origin, inverse } = coded;
	const { many, pools } = putMany(coded, metric, n, count, k);
	const labels = Uint32Array.from({ length: n }, (_, i) => (i * 7_919) % 100_003);
	const labelsAt = bench.put(labels);
	const [rowCodes] = bench.u32(many + MANY.rowCodes, 1) as unknown as [number];
	const squares = metric === "l2" ? 0 : inverse ** 2 * 1.001;
	let compared = 0;
	const ends = [...cuts.filter((cut) => cut < n), n].sort((a, b) => a - b);
	ends.forEach((end, i) => {
		const first = ends[i - 1] ?? 0;
		if (end === first) return;
		const rows = base + first * stride;
		bench.run("encodeMany", rows, stride, end - first, stride, origin, inverse, squares, rowCodes);
		compared += bench.run("nearestMany", many, rows, stride, end - first, labelsAt + 4 * first);
	});
	const size = Math.min(k, n);
	const [keys, pool] = [bench.room(4 * n), bench.room(8 * k)];
	for (let query = 0; query < count; query++) {
		bench.run("distanceBlock", METRIC_CODES[metric], base + (n + query) * stride, base, stride, stride, n, keys);
		assert.equal(bench.run("topk", keys, labelsAt, n, k, pool, 0, 0), size);
		assert.deepEqual(bench.u32(pools + 8 * k * query, 2 * size), bench.u32(pool, 2 * size), `query ${query}`);
	}
	return compared / (n * count);
}

test("the answer is that of comparing everything, whatever the rows, the codes and the parts", () => {
	const cases = fc.record({
		seed: fc.integer({ min: 0, max: 2 ** 31 }),
		dimensions: fc.integer({ min: 1, max: 40 }),
		n: fc.integer({ min: 1, max: 90 }),
		count: fc.integer({ min: 1, max: 11 }),
		k: fc.integer({ min: 1, max: 12 }),
		cuts: fc.array(fc.nat(90), { maxLength: 3 }),
		metric: fc.constantFrom(...METRICS),
		// How fine the codes are, and whether there are many equal rows, far ones, and some that are zero.
		step: fc.constantFrom(0.001, 0.02, 0.5, 100),
		shape: fc.constantFrom("even", "repeated", "far", "near"),
	});
	fc.assert(
		fc.property(cases, ({ seed, dimensions, n, count, k, cuts, metric, step, shape }) => {
			const random = randomNumbers(seed);
			const first = randomVector(random, dimensions);
			const rows = Array.from({ length: n + count }, (_, i) => {
				if (shape === "repeated" && i % 3 !== 0) return i % 3 === 1 ? first : new Float32Array(dimensions);
				if (shape === "near") return first.map((x) => x + 1e-3 * random());
				const row = randomVector(random, dimensions);
				return shape === "far" && i % 5 === 0 ? row.map((x) => 1e4 * x) : row;
			});
			const stored = metric === "cosine" ? rows.map(unitVector) : rows;
			check(put(stored, new Float32Array(dimensions), step), metric, { n, count, k, cuts });
		}),
		{ numRuns: 200 },
	);
});

test("numbers so small that their products vanish, and rows along one line, lose nothing", () => {
	const random = randomNumbers(5);
	for (const metric of METRICS) {
		const tiny = Array.from({ length: 60 }, () => randomVector(random, 12).map((x) => 1e-13 * x));
		const line = Array.from({ length: 60 }, (_, i) => new Float32Array(12).fill((i - 30) / 30));
		for (const [rows, step] of [
			[tiny, 2e-15],
			[line, 2 / 127],
		] as const) {
			const stored = metric === "cosine" ? rows.map(unitVector) : rows;
			check(put(stored, new Float32Array(12), step), metric, { n: 50, count: 10, k: 5, cuts: [9] });
		}
	}
});

test("codes exclude most pairs once the pools are full", () => {
	const random = randomNumbers(6);
	for (const metric of METRICS) {
		const rows = Array.from({ length: 1_016 }, () => randomVector(random, 64));
		const stored = metric === "cosine" ? rows.map(unitVector) : rows;
		const step = metric === "cosine" ? 0.8 / 127 : 2 / 127;
		const share = check(put(stored, new Float32Array(64), step), metric, { n: 1_000, count: 16, k: 3, cuts: [500] });
		assert.ok(share < 0.1, `${metric}: compared ${share}`);
	}
});
