import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Bench, randomNumbers, randomVector, unitVector } from "../kernels.test-support.ts";
import { rowBytes } from "../layout.ts";

const PASSES = 4;

/** The factors of a rotation: random signs, 1 / sqrt(window) inside the window, 1 / sqrt(2) for the butterfly before a pass. */
function rotationFactors(random: () => number, dimensions: number): Float32Array {
	const window = 2 ** Math.floor(Math.log2(dimensions));
	return Float32Array.from({ length: PASSES * dimensions }, (_, at) => {
		const pass = Math.floor(at / dimensions);
		const i = at % dimensions;
		const isInside = pass % 2 === 1 ? i >= dimensions - window : i < window;
		const scale = (isInside ? 1 / Math.sqrt(window) : 1) * (pass > 0 && window < dimensions ? Math.SQRT1_2 : 1);
		return random() < 0.5 ? -scale : scale;
	});
}

/** Element (i, j) of a Hadamard matrix: minus where i and j share an odd number of bits. */
function hadamardSign(i: number, j: number): number {
	let shared = i & j;
	let sign = 1;
	for (; shared !== 0; shared &= shared - 1) sign = -sign;
	return sign;
}

/** The same in float64, by the matrices themselves. */
function expectedRotation(vector: number[], factors: Float32Array): number[] {
	const dimensions = vector.length;
	const half = dimensions / 2;
	const window = 2 ** Math.floor(Math.log2(dimensions));
	let x = vector;
	for (let pass = 0; pass < PASSES; pass++) {
		if (pass > 0 && window < dimensions) {
			const y = x;
			x = y.map((value, i) => (i < half ? value + (y[i + half] as number) : (y[i - half] as number) - value));
		}
		const z = x.map((value, i) => value * (factors[pass * dimensions + i] as number));
		const first = pass % 2 === 1 ? dimensions - window : 0;
		x = z.map((value, i) => {
			if (i < first || i >= first + window) return value;
			let sum = 0;
			for (let j = 0; j < window; j++) sum += hadamardSign(i - first, j) * (z[first + j] as number);
			return sum;
		});
	}
	return x;
}

function rotate(row: Float32Array, origin: Float32Array | undefined, factors: Float32Array): Float32Array {
	const bench = new Bench({ bytes: 131_072 });
	const dimensions = factors.length / PASSES;
	const at = bench.put(row);
	const from = origin === undefined ? 0 : bench.put(origin);
	const out = bench.room(4 * dimensions);
	// What stands in the room before must not matter.
	bench.write(out, new Float32Array(dimensions).fill(7));
	bench.run("rotateRow", at, from, rowBytes(row.byteLength), bench.put(factors), PASSES, dimensions, out);
	return bench.f32(out, dimensions);
}

for (const dimensions of [8, 16, 24, 64, 128, 192, 320, 832]) {
	test(`a rotation in ${dimensions} dimensions is the product of its matrices and keeps lengths and dot products`, () => {
		const random = randomNumbers(dimensions);
		const factors = rotationFactors(random, dimensions);
		const length = Math.max(4, 4 * Math.floor((dimensions * 0.9) / 4));
		const [a, b, origin] = Array.from({ length: 3 }, () => unitVector(randomVector(random, length))) as [
			Float32Array,
			Float32Array,
			Float32Array,
		];
		const rotatedA = rotate(a, undefined, factors);
		const rotatedB = rotate(b, origin, factors);
		const pad = (values: Iterable<number>) => {
			const all = [...values];
			return [...all, ...new Array<number>(dimensions - all.length).fill(0)];
		};
		const difference = b.map((x, i) => x - (origin[i] as number));
		assertNear([...rotatedA], expectedRotation(pad(a), factors));
		assertNear([...rotatedB], expectedRotation(pad(difference), factors));
		assertNear([dot(rotatedA, rotatedA), dot(rotatedA, rotatedB)], [dot(a, a), dot(a, difference)]);
	});
}

test("a row spreads over all dimensions, wherever its one component is", () => {
	const dimensions = 320;
	const factors = rotationFactors(randomNumbers(5), dimensions);
	for (const at of [0, 100, 255, 256, 319]) {
		const row = new Float32Array(dimensions);
		row[at] = 1;
		const rotated = rotate(row, undefined, factors);
		// Components of a random unit vector are rarely four times their usual size.
		assert.ok(Math.max(...rotated.map(Math.abs)) < 5 / Math.sqrt(dimensions), `component ${at}`);
	}
});

test("every engine rotates any row to the same bits", () => {
	const value = fc.float({ noNaN: true, min: -(2 ** 60), max: 2 ** 60 });
	fc.assert(
		fc.property(
			fc.constantFrom(8, 40, 64, 128, 192),
			fc.array(value, { minLength: 8, maxLength: 8 }),
			fc.nat(),
			(dimensions, values, seed) => {
				const rotated = rotate(Float32Array.from(values), undefined, rotationFactors(randomNumbers(seed), dimensions));
				assert.ok(rotated.every(Number.isFinite));
			},
		),
		{ numRuns: 60 },
	);
});

function dot(a: Float32Array, b: Float32Array): number {
	return a.reduce((sum, x, i) => sum + x * (b[i] as number), 0);
}

function assertNear(actual: readonly number[], expected: readonly number[]): void {
	assert.equal(actual.length, expected.length);
	actual.forEach((x, i) => {
		assert.ok(Math.abs(x - (expected[i] as number)) < 1e-5, `${i}: ${x} is not ${expected[i]}`);
	});
}
