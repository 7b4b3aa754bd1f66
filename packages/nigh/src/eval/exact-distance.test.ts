import assert from "node:assert/strict";
import { test } from "node:test";
import { exactDistance, type FloatMetric } from "./exact-distance.ts";

test("distances are those of the definitions, worked out by hand", () => {
	// Rows (0, 0) and (3, 4) against (0, 0) and (-3, 4): differences (6, 0), dot product 7, both of length 5.
	const a = { count: 2, dimensions: 2, values: [0, 0, 3, 4] };
	const b = { count: 2, dimensions: 2, values: [0, 0, -3, 4] };
	const expected: Readonly<Record<FloatMetric, number>> = { l2: 6, l1: 6, ip: -7, cosine: 1 - 7 / 25 };
	for (const [metric, distance] of Object.entries(expected)) {
		assert.equal(exactDistance(metric as FloatMetric, a, 1, b, 1), distance, metric);
	}
	assert.equal(exactDistance("l2", a, 0, b, 1), 5);
	assert.equal(exactDistance("l1", a, 0, b, 1), 7);
});

test("a zero vector is at cosine distance 1 from everything, itself included", () => {
	const rows = { count: 2, dimensions: 2, values: [0, 0, 3, 4] };
	assert.equal(exactDistance("cosine", rows, 0, rows, 1), 1);
	assert.equal(exactDistance("cosine", rows, 0, rows, 0), 1);
});
