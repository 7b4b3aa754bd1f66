import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Distance, METRICS, type Metric, scoreOf } from "./metric.ts";

test("scores are those of the contract's table", () => {
	const table: [Metric, number, number][] = [
		["l2", 0, 1],
		["l2", 1, 0.5],
		["l2", 3, 0.25],
		["l1", 0, 1],
		["l1", 7, 0.125],
		["cosine", 0, 1],
		["cosine", 1, 0],
		["cosine", 2, -1],
		["ip", -2.5, 2.5],
		["ip", 4, -4],
		["ip", 0, 0],
		["ip", -0, 0],
		["hamming", 0, 1],
		["hamming", 16, 0.75],
		["hamming", 64, 0],
	];
	for (const [metric, distance, score] of table) {
		const actual: number = scoreOf(metric, distance as Distance, 64);
		assert.ok(Object.is(actual, score), `${metric} ${distance}: ${actual} is not ${score}`);
	}
});

test("a nearer vector never has a lower score", () => {
	const distance = fc.double({ min: 0, max: 1e12, noNaN: true });
	fc.assert(
		fc.property(fc.constantFrom(...METRICS), distance, distance, (metric, a, b) => {
			const [near, far] = [Math.min(a, b), Math.max(a, b)];
			assert.ok(scoreOf(metric, near as Distance, 64) >= scoreOf(metric, far as Distance, 64));
		}),
	);
});
