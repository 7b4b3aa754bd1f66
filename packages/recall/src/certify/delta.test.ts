import assert from "node:assert/strict";
import { test } from "node:test";
import { assertNear } from "../near.test-support.ts";
import { deltaOf } from "./delta.ts";

test("is what the confidence leaves, split over cells", () => {
	assertNear(deltaOf({ confidence: 0.95 }), 0.05, 1e-12);
	assertNear(deltaOf({ confidence: 0.95, cells: 15 }), 0.05 / 15, 1e-12);
});

test("however many rebuilds there are, all attempts together have below twice of it", () => {
	let sum = 0;
	for (let rebuilds = 0; rebuilds < 40; rebuilds++) sum += deltaOf({ confidence: 0.99, cells: 3, rebuilds });
	assert.ok(sum < 2 * deltaOf({ confidence: 0.99, cells: 3 }));
	assertNear(deltaOf({ confidence: 0.99, cells: 3, rebuilds: 2 }), 0.01 / 12, 1e-12);
});
