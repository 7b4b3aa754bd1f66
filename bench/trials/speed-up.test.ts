import assert from "node:assert/strict";
import { test } from "node:test";
import { speedUpAt } from "./speed-up.ts";

test("at a recall that both measured, the ratio of their times", () => {
	const before = [
		{ recall: 0.8, us: 10 },
		{ recall: 0.95, us: 30 },
	];
	const after = [
		{ recall: 0.9, us: 8 },
		{ recall: 0.95, us: 15 },
	];
	assert.ok(Math.abs((speedUpAt(before, after, 0.95) as number) - 2) < 1e-12);
});

test("between two points, linear in log(time) over log(1 - recall)", () => {
	// 1 - 0.99 lies half way from 1 - 0.9 to 1 - 0.999 in logarithms, as 20 does from 10 to 40.
	const before = [
		{ recall: 0.9, us: 10 },
		{ recall: 0.999, us: 40 },
	];
	const after = [
		{ recall: 0.9, us: 10 },
		{ recall: 0.999, us: 10 },
	];
	assert.ok(Math.abs((speedUpAt(before, after, 0.99) as number) - 2) < 1e-9);
});

test("a recall that one side was not measured on both sides of has no ratio", () => {
	const wide = [
		{ recall: 0.8, us: 10 },
		{ recall: 0.99, us: 30 },
	];
	assert.equal(speedUpAt(wide, [{ recall: 0.99, us: 5 }], 0.9), undefined);
	assert.equal(speedUpAt(wide.slice(0, 1), wide, 0.9), undefined);
	assert.equal(speedUpAt(wide, wide, 0.995), undefined);
});
