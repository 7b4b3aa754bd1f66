import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { checkRecall, recallOf } from "./recall-of.ts";

test("the third of three is farther away than what an exact search finds: 2 / 3", () => {
	assert.equal(recallOf([0.1, 0.2, 0.4], 0.3, 3), 2 / 3);
});

test("ties with the k-th count, whichever of them is returned, and no more than k", () => {
	assert.equal(recallOf([0.1, 0.3, 0.3], 0.3, 3), 1);
	assert.equal(recallOf([0.3, 0.3, 0.3, 0.3], 0.3, 3), 1);
	assert.equal(recallOf([0, 0], 0, 2), 1);
});

test("what is missing is a miss, and so is what has no distance", () => {
	assert.equal(recallOf([], 0.3, 3), 0);
	assert.equal(recallOf([0.1], 0.3, 4), 0.25);
	assert.equal(recallOf([Number.NaN, 0.1], 0.3, 2), 0.5);
	assert.equal(recallOf([Number.POSITIVE_INFINITY], 0.3, 1), 0);
});

test("of fewer matches than k, all of them are wanted: against a naive count over the exact answers", () => {
	fc.assert(
		fc.property(
			fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 30 }),
			fc.integer({ min: 1, max: 12 }),
			fc.infiniteStream(fc.boolean()),
			(distances, k, coins) => {
				const exact = distances.toSorted((a, b) => a - b).slice(0, k);
				const returned = distances.filter(() => coins.next().value).slice(0, k);
				// Each returned one takes an exact answer that is as far away; one no farther than the last takes any.
				const worst = exact.at(-1) as number;
				const found = Math.min(exact.length, returned.filter((each) => each <= worst).length);
				assert.equal(recallOf(returned, worst, exact.length), found / exact.length);
			},
		),
	);
});

test("a recall is a number from 0 to 1", () => {
	for (const recall of [0, 0.5, 1]) assert.equal(checkRecall(recall), recall);
	for (const wrong of [Number.NaN, -1e-9, 1 + 1e-9, Number.POSITIVE_INFINITY, null, "1"])
		assert.throws(() => checkRecall(wrong as number), RangeError);
});
