import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { assertNear } from "../near.test-support.ts";
import { RecallCounts } from "./counts.ts";

const recalls = fc.array(
	fc.integer({ min: 0, max: 10 }).map((hits) => hits / 10),
	{ minLength: 2, maxLength: 200 },
);

test("size, mean, variance and share below are those of the list, in whatever order", () => {
	fc.assert(
		fc.property(recalls, (list) => {
			const counts = RecallCounts.of(list);
			const mean = list.reduce((sum, each) => sum + each, 0) / list.length;
			const squares = list.reduce((sum, each) => sum + (each - mean) ** 2, 0);
			assert.equal(counts.size, list.length);
			assert.ok(Math.abs(counts.mean - mean) < 1e-12);
			assert.ok(Math.abs(counts.variance - squares / (list.length - 1)) < 1e-12);
			assert.equal(counts.below(0.35), list.filter((each) => each < 0.35).length);
			assert.ok(Math.abs(counts.mean - RecallCounts.of(list.toReversed()).mean) < 1e-15);
			assert.equal(
				[...counts].reduce((sum, [, times]) => sum + times, 0),
				list.length,
			);
		}),
	);
});

test("without recalls there is no mean", () => {
	const none = new RecallCounts();
	assert.equal(none.size, 0);
	assert.equal(none.mean, Number.NaN);
	none.add(0.5);
	assert.equal(none.variance, Number.NaN);
});

test("a million recalls one by one have the mean of the million at once", () => {
	const counts = new RecallCounts();
	for (let i = 0; i < 1_000_000; i++) counts.add(i % 10 === 0 ? 0.3 : 0.9);
	assertNear(counts.mean, 0.84, 1e-15);
});
