import assert from "node:assert/strict";
import { test } from "node:test";
import { randomFrom } from "@nigh/recall";
import { cheapestOf, type RecallMatrix, trueMeans } from "./matrix.ts";
import { PLANTED, type PlantedName } from "./planted.ts";
import { asCertified } from "./procedures.ts";
import { drawSample, median, redraw } from "./redraw.ts";

/** Means 1, 0.95, 0.9 and 0.95; costs 8, 6, 4 and 3; the exact search costs 20. */
const MATRIX: RecallMatrix = {
	k: 10,
	rungs: ["a", "b", "c", "d"],
	hits: [Uint8Array.of(10, 10), Uint8Array.of(10, 9), Uint8Array.of(10, 8), Uint8Array.of(9, 10)],
	costs: [8, 6, 4, 3],
	exactCost: 20,
};

test("true means are those of the pool, and the cheapest rung is the cheapest that reaches the target", () => {
	assert.deepEqual(trueMeans(MATRIX), [1, 0.95, 0.9, 0.95]);
	assert.deepEqual(
		[0.9, 0.95, 0.96, 1.1].map((target) => cheapestOf(MATRIX, target)),
		[3, 3, 0, -1],
	);
});

test("a certificate is wrong with the first rung below the target, even where the served one is not", () => {
	const judged = (rung: number, target: number) =>
		redraw(MATRIX, {
			targets: [target],
			delta: 0.05,
			redraws: 3,
			queries: 5,
			seed: 1,
			procedure: () => asCertified([rung]),
		})[0];
	assert.deepEqual(judged(1, 0.95), {
		target: 0.95,
		redraws: 3,
		wrong: 0,
		approximate: 3,
		attainable: true,
		costRatio: 2,
	});
	assert.equal(judged(2, 0.95)?.wrong, 3);
	assert.equal(judged(3, 0.95)?.wrong, 3);
	assert.equal(judged(3, 0.9)?.wrong, 0);
	assert.deepEqual(judged(-1, 0.96), {
		target: 0.96,
		redraws: 3,
		wrong: 0,
		approximate: 0,
		attainable: true,
		costRatio: 2.5,
	});
});

test("a sample is drawn from the pool with replacement, the same query on every rung", () => {
	const sample = drawSample(MATRIX, 4_000, randomFrom(1));
	let first = 0;
	for (let query = 0; query < 4_000; query++) {
		const isFirst = sample.recall(1, query) === 1;
		if (isFirst) first++;
		assert.equal(sample.recall(2, query), isFirst ? 1 : 0.8);
		assert.equal(sample.recall(3, query), isFirst ? 0.9 : 1);
	}
	assert.ok(Math.abs(first - 2_000) < 5 * Math.sqrt(1_000));
});

test("planted rungs are 0.0005 below the target, to a hit, behind rungs that keep it", () => {
	for (const name of Object.keys(PLANTED) as PlantedName[]) {
		for (const target of [0.9, 0.95, 0.99]) {
			const means = trueMeans(PLANTED[name]({ target, pool: 20_000, above: 4, below: 5, seed: 1 }));
			const below = means.filter((mean) => mean < target);
			assert.ok(below.length > 0);
			for (const mean of below) assert.ok(Math.abs(mean - (target - 0.0005)) < 1e-9, `${name}: ${mean}`);
			assert.equal(
				means.findIndex((mean) => mean < target),
				means.length - below.length,
			);
		}
	}
});

test("a median is the middle, or half way between both", () => {
	assert.equal(median(Float64Array.of(3, 1, 2)), 2);
	assert.equal(median(Float64Array.of(4, 1, 2, 3)), 2.5);
	assert.equal(median(new Float64Array(0)), Number.NaN);
});
