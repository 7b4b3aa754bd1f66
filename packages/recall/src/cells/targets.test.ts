import assert from "node:assert/strict";
import { test } from "node:test";
import { TARGETS, targetFor } from "./targets.ts";

test("a recall is rounded up to the grid, and above its end to 1", () => {
	for (let thousandths = 500; thousandths <= 1_000; thousandths++) {
		const recall = thousandths / 1_000;
		const target = targetFor(recall);
		assert.ok(target >= recall);
		assert.ok(target === 1 || TARGETS.includes(target));
		assert.ok(!TARGETS.some((other) => other >= recall && other < target));
	}
	assert.equal(targetFor(0.9991), 1);
	assert.equal(targetFor(0.951), 0.96);
});

test("the grid rises, from 0.5 to below 1", () => {
	assert.deepEqual(TARGETS, [...new Set(TARGETS)].sort());
	assert.ok(TARGETS.every((target) => target >= 0.5 && target < 1));
});
