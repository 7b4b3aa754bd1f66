import assert from "node:assert/strict";
import { test } from "node:test";
import { BettingTest, RecallCounts } from "@nigh/recall";
import { isBelow, queriesNeeded } from "./too-few.ts";

test("as many queries are needed as it takes to pass, if more come as those did", () => {
	const perfect = new BettingTest(0.95, 0.05);
	while (!perfect.add(1));
	assert.equal(queriesNeeded(RecallCounts.of([1]), 0.95, 0.05), perfect.size);

	// The same shares over and over again: the order is another, so that it is about as many.
	const pattern = [1, 1, 1, 1, 0.9, 1, 1, 1, 1, 0.9];
	const repeated = new BettingTest(0.95, 0.05);
	for (let at = 0; !repeated.add(pattern[at % pattern.length] as number); at++);
	const needed = queriesNeeded(RecallCounts.of(pattern), 0.95, 0.05) ?? 0;
	assert.ok(Math.abs(needed - repeated.size) <= pattern.length, `${needed}, ${repeated.size}`);

	const nearer = queriesNeeded(RecallCounts.of([...Array(97).fill(1), 0, 0, 0]), 0.95, 0.05) ?? 0;
	assert.ok(nearer > 300 && nearer < 1_000, `${nearer}`);
});

test("what is below the target is not made up for by more queries", () => {
	for (const recalls of [[0.9], [1, 0.5], [0]])
		assert.equal(queriesNeeded(RecallCounts.of(recalls), 0.95, 0.05), undefined);
});

test("a mean is called below the target only where the misses are too many for chance", () => {
	const of = (hits: number, misses: number) => RecallCounts.of([...Array(hits).fill(1), ...Array(misses).fill(0)]);
	assert.equal(isBelow(of(80, 20), 0.95, 0.05), true);
	assert.equal(isBelow(of(94, 6), 0.95, 0.05), false);
	assert.equal(isBelow(of(99, 1), 0.95, 0.05), false);
	assert.equal(isBelow(of(0, 1), 0.95, 0.05), false, "one query tells nothing");
});
