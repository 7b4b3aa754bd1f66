import assert from "node:assert/strict";
import { test } from "node:test";
import { type Arm, isSameRung, K_BANDS, type Rung, TARGETS, UNFILTERED } from "@nigh/recall";
import fc from "fast-check";
import { CollectionRecall } from "./collection-recall.ts";
import { beams, cellFor, generationOf, tableFor } from "./served.test-support.ts";
import type { ServedCell } from "./served.ts";

const LIVE = { algorithm: "epsilon-greedy", epsilon: 1, decay: 1, live: true } as const;
const now = generationOf("first", 1_000);

function chosen(recall: CollectionRecall, k: number, target: number): Arm | undefined {
	return recall.armFor(recall.serviceFor({ k, recall: target, matches: undefined }, now))?.arm;
}

test("the tuner chooses among what the table before it says is certified, whatever came before", () => {
	const cell = fc.record({
		k: fc.constantFrom(1, 10, 100),
		target: fc.constantFrom(0.9, 0.95),
		rungs: fc.constantFrom(beams(60, 50, 40), beams(60), beams(), beams(80, 70, 60, 50)),
	});
	const tables = fc.array(fc.array(cell, { maxLength: 5 }), { minLength: 1, maxLength: 6 });
	fc.assert(
		fc.property(tables, fc.boolean(), (all, isUcb) => {
			const recall = new CollectionRecall(isUcb ? { ...LIVE, algorithm: "ucb1" } : LIVE, undefined);
			for (const cells of all) {
				const named = new Map(cells.map((each) => [`${each.k}/${each.target}`, each]));
				const served = [...named.values()].map(({ k, target, rungs }) =>
					cellFor({ k, target, rungs, state: rungs.length === 0 ? "refused" : "certified" }),
				);
				recall.take(tableFor(served));
				for (const k of [1, 10, 100]) {
					for (const target of [0.9, 0.95]) {
						const own = served.find((each) => each.k === k && each.target === target);
						for (let i = 0; i < 8; i++) {
							const arm = chosen(recall, k, target);
							if (arm === undefined) continue;
							const held = own ?? served.find((each) => each.k === k && each.target > target);
							const rungs = (held as ServedCell).rungs;
							assert.ok(
								rungs.some((rung) => isSameRung(rung, arm.rung as Rung)),
								JSON.stringify(arm),
							);
							recall.tunedCells.find((each) => each.cell === held)?.bandit.credit(arm, 1 + i);
						}
						if (own !== undefined && own.rungs.length > 0) assert.ok(chosen(recall, k, target));
					}
				}
				// What is not certified is not told of either.
				const told = recall.tuner?.stats(null).cells.map(({ cell: { k, target } }) => `${k.from}/${target}`);
				const certified = served.filter(({ rungs }) => rungs.length > 0).map(({ k, target }) => `${k}/${target}`);
				assert.deepEqual(told?.sort(), certified.sort());
			}
		}),
		{ numRuns: 60 },
	);
});

test("a choice that comes back after its certificate has gone is not chosen again", () => {
	const recall = new CollectionRecall(LIVE, undefined);
	recall.take(tableFor([cellFor({ rungs: beams(60, 50, 40) })]));
	const [tuned] = recall.tunedCells;
	const narrow = tuned?.bandit.records.at(-1)?.arm as Arm;
	recall.take(tableFor([cellFor({ rungs: beams(60, 50) })]));
	assert.equal(tuned?.bandit.credit(narrow, 0.001), false);
	for (let i = 0; i < 50; i++) assert.notDeepEqual(chosen(recall, 10, 0.95)?.rung, narrow.rung);
});

test("other settings keep what was learned, and what was learned of another index is nothing", () => {
	const recall = new CollectionRecall({ algorithm: "epsilon-greedy", epsilon: 0, decay: 1, live: false }, undefined);
	recall.take(tableFor([cellFor()]));
	const learn = () => {
		for (const { bandit } of recall.tunedCells) for (const { arm } of bandit.records) bandit.credit(arm, 2);
	};
	learn();
	assert.equal(recall.tuner?.stats(null).totalPulls, 3);
	recall.configure({ algorithm: "ucb1", epsilon: 0, decay: 1, live: true });
	assert.equal(recall.tuner?.stats(null).totalPulls, 3);
	const written = JSON.parse(JSON.stringify(recall.tuner?.state));
	const reopened = new CollectionRecall(LIVE, undefined);
	reopened.take(tableFor([cellFor()], { tuned: written }));
	assert.equal(reopened.tuner?.stats(null).totalPulls, 3);
	reopened.take(tableFor([cellFor()], { identity: "second" }));
	assert.equal(reopened.tuner?.stats(null).totalPulls, 0);
	for (const tuned of [{}, [], 7, null, { ...written, version: 99 }, { ...written, cells: "none" }]) {
		const damaged = new CollectionRecall(LIVE, undefined);
		damaged.take(tableFor([cellFor()], { tuned }));
		assert.equal(damaged.tuner?.stats(null).totalPulls, 0);
		assert.ok(chosen(damaged, 10, 0.95));
	}
});

test("nothing is said of another index, and what has changed too much is nothing that is known", () => {
	const recall = new CollectionRecall(LIVE, undefined);
	assert.deepEqual(recall.statements(now), []);
	assert.deepEqual(recall.statements(undefined), []);
	recall.take(tableFor([cellFor(), cellFor({ k: 100, churn: 400 })]));
	assert.deepEqual(
		recall.statements(now).map(({ state }) => state),
		["certified", "uncertified"],
	);
	assert.deepEqual(recall.statements(generationOf("second", 1_000)), []);
	assert.ok(recall.isKnown(now));
	assert.ok(!recall.isKnown(generationOf("second", 1_000)));
	assert.ok(!recall.isKnown(generationOf("first", 1_301)));
});

test("between two bands of k there is nothing to choose", () => {
	const recall = new CollectionRecall(LIVE, undefined);
	recall.take(tableFor(K_BANDS.map((k) => cellFor({ k, rungs: beams(k + 50, k + 20) }))));
	assert.equal(chosen(recall, 50, 0.95), undefined);
	assert.equal(recall.serviceFor({ k: 50, recall: 0.95, matches: undefined }, now).state, "certified");
	assert.ok(TARGETS.includes(0.95) && UNFILTERED === -1);
});
