import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Bench, randomNumbers, randomVector } from "../kernels.test-support.ts";

const CASES = [1, 3, 16, 17, 127, 784];

function codeBytesOf(dimensions: number): number {
	return Math.ceil(dimensions / 16) * 16;
}

test("a row's codes are its rounded steps from the origin, held to 0..127, with the norm behind them", () => {
	const random = randomNumbers(1);
	for (const dimensions of CASES) {
		const codeBytes = codeBytesOf(dimensions);
		const origin = randomVector(random, dimensions);
		// Up to 1.5 times what the codes span, on both sides.
		const row = randomVector(random, dimensions).map((x, i) => (origin[i] as number) + 1 + 1.5 * x);
		const inverse = Math.fround(127 / 2);
		const bench = new Bench();
		const { base, stride } = bench.putRows([row, origin]);
		const code = bench.put(new Uint8Array(codeBytes + 16).fill(99));
		const norm = bench.run("encodeRow", base, base + stride, inverse, stride, code, codeBytes);
		const codes = new Uint8Array(bench.buffer, code, codeBytes);
		row.forEach((x, i) => {
			const steps = Math.fround(Math.fround(x - (origin[i] as number)) * inverse);
			const expected = Math.min(127, Math.max(0, Math.floor(Math.fround(steps + 0.5))));
			assert.equal(codes[i], expected);
		});
		assert.deepEqual(Array.from(codes.subarray(dimensions)), new Array(codeBytes - dimensions).fill(0));
		assert.equal(
			norm,
			codes.reduce((sum, c) => sum + c * c, 0),
		);
		assert.equal(bench.u32(code + codeBytes, 1)[0], norm);
	}
});

test("halves round up, and what is far outside is held at the ends", () => {
	const bench = new Bench();
	const row = Float32Array.of(0.5, 1.5, 126.5, 127.5, -0.5, -0.51, 1e30, -1e30, Infinity, -Infinity);
	const { base, stride } = bench.putRows([row, new Float32Array(row.length)]);
	const code = bench.room(32);
	bench.run("encodeRow", base, base + stride, 1, stride, code, 16);
	assert.deepEqual(Array.from(new Uint8Array(bench.buffer, code, 10)), [1, 2, 127, 127, 0, 0, 127, 0, 127, 0]);
});

test("a signed code is within half a unit of its number, and the largest number is 127 units", () => {
	const random = randomNumbers(2);
	for (const dimensions of CASES) {
		for (const scale of [1, 1e-20, 1e20]) {
			const row = randomVector(random, dimensions).map((x) => x * scale);
			const codeBytes = codeBytesOf(dimensions);
			const bench = new Bench();
			const { base, stride } = bench.putRows([row]);
			const code = bench.put(new Uint8Array(codeBytes).fill(99));
			const unit = bench.run("encodeSigned", base, stride, code, codeBytes);
			const codes = new Int8Array(bench.buffer, code, codeBytes);
			row.forEach((x, i) => {
				assert.ok(Math.abs(x / unit - (codes[i] as number)) <= 0.5 + 1e-4);
			});
			assert.equal(Math.max(...codes.map(Math.abs)), 127);
			assert.deepEqual(Array.from(codes.subarray(dimensions)), new Array(codeBytes - dimensions).fill(0));
		}
	}
});

test("a zero row, and one whose unit rounds to 0, is coded with the unit 0", () => {
	for (const value of [0, 1.4e-45]) {
		const bench = new Bench();
		const { base, stride } = bench.putRows([new Float32Array(5).fill(value)]);
		assert.equal(bench.run("encodeSigned", base, stride, bench.room(16), 16), 0);
	}
});

test("two planes, the high one to the nearest, leave at most 1/256 of a unit of each number within their range, and report what they leave", () => {
	const any = fc.float({ min: -120, max: 120, noNaN: true });
	const rows = fc
		.integer({ min: 1, max: 40 })
		.chain((d) => fc.tuple(fc.array(any, { minLength: d, maxLength: d }), fc.float({ min: 1, max: 3, noNaN: true })));
	fc.assert(
		fc.property(rows, ([values, unit]) => {
			const row = Float32Array.from(values);
			const origin = row.map((_, i) => (i % 3) - 1);
			const bench = new Bench({ bytes: 65_536 });
			const { base, stride } = bench.putRows([row, origin]);
			const codeBytes = codeBytesOf(row.length);
			const high = bench.room(codeBytes);
			const low = bench.room(codeBytes);
			const left = bench.room(16);
			bench.run("encodePlanes", base, base + stride, unit, stride, high, low, codeBytes, left);
			const highs = new Int8Array(bench.buffer, high, codeBytes);
			const lows = new Int8Array(bench.buffer, low, codeBytes);
			let error = 0;
			let norm = 0;
			row.forEach((x, i) => {
				assert.ok((lows[i] as number) >= -64 && (lows[i] as number) <= 63);
				const coded = (highs[i] as number) + (lows[i] as number) / 128;
				const e = x - (origin[i] as number) - coded * unit;
				assert.ok(Math.abs(e) <= unit / 256 + 1e-9);
				error += e * e;
				norm += coded * coded;
			});
			const [reported, squared] = new Float64Array(bench.buffer, left, 2) as unknown as [number, number];
			assert.ok(Math.abs(reported - Math.sqrt(error)) <= 1e-9);
			assert.ok(Math.abs(squared - norm) <= 1e-9 * norm);
		}),
		{ numRuns: 60 },
	);
});

test("planes hold what is out of their range at the ends, and a unit of 0 codes nothing", () => {
	const bench = new Bench();
	const { base, stride } = bench.putRows([Float32Array.of(1000, -1000, 1, 0), new Float32Array(4)]);
	const high = bench.room(16);
	const low = bench.room(16);
	const left = bench.room(16);
	bench.run("encodePlanes", base, base + stride, 1, stride, high, low, 16, left);
	assert.deepEqual(Array.from(new Int8Array(bench.buffer, high, 4)), [127, -128, 1, 0]);
	assert.deepEqual(Array.from(new Int8Array(bench.buffer, low, 4)), [63, 0, 0, 0]);
	bench.run("encodePlanes", base, base + stride, 0, stride, high, low, 16, left);
	assert.deepEqual(Array.from(new Int8Array(bench.buffer, high, 4)), [0, 0, 0, 0]);
	assert.equal(new Float64Array(bench.buffer, left, 1)[0], Math.sqrt(2_000_001));
});
