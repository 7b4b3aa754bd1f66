import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { RecallCell } from "@nigh/contract";
import { randomFrom } from "../random.ts";
import { armsFor, FLAT } from "./arms.ts";
import { armCalled, CELL, graphRungs, ORIGIN_ARMS } from "./origin-arms.test-support.ts";
import { Tuner, type TunerOptions } from "./tuner.ts";

const OTHER: RecallCell = { ...CELL, k: { from: 100, to: 100 } };

const optionsOf = (options: Partial<TunerOptions> = {}): TunerOptions => ({
	index: "index 1",
	random: randomFrom(1),
	...options,
});

function reopened(tuner: Tuner, options: Partial<TunerOptions> = {}): Tuner | undefined {
	return Tuner.from(JSON.parse(JSON.stringify(tuner.state)), optionsOf(options));
}

describe("settings", () => {
	test("are the defaults of the contract where none are given", () => {
		const expected = { algorithm: "epsilon-greedy", epsilon: 0.1, decay: 1, live: false };
		assert.deepEqual(new Tuner(optionsOf()).settings, expected);
	});

	test("N-9: those that are given win over those that were stored, one by one", () => {
		const stored = new Tuner(optionsOf({ settings: { algorithm: "ucb1", epsilon: 0.3, decay: 0.99, live: true } }));
		assert.deepEqual(reopened(stored)?.settings, stored.settings);
		assert.deepEqual(reopened(stored, { settings: { epsilon: 0 } })?.settings, { ...stored.settings, epsilon: 0 });
		const given = { algorithm: "epsilon-greedy", epsilon: 0.2, decay: 1, live: false } as const;
		assert.deepEqual(reopened(stored, { settings: given })?.settings, given);
	});

	test("N-9: so the bandits of a state choose by what is given", () => {
		const stored = new Tuner(optionsOf({ settings: { epsilon: 1, live: true } }));
		const arms = stored.restrict(CELL, ORIGIN_ARMS);
		for (const arm of ORIGIN_ARMS) arms.credit(arm, arm === FLAT ? 1 : 2);
		const bandit = reopened(stored, { settings: { epsilon: 0 } })?.restrict(CELL, ORIGIN_ARMS);
		assert.deepEqual(new Set(Array.from({ length: 100 }, () => bandit?.choose())), new Set([FLAT]));
	});
});

describe("what is kept", () => {
	function used(): Tuner {
		const tuner = new Tuner(optionsOf());
		const bandit = tuner.restrict(CELL, ORIGIN_ARMS);
		bandit.credit(armCalled("ivf_balanced"), 4);
		bandit.credit(armCalled("ivf_balanced"), 4);
		bandit.fellBack(armCalled("ivf_conservative"));
		tuner.restrict(OTHER, armsFor(graphRungs(200, 180))).credit(armsFor(graphRungs(200, 180))[1] ?? FLAT, 8);
		return tuner;
	}

	test("N-9: survives: two pulls kept are two pulls there", () => {
		const tuner = used();
		const again = reopened(tuner);
		again?.restrict(CELL, ORIGIN_ARMS);
		again?.restrict(OTHER, armsFor(graphRungs(200, 180)));
		assert.deepEqual(again?.stats(5), tuner.stats(5));
		assert.equal(again?.stats(5).cells[0]?.arms[2]?.pulls, 2);
		assert.deepEqual(again?.state, tuner.state);
	});

	test("certifies nothing: a cell has no arms until it is given some", () => {
		const again = reopened(used());
		assert.equal(again?.of(CELL)?.choose(), undefined);
		assert.equal(again?.of(CELL)?.best(), undefined);
		assert.deepEqual(again?.stats(null).cells, []);
		assert.equal(again?.restrict(CELL, [FLAT]).best(), FLAT);
	});

	test("is kept on while its cell has not been given arms again", () => {
		const tuner = used();
		const again = reopened(tuner);
		assert.deepEqual(again?.state, tuner.state);
	});

	test("is nothing for another index, another version, or what is no state", () => {
		const tuner = used();
		assert.equal(reopened(tuner, { index: "index 2" }), undefined);
		assert.equal(Tuner.from({ ...tuner.state, version: 2 }, optionsOf()), undefined);
		for (const none of [undefined, null, 0, "", [], {}]) assert.equal(Tuner.from(none, optionsOf()), undefined);
	});

	test("is not for an arm of the same name with another setting", () => {
		const again = reopened(used());
		const clipped = armsFor([{ kind: "cells", arm: "ivf_balanced", nprobe: 8, budget: 50_000 }]);
		const bandit = again?.restrict(CELL, clipped);
		assert.deepEqual(
			bandit?.records.map(({ arm, pulls }) => [arm.name, pulls]),
			[
				["flat", 0],
				["ivf_balanced", 0],
			],
		);
	});

	test("N-9: reset zeroes all arms of all cells, and leaves which are certified", () => {
		const tuner = used();
		// One that has lost its certificate must not come back with what it knew.
		tuner.restrict(CELL, [FLAT]);
		tuner.reset();
		tuner.restrict(CELL, ORIGIN_ARMS);
		const { totalPulls, cells } = tuner.stats(5);
		assert.equal(totalPulls, 0);
		assert.deepEqual(
			cells.map(({ arms }) => arms.length),
			[4, 2],
		);
		for (const { arms, keepsLatency } of cells) {
			assert.equal(keepsLatency, null);
			for (const { pulls, totalReward } of arms) assert.deepEqual([pulls, totalReward], [0, 0]);
		}
		assert.deepEqual(reopened(tuner)?.state, tuner.state);
	});
});

describe("cells", () => {
	test("know nothing of each other", () => {
		const tuner = new Tuner(optionsOf());
		const [one, other] = [tuner.restrict(CELL, ORIGIN_ARMS), tuner.restrict(OTHER, ORIGIN_ARMS)];
		one.credit(FLAT, 1);
		assert.deepEqual(
			other.records.map(({ pulls }) => pulls),
			[0, 0, 0, 0],
		);
		assert.equal(tuner.of(CELL), one);
		assert.equal(tuner.of({ ...CELL, k: { ...CELL.k } }), one, "by what they are, not by the object");
		assert.equal(tuner.of({ ...CELL, target: 0.96 }), undefined);
		assert.equal(tuner.of({ ...CELL, selectivity: { from: 0.5, to: 1 } }), undefined);
	});

	test("keep their bandit when certificates change, so that one that is held obeys", () => {
		const tuner = new Tuner(optionsOf());
		const held = tuner.restrict(CELL, ORIGIN_ARMS);
		held.credit(armCalled("ivf_conservative"), 1);
		assert.equal(tuner.restrict(CELL, [FLAT]), held);
		assert.equal(held.best(), FLAT);
		tuner.restrict(CELL, []);
		assert.equal(held.choose(), undefined);
		assert.deepEqual(tuner.stats(null).cells, []);
	});
});

describe("stats", () => {
	test("tell the settings, every certified arm, which serves, and whether that keeps the latency", () => {
		const tuner = new Tuner(optionsOf());
		const bandit = tuner.restrict(CELL, armsFor([{ kind: "cells", nprobe: 12 }]));
		bandit.credit(FLAT, 10);
		bandit.credit(armCalled("nprobe 12", armsFor([{ kind: "cells", nprobe: 12 }])), 4);
		assert.deepEqual(tuner.stats(5), {
			algorithm: "epsilon-greedy",
			epsilon: 0.1,
			decay: 1,
			live: false,
			totalPulls: 2,
			latencyMs: 5,
			cells: [
				{
					cell: CELL,
					arms: [
						{
							arm: "flat",
							setting: null,
							endsEarly: false,
							pulls: 1,
							totalReward: 100,
							averageReward: 100,
							averageLatencyMs: 10,
						},
						{
							arm: "nprobe 12",
							setting: { nprobe: 12 },
							endsEarly: false,
							pulls: 1,
							totalReward: 250,
							averageReward: 250,
							averageLatencyMs: 4,
						},
					],
					serving: "nprobe 12",
					keepsLatency: true,
				},
			],
		});
		assert.equal(tuner.stats(3.9).cells[0]?.keepsLatency, false);
		assert.equal(tuner.stats(4).cells[0]?.keepsLatency, true);
		assert.equal(tuner.stats(null).cells[0]?.keepsLatency, null);
	});

	test("N-12: a search that an arm has not answered is no pull of it", () => {
		const tuner = new Tuner(optionsOf());
		const bandit = tuner.restrict(CELL, ORIGIN_ARMS);
		bandit.fellBack(armCalled("ivf_balanced"));
		bandit.fellBack(armCalled("ivf_balanced"));
		bandit.credit(FLAT, 1);
		assert.equal(tuner.stats(null).totalPulls, 1);
	});
});

describe("recall and latency", () => {
	const arms = armsFor(graphRungs(60, 54, 49));
	const tried = (latencies: readonly (readonly number[])[]): Tuner => {
		const tuner = new Tuner(optionsOf());
		const bandit = tuner.restrict(CELL, arms);
		for (const [at, times] of latencies.entries()) for (const ms of times) bandit.credit(arms[at] ?? FLAT, ms);
		return tuner;
	};

	test("cannot both be kept where even the fastest arm takes longer", () => {
		const tuner = tried([[9], [8], [7]]);
		assert.deepEqual(tuner.tooSlow(6), [{ cell: CELL, meanMs: 7 }]);
		assert.deepEqual(tuner.tooSlow(7), []);
	});

	test("may both be kept as long as an arm has not been tried", () => {
		const tuner = tried([[], [8], [7]]);
		assert.deepEqual(tuner.tooSlow(6), []);
		assert.equal(tuner.stats(6).cells[0]?.keepsLatency, false);
	});

	test("are judged by the plain mean, which slow searches show in", () => {
		// The harmonic mean of 1 and 99 ms is 1.98 ms, so it is the best arm by reward; its searches take 50 ms on average.
		const tuner = tried([[9], [8], [1, 99]]);
		assert.equal(tuner.stats(10).cells[0]?.serving, "ef 49");
		assert.equal(tuner.stats(10).cells[0]?.keepsLatency, false);
		assert.deepEqual(tuner.tooSlow(10), []);
		assert.deepEqual(tuner.tooSlow(7), [{ cell: CELL, meanMs: 8 }]);
	});

	test("are nothing to tell of a cell without a search or without arms", () => {
		const tuner = tried([]);
		assert.deepEqual(tuner.tooSlow(1), []);
		assert.equal(tuner.stats(1).cells[0]?.keepsLatency, null);
		const bandit = tuner.restrict(CELL, arms);
		for (const arm of arms) bandit.fellBack(arm);
		assert.deepEqual(tuner.tooSlow(1), []);
		tuner.restrict(CELL, []);
		assert.deepEqual(tuner.tooSlow(1), []);
	});
});
