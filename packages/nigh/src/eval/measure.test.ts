import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { measure, percentile } from "./measure.ts";

test("a percentile is the value at the nearest rank, worked out by hand", () => {
	const hundred = Array.from({ length: 100 }, (_, at) => at + 1);
	assert.equal(percentile(hundred, 0.5), 50);
	assert.equal(percentile(hundred, 0.99), 99);
	assert.equal(percentile(hundred, 0.07), 7);
	assert.equal(percentile(hundred, 1), 100);
	assert.equal(percentile(hundred, 0), 1);
	assert.equal(percentile([10, 20, 30], 0.5), 20);
	assert.equal(percentile([10, 20, 30, 40], 0.5), 20);
	assert.equal(percentile([10, 20, 30, 40], 0.51), 30);
	assert.equal(percentile([7], 0.99), 7);
});

test("a percentile is the smallest value that the share does not exceed", () => {
	const values = fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 200 });
	fc.assert(
		fc.property(values, fc.integer({ min: 1, max: 100 }), (list, hundredths) => {
			const sorted = list.toSorted((a, b) => a - b);
			const atMost = (bound: number) => sorted.filter((value) => value <= bound).length * 100;
			const found = percentile(sorted, hundredths / 100);
			assert.ok(atMost(found) >= hundredths * sorted.length);
			const smaller = sorted.filter((value) => value < found).at(-1);
			if (smaller !== undefined) assert.ok(atMost(smaller) < hundredths * sorted.length);
		}),
	);
});

test("queries are warmed up untimed, and the fastest of three passes is reported with its own times", () => {
	let now = 0;
	let pass = 0;
	// Milliseconds that the query takes: the warm-up, then three passes.
	const costs = [
		[1_000, 1_000],
		[4, 8],
		[1, 3],
		[5, 5],
	];
	const { answers, speed } = measure(
		[0, 1],
		(query) => {
			now += costs[pass]?.[query] ?? 0;
			if (query === 1) pass++;
			return `answer ${query}`;
		},
		() => now,
	);
	assert.deepEqual(answers, ["answer 0", "answer 1"]);
	assert.deepEqual(speed, { qps: 500, p50_us: 1_000, p99_us: 3_000 });
	assert.equal(pass, 4);
});
