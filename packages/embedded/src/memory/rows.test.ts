import assert from "node:assert/strict";
import { test } from "node:test";
import { METRICS, type Metric } from "@nigh/contract";
import { rowBytes } from "@nigh/kernels";
import fc from "fast-check";
import { distanceBetween, type StoredVector } from "./generations.test-support.ts";
import { RowMaker, vectorBytes, vectorOf } from "./rows.ts";

const DIMENSIONS = 24;
const component = fc.integer({ min: -4, max: 4 });
const floats = fc.array(component, { minLength: DIMENSIONS, maxLength: DIMENSIONS }).map((v) => Float32Array.from(v));
const bits = fc.uint8Array({ minLength: DIMENSIONS / 8, maxLength: DIMENSIONS / 8 });

function vectors(metric: Metric): fc.Arbitrary<StoredVector> {
	return metric === "hamming" ? bits : floats;
}

for (const metric of METRICS) {
	test(`${metric}: the distance of two vectors is that of its definition`, () => {
		const maker = new RowMaker({ metric, dimensions: DIMENSIONS, weights: null });
		fc.assert(
			fc.property(vectors(metric), vectors(metric), (a, b) => {
				const expected = distanceBetween(metric, a, b);
				const actual = maker.distance(a, b);
				assert.ok(Math.abs(actual - expected) <= 1e-6 * (1 + Math.abs(expected)), `${actual} instead of ${expected}`);
			}),
			{ numRuns: 100 },
		);
	});
}

test("weights scale each dimension", () => {
	const weights = Array.from({ length: DIMENSIONS }, (_, i) => (i % 3 === 0 ? 0 : i / 4));
	for (const metric of ["l2", "cosine", "ip", "l1"] as const) {
		const maker = new RowMaker({ metric, dimensions: DIMENSIONS, weights });
		fc.assert(
			fc.property(floats, floats, (a, b) => {
				const expected = distanceBetween(metric, a, b, weights);
				const actual = maker.distance(a, b);
				assert.ok(Math.abs(actual - expected) <= 1e-5 * (1 + Math.abs(expected)), `${actual} instead of ${expected}`);
			}),
			{ numRuns: 50 },
		);
	}
});

test("rows of one maker are as long as the index keeps them, and a zero vector is one", () => {
	const maker = new RowMaker({ metric: "cosine", dimensions: 3, weights: null });
	assert.equal(maker.row(Float32Array.of(0, 0, 0)).length, rowBytes(12));
	const zero = Float32Array.of(0, 0, 0);
	assert.equal(maker.distance(zero, zero), 1);
	assert.equal(maker.distance(zero, Float32Array.of(1, 0, 0)), 1);
});

test("a vector comes back from its stored bytes", () => {
	const floatsIn = Float32Array.of(1.5, -2.25, 0);
	const bytes = new Uint8Array(floatsIn.buffer);
	assert.equal(vectorBytes({ metric: "l2", dimensions: 3 }), bytes.length);
	assert.deepEqual(vectorOf(bytes, { metric: "l2" }), floatsIn);
	const packed = Uint8Array.of(255, 1);
	assert.equal(vectorBytes({ metric: "hamming", dimensions: 16 }), packed.length);
	assert.equal(vectorOf(packed, { metric: "hamming" }), packed);
});
