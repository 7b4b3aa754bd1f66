import assert from "node:assert/strict";
import { test } from "node:test";
import { Bench, randomNumbers, randomVector } from "../kernels.test-support.ts";

const DIMENSIONS = [1, 3, 17, 127, 784];

test("the sum of squares is that of float64, of large and small numbers too", () => {
	const random = randomNumbers(1);
	for (const dimensions of DIMENSIONS) {
		for (const scale of [1, 1e-30, 1e30, 1.4e-45]) {
			const row = randomVector(random, dimensions).map((x) => x * scale);
			const bench = new Bench();
			const { base, stride } = bench.putRows([row]);
			const sum = bench.run("sumOfSquares", base, stride);
			const truth = row.reduce((total, x) => total + x * x, 0);
			assert.ok(Math.abs(sum - truth) <= truth * dimensions * 2 ** -53, `${sum}, not ${truth}`);
		}
	}
});

test("one element that is not finite makes the sum of squares not finite, wherever it stands", () => {
	for (let at = 0; at < 9; at++) {
		for (const value of [Infinity, -Infinity]) {
			const bench = new Bench();
			const { base, stride } = bench.putRows([new Float32Array(9).fill(1).with(at, value)]);
			assert.equal(bench.run("sumOfSquares", base, stride), Infinity);
		}
		const bench = new Bench();
		const { base, stride } = bench.putRows([new Float32Array(9).fill(1).with(at, NaN)]);
		assert.ok(Number.isNaN(bench.run("sumOfSquares", base, stride)));
	}
});

test("a row is multiplied by its factors", () => {
	const random = randomNumbers(2);
	for (const dimensions of DIMENSIONS) {
		const row = randomVector(random, dimensions);
		const factors = randomVector(random, dimensions);
		const bench = new Bench();
		const { base, stride } = bench.putRows([row, factors]);
		bench.run("scaleRow", base, base + stride, stride);
		assert.deepEqual(
			Array.from(bench.f32(base, dimensions)),
			Array.from(row, (x, i) => Math.fround(x * (factors[i] as number))),
		);
	}
});

test("a row is brought to length 1, and its length is returned", () => {
	const random = randomNumbers(3);
	for (const dimensions of DIMENSIONS) {
		for (const scale of [1, 1e-30, 1e30]) {
			const row = randomVector(random, dimensions).map((x) => x * scale);
			const bench = new Bench();
			const { base, stride } = bench.putRows([row]);
			const length = bench.run("normalizeRow", base, stride);
			const truth = Math.sqrt(row.reduce((total, x) => total + x * x, 0));
			assert.ok(Math.abs(length - truth) <= truth * dimensions * 2 ** -52);
			assert.ok(Math.abs(Math.sqrt(bench.run("sumOfSquares", base, stride)) - 1) < 1e-6);
		}
	}
});

test("a zero row has the length 0 and stays as it is", () => {
	const bench = new Bench();
	const { base, stride } = bench.putRows([new Float32Array(5)]);
	assert.equal(bench.run("normalizeRow", base, stride), 0);
	assert.deepEqual(Array.from(bench.f32(base, 5)), [0, 0, 0, 0, 0]);
});
