import assert from "node:assert/strict";
import { test } from "node:test";
import { randomFrom } from "@nigh/recall";
import { climb } from "./climb.ts";
import type { Judged } from "./questions.ts";

const LADDER = [40, 30, 20, 10].map((ef) => ({ ef }));
const OPTIONS = { target: 0.9, delta: 0.05, queries: 400, pilotBeside: () => 0, onProgress: () => {} };
const judged = (recall: number): Judged => ({ recall, isExact: recall === 1, rerank: undefined });

test("settings are tested from the dearest on, until one does not pass; the last that does is measured by all queries", async () => {
	const asked: [ef: number, query: number][] = [];
	/** Of every ten queries one is missed at 20, five are at 10. */
	const misses: Readonly<Record<number, number>> = { 40: 0, 30: 0, 20: 5, 10: 0 };
	const { settings, cheapest, recalls } = await climb(LADDER, OPTIONS, async (query, { ef = 0 }) => {
		asked.push([ef, query]);
		return judged(query % 10 < (misses[ef] ?? 0) ? 0 : 1);
	});
	assert.deepEqual(
		settings.map(({ setting, outcome }) => [setting.ef, outcome]),
		[
			[40, "passes"],
			[30, "passes"],
			[20, "fails"],
		],
	);
	assert.equal(cheapest, 1);
	const [first, last, failed] = settings;
	assert.ok((first?.queries ?? 0) < 100, "it passes as soon as it can");
	assert.deepEqual([last?.queries, failed?.queries, recalls[1]?.length], [400, 400, 400]);
	assert.deepEqual([last?.mean, last?.answeredExactly, failed?.mean, failed?.answeredExactly], [1, 400, 0.5, 200]);
	for (const ef of [40, 30, 20]) {
		const order = asked.filter(([each]) => each === ef).map(([, query]) => query);
		assert.deepEqual(
			order,
			order.toSorted((a, b) => a - b),
			"no query comes before one that was drawn earlier",
		);
	}
	assert.ok(!asked.some(([ef]) => ef === 10), "what comes after one that does not pass is not looked at");
	for (const { mean, lowerBound } of settings) assert.ok(lowerBound < mean && lowerBound > mean - 0.2);
});

test("too few queries decide nothing, and how many would do is told with those of the pilot", async () => {
	const few = { ...OPTIONS, queries: 20, pilotBeside: (queries: number) => queries };
	const { settings, cheapest } = await climb(LADDER, few, async () => judged(1));
	assert.equal(cheapest, -1);
	const [dearest, ...others] = settings;
	assert.deepEqual([dearest?.outcome, dearest?.queries, others.length], ["undecided", 20, 0]);
	const needed = (dearest?.queriesNeeded ?? 0) / 2;
	const { cheapest: found } = await climb(LADDER, { ...few, queries: needed }, async () => judged(1));
	assert.ok(found >= 0);
	const { cheapest: none } = await climb(LADDER, { ...few, queries: needed - 1 }, async () => judged(1));
	assert.equal(none, -1);
});

test("a setting that does not keep the target is named in at most as many of all draws as the confidence leaves room for", async () => {
	// Means fall by the ladder; the third is just below the target, and so are all after it.
	const means: Readonly<Record<number, number>> = { 40: 0.97, 30: 0.93, 20: 0.895, 10: 0.89 };
	const draws = 400;
	let wrong = 0;
	let right = 0;
	for (let seed = 1; seed <= draws; seed++) {
		const random = randomFrom(seed);
		const { cheapest } = await climb(LADDER, OPTIONS, async (_, { ef = 0 }) =>
			judged(random() < (means[ef] ?? 0) ? 1 : 0),
		);
		if (cheapest >= 2) wrong++;
		else if (cheapest === 1) right++;
	}
	// Twenty of 400 are expected at most; more than 35 of them have a probability of 5e-4 then (binomial).
	assert.ok(wrong <= 35, `${wrong} of ${draws} draws name a setting that is below the target`);
	assert.ok(right > 0.3 * draws, `${right} of ${draws} find the one that is above it`);
});
