import assert from "node:assert/strict";
import { test } from "node:test";
import { assertNear } from "../near.test-support.ts";
import { bettingLowerBound } from "./betting.ts";
import { RecallCounts } from "./counts.ts";
import { maurerPontil } from "./maurer-pontil.ts";

const counts = new RecallCounts();
for (const [recall, times] of [
	[1, 800],
	[0.9, 150],
	[0.7, 50],
] as const)
	counts.add(recall, times);

test("is that of its comment, part by part", () => {
	assertNear(counts.variance, 0.0051, 0.002);
	const log = Math.log(2 / 0.05);
	assertNear(Math.sqrt((2 * counts.variance * log) / 1_000), 0.0061, 0.01);
	assertNear((7 * log) / (3 * 999), 0.0086, 0.01);
	assertNear(maurerPontil(counts, 0.05), 0.95525, 5e-6);
});

test("is less sharp than betting", () => {
	assert.ok(maurerPontil(counts, 0.05) < bettingLowerBound(counts, 0.05));
});

test("says nothing of fewer than two", () => {
	assert.equal(maurerPontil(new RecallCounts(), 0.05), Number.NEGATIVE_INFINITY);
	assert.equal(maurerPontil(RecallCounts.of([1]), 0.05), Number.NEGATIVE_INFINITY);
});
