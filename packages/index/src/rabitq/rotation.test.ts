import assert from "node:assert/strict";
import { test } from "node:test";
import { Arena, rowBytes } from "@nigh/kernels";
import { randomNumbers } from "../vectors.test-support.ts";
import { createRabitqCodec } from "./codec.ts";
import { rotatedDimensions } from "./rotation.ts";

const DIMENSIONS = [1, 2, 12, 64, 100, 128, 300, 784];

function rotator(dimensions: number, seed: number): (vector: Float32Array) => Float32Array {
	const arena = new Arena();
	const codec = createRabitqCodec(arena, { dimensions, metric: "l2", seed });
	const row = arena.alloc(rowBytes(4 * dimensions));
	const out = arena.alloc(4 * codec.rotatedDimensions);
	return (vector) => {
		arena.f32(row, dimensions).set(vector);
		codec.rotate(row, 0, out);
		return arena.f32(out, codec.rotatedDimensions).slice();
	};
}

function dot(a: Float32Array, b: Float32Array): number {
	return a.reduce((sum, x, i) => sum + x * (b[i] as number), 0);
}

for (const dimensions of DIMENSIONS) {
	test(`a rotation keeps lengths and dot products in ${dimensions} dimensions`, () => {
		const random = randomNumbers(dimensions);
		const rotate = rotator(dimensions, 1);
		for (let n = 0; n < 10; n++) {
			const a = Float32Array.from({ length: dimensions }, () => 2 * random() - 1);
			const b = Float32Array.from({ length: dimensions }, () => random());
			const [ra, rb] = [rotate(a), rotate(b)];
			assert.equal(ra.length, rotatedDimensions(dimensions));
			const size = Math.sqrt(dot(a, a) * dot(b, b));
			assert.ok(Math.abs(dot(ra, rb) - dot(a, b)) <= 1e-5 * size);
			assert.ok(Math.abs(dot(ra, ra) - dot(a, a)) <= 1e-5 * dot(a, a));
		}
	});
}

test("a rotation is what its seed says: the same for the same, another for another", () => {
	const vector = Float32Array.from({ length: 100 }, (_, i) => Math.sin(i));
	const rotated = rotator(100, 7)(vector);
	assert.deepEqual(rotator(100, 7)(vector), rotated);
	for (const seed of [0, 6, 8, 0xffffffff]) {
		const other = rotator(100, seed)(vector);
		const cosine = dot(rotated, other) / dot(vector, vector);
		assert.ok(Math.abs(cosine) < 0.5, `seed ${seed}: ${cosine}`);
	}
});

test("vectors with one component are spread over all dimensions as a random direction is", () => {
	for (const dimensions of [64, 100, 300, 784]) {
		const rotate = rotator(dimensions, 3);
		const rotated = rotatedDimensions(dimensions);
		for (const at of [0, Math.floor(dimensions / 2), dimensions - 1]) {
			const vector = new Float32Array(dimensions);
			vector[at] = 1;
			const parts = rotate(vector);
			const half = dot(parts.subarray(0, rotated / 2), parts.subarray(0, rotated / 2));
			assert.ok(half > 0.3 && half < 0.7, `${half} of the length in the first half, dimension ${at} of ${dimensions}`);
			// A fourth moment of 3 is that of a normal distribution, 1 that of signs; rows of one component alone would have `rotated`.
			const fourth = rotated * parts.reduce((sum, x) => sum + x ** 4, 0);
			assert.ok(fourth < 6, `fourth moment ${fourth}, dimension ${at} of ${dimensions}`);
		}
	}
});

test("dimensions are rounded up to multiples of 64", () => {
	assert.deepEqual(
		[1, 64, 65, 100, 128, 300, 784, 16_384].map(rotatedDimensions),
		[64, 64, 128, 128, 128, 320, 832, 16_384],
	);
});
