import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { randomFrom } from "../random.ts";
import { type Arm, armOf, armsFor, FLAT, isSameArm } from "./arms.ts";
import { Bandit } from "./bandit.ts";
import {
	armCalled,
	banditOf,
	cellsRungs,
	GREEDY,
	graphRungs,
	ORIGIN_ARMS,
	simulate,
	UCB1,
} from "./origin-arms.test-support.ts";

const SEEDS = Array.from({ length: 200 }, (_, seed) => seed);

/** ms, of N-7. */
const LATENCIES: Readonly<Record<string, number>> = {
	flat: 50,
	ivf_conservative: 10,
	ivf_balanced: 20,
	ivf_aggressive: 100,
};
const latencyOf = (arm: Arm) => LATENCIES[arm.name] as number;

describe("what is known", () => {
	test("N-4: every arm starts at zero", () => {
		for (const { stats } of banditOf(GREEDY).records) {
			assert.deepEqual([stats.pulls, stats.totalReward, stats.averageReward], [0, 0, 0]);
			assert.equal(stats.averageLatencyMs, null);
		}
	});

	test("N-5: a credit goes to its arm alone", () => {
		const bandit = banditOf(GREEDY);
		assert.equal(bandit.credit(armCalled("ivf_balanced"), 5), true);
		assert.equal(bandit.credit(armCalled("ivf_balanced"), 0), false);
		const pulls = bandit.records.map(({ arm, pulls }) => [arm.name, pulls]);
		assert.deepEqual(pulls, [
			["flat", 0],
			["ivf_aggressive", 0],
			["ivf_balanced", 1],
			["ivf_conservative", 0],
		]);
	});

	test("N-12: an arm that could not run as labelled has no credit, and its fallbacks are told", () => {
		const bandit = banditOf(GREEDY);
		assert.equal(bandit.fellBack(armCalled("ivf_balanced")), true);
		const record = bandit.records.find(({ arm }) => arm.name === "ivf_balanced");
		assert.deepEqual([record?.pulls, record?.totalReward, record?.fallbacks], [0, 0, 1]);
	});
});

describe("epsilon-greedy", () => {
	test("N-6: with epsilon 1 it tries more than one arm in 100 searches, whatever they take", () => {
		for (const seed of SEEDS) {
			const bandit = banditOf({ ...GREEDY, epsilon: 1 }, ORIGIN_ARMS, randomFrom(seed));
			assert.equal(simulate(bandit, 100, latencyOf).size, 4, `seed ${seed}`);
		}
	});

	test("N-6: with epsilon 0 it always takes the best arm", () => {
		for (const best of ORIGIN_ARMS) {
			const bandit = banditOf({ ...GREEDY, epsilon: 0 });
			for (const arm of ORIGIN_ARMS) bandit.credit(arm, arm === best ? 5 : 6);
			for (let search = 0; search < 100; search++) assert.equal(bandit.choose(), best);
			assert.equal(bandit.best(), best);
		}
	});

	test("N-7: it converges on the fastest arm, with more than 70 % of the searches", () => {
		for (const seed of SEEDS) {
			const chosen = simulate(banditOf(GREEDY, ORIGIN_ARMS, randomFrom(seed)), 1_000, latencyOf);
			const share = (chosen.get("ivf_conservative") ?? 0) / 1_000;
			assert.ok(share > 0.7, `seed ${seed}: ${share}`);
		}
	});

	test("it finds the fastest arm also where that is the dearest, of which it thinks last", () => {
		const reversed = (arm: Arm) => (arm === FLAT ? 10 : arm.name === "ivf_aggressive" ? 20 : 50);
		for (const seed of SEEDS) {
			const bandit = banditOf(GREEDY, ORIGIN_ARMS, randomFrom(seed));
			// It is tried with probability 1 / 40: not in 1,000 searches with 0.975^1000 = 1e-11.
			simulate(bandit, 1_000, reversed);
			assert.equal(bandit.best(), FLAT, `seed ${seed}`);
			assert.ok((simulate(bandit, 1_000, reversed).get("flat") ?? 0) > 700, `seed ${seed}`);
		}
	});

	test("it begins with the cheapest arm, which serves until it has been tried itself", () => {
		const bandit = banditOf({ ...GREEDY, epsilon: 0 });
		assert.equal(bandit.choose()?.name, "ivf_conservative");
		bandit.credit(FLAT, 1);
		assert.equal(bandit.choose()?.name, "ivf_conservative");
		bandit.credit(armCalled("ivf_conservative"), 2);
		assert.equal(bandit.choose(), FLAT);
	});

	test("where the cheapest arm falls back it begins with the next that has not", () => {
		const bandit = banditOf({ ...GREEDY, epsilon: 0 });
		for (const name of ["ivf_conservative", "ivf_balanced", "ivf_aggressive", "flat"]) {
			assert.equal(bandit.choose()?.name, name);
			bandit.fellBack(armCalled(name));
		}
		assert.equal(bandit.choose()?.name, "ivf_conservative");
		bandit.credit(armCalled("ivf_balanced"), 1);
		assert.equal(bandit.choose()?.name, "ivf_balanced");
	});

	test("an arm that takes more than four times as long as the best is not explored after three tries", () => {
		const times: Readonly<Record<string, number>> = {
			flat: 40.1,
			ivf_aggressive: 40,
			ivf_balanced: 39,
			ivf_conservative: 10,
		};
		for (const seed of SEEDS) {
			const bandit = banditOf({ ...GREEDY, epsilon: 1 }, ORIGIN_ARMS, randomFrom(seed));
			// What is the best is known before the others are measured by it.
			bandit.credit(armCalled("ivf_conservative"), 10);
			const chosen = simulate(bandit, 400, (arm) => times[arm.name] as number);
			assert.equal(chosen.get("flat"), 3, `seed ${seed}`);
			for (const name of ["ivf_aggressive", "ivf_balanced"]) assert.ok((chosen.get(name) ?? 0) > 80, `seed ${seed}`);
		}
	});

	test("it is explored again when the best has become as slow", () => {
		const bandit = banditOf({ ...GREEDY, epsilon: 1 });
		simulate(bandit, 100, latencyOf);
		for (const { arm } of bandit.records) for (let i = 0; i < 10_000; i++) if (arm !== FLAT) bandit.credit(arm, 60);
		assert.ok((simulate(bandit, 100, latencyOf).get("flat") ?? 0) > 5);
	});

	test("decay lessens exploration, until a new arm comes in", () => {
		const even = () => 10;
		const bandit = banditOf({ ...GREEDY, epsilon: 1, decay: 0.9 }, armsFor(graphRungs(60, 54, 49)), randomFrom(3));
		assert.equal(simulate(bandit, 300, even).size, 3);
		assert.equal(simulate(bandit, 1_000, even).size, 1, "0.9^300 is less than 1e-13");
		bandit.restrict(armsFor(graphRungs(60, 54, 49)));
		assert.equal(simulate(bandit, 1_000, even).size, 1, "nothing is new");
		bandit.restrict(armsFor(graphRungs(60, 54, 49, 44)));
		assert.equal(simulate(bandit, 300, even).size, 3);
	});
});

describe("UCB1", () => {
	test("N-8: it pulls each arm once before any twice, the cheapest first", () => {
		const chosen: string[] = [];
		simulate(banditOf(UCB1), 4, (arm) => {
			chosen.push(arm.name);
			return latencyOf(arm);
		});
		assert.deepEqual(chosen, ["ivf_conservative", "ivf_balanced", "ivf_aggressive", "flat"]);
	});

	test("N-8: after ten pulls of flat it visits the other three within the next ten", () => {
		for (const ms of [0.1, 10, 1_000]) {
			const bandit = banditOf(UCB1);
			for (let pull = 0; pull < 10; pull++) bandit.credit(FLAT, ms);
			const chosen = simulate(bandit, 10, latencyOf);
			for (const { name } of ORIGIN_ARMS.slice(1)) assert.ok((chosen.get(name) ?? 0) > 0, `${name} at ${ms} ms`);
		}
	});

	test("N-7: it converges on the fastest arm, at any scale of latencies", () => {
		for (const factor of [0.001, 1, 1_000]) {
			const chosen = simulate(banditOf(UCB1), 1_000, (arm) => latencyOf(arm) * factor);
			assert.ok((chosen.get("ivf_conservative") ?? 0) > 700, `factor ${factor}: ${[...chosen].join(" ")}`);
		}
	});

	test("it never stops to look: of 10,000 searches each arm has some in the second half", () => {
		// Were rewards as large as they are (D8), the bonus could not make up for a difference of 50 in the reward.
		const bandit = banditOf(UCB1);
		simulate(bandit, 5_000, latencyOf);
		const chosen = simulate(bandit, 5_000, latencyOf);
		for (const { name } of ORIGIN_ARMS) assert.ok((chosen.get(name) ?? 0) > 0, name);
	});

	test("one lucky search does not make every arm look bad", () => {
		const bandit = banditOf(UCB1);
		simulate(bandit, 500, latencyOf);
		bandit.credit(armCalled("ivf_conservative"), 0.01);
		const chosen = simulate(bandit, 1_000, latencyOf);
		assert.ok((chosen.get("ivf_conservative") ?? 0) > 700, [...chosen].join(" "));
	});

	test("searches that run side by side try different arms", () => {
		const bandit = banditOf(UCB1);
		const chosen = Array.from({ length: 4 }, () => bandit.choose() as Arm);
		assert.equal(new Set(chosen).size, 4);
		for (const arm of chosen) bandit.credit(arm, latencyOf(arm));
		assert.deepEqual(
			bandit.records.map(({ pending }) => pending),
			[0, 0, 0, 0],
		);
	});

	test("N-12: an arm that always falls back is not tried for ever", () => {
		const bandit = banditOf(UCB1);
		let chosen = 0;
		for (let search = 0; search < 1_000; search++) {
			const arm = bandit.choose() as Arm;
			if (arm.name !== "ivf_conservative") bandit.credit(arm, latencyOf(arm));
			else {
				chosen++;
				bandit.fellBack(arm);
			}
		}
		assert.ok(chosen > 0 && chosen < 100, String(chosen));
		assert.equal(bandit.best()?.name, "ivf_balanced");
	});
});

describe("what is certified", () => {
	const honest = armsFor(cellsRungs(20, 18));
	const wrong = armOf({ kind: "cells", nprobe: 1 });
	const fast = (arm: Arm) => (isSameArm(arm, wrong) ? 0.01 : 10);

	for (const settings of [GREEDY, { ...GREEDY, epsilon: 1 }, { ...GREEDY, epsilon: 0 }, UCB1]) {
		const name = settings.algorithm === "ucb1" ? "UCB1" : `epsilon ${settings.epsilon}`;

		test(`N-10: ${name}: where flat alone is certified, flat it is`, () => {
			const chosen = simulate(banditOf(settings, armsFor([])), 500, () => 3);
			assert.deepEqual([...chosen], [["flat", 500]]);
		});

		test(`N-11: ${name}: an arm that is fast and wrong is never chosen without a certificate`, () => {
			const bandit = banditOf(settings, honest);
			assert.equal(bandit.credit(wrong, 0.01), false);
			const chosen = simulate(bandit, 10_000, (arm, search) => {
				if (search % 10 === 0) bandit.credit(wrong, 0.01);
				return fast(arm);
			});
			assert.equal(chosen.get(wrong.name), undefined);
		});

		test(`N-11: ${name}: nor when it has lost it, however well it did`, () => {
			const bandit = banditOf(settings, [...honest, wrong]);
			assert.ok((simulate(bandit, 1_000, fast).get(wrong.name) ?? 0) > 300);
			assert.equal(bandit.best(), wrong);
			bandit.restrict(honest);
			assert.notEqual(bandit.best(), wrong);
			assert.equal(bandit.credit(wrong, 0.01), false, "a search that ends after the loss");
			assert.equal(bandit.fellBack(wrong), false);
			assert.equal(simulate(bandit, 10_000, fast).get(wrong.name), undefined);
		});
	}

	test("statistics of an arm come back with its certificate", () => {
		const bandit = banditOf(GREEDY, [...honest, wrong]);
		bandit.credit(wrong, 4);
		bandit.restrict(honest);
		bandit.restrict([...honest, armOf({ kind: "cells", nprobe: 1 })]);
		assert.deepEqual(
			bandit.records.map(({ pulls }) => pulls),
			[0, 0, 0, 1],
		);
	});

	test("a new arm is unpulled, and the cheapest new one serves", () => {
		const bandit = banditOf({ ...GREEDY, epsilon: 0 }, honest);
		for (const arm of honest) bandit.credit(arm, 10);
		const cheaper = armsFor(cellsRungs(20, 18, 16));
		bandit.restrict(cheaper);
		assert.deepEqual(
			bandit.records.map(({ pulls }) => pulls),
			[1, 1, 0],
		);
		assert.equal(bandit.best()?.name, "nprobe 16");
	});

	test("without arms there is nothing to choose, and with one twice it is one", () => {
		const bandit = banditOf(GREEDY, []);
		assert.deepEqual([bandit.choose(), bandit.best(), bandit.serve()], [undefined, undefined, undefined]);
		bandit.restrict([FLAT, { name: "flat", rung: null }]);
		assert.equal(bandit.records.length, 1);
	});

	test("what becomes of the list that it was given changes nothing", () => {
		const arms = [...honest];
		const bandit = banditOf(GREEDY, arms);
		arms.push(wrong);
		arms[0] = wrong;
		assert.deepEqual(
			bandit.records.map(({ arm }) => arm),
			honest,
		);
	});

	test("statistics of arms that have gone do not pile up", () => {
		const bandit = banditOf(GREEDY, []);
		for (let ef = 1; ef <= 500; ef++) {
			const arm = armOf({ kind: "graph", ef });
			bandit.restrict([arm]);
			bandit.credit(arm, 1);
		}
		assert.equal(bandit.state.arms.length, 65);
		assert.equal(bandit.state.arms.at(-1)?.name, "ef 500");
	});

	test("whatever happens, what is chosen is certified", () => {
		const all = [...ORIGIN_ARMS, ...graphRungs(60, 54, 49).map(armOf), ...cellsRungs(20, 18).map(armOf)];
		const place = fc.nat(all.length - 1);
		const step = fc.oneof(
			fc.record({ do: fc.constant("choose" as const) }),
			fc.record({ do: fc.constant("credit" as const), at: place, ms: fc.oneof(fc.double(), fc.constant(0.01)) }),
			fc.record({ do: fc.constant("fellBack" as const), at: place }),
			fc.record({ do: fc.constant("restrict" as const), to: fc.subarray(all) }),
			fc.record({ do: fc.constant("reopen" as const) }),
			fc.record({ do: fc.constant("reset" as const) }),
		);
		const settings = fc.record({
			algorithm: fc.constantFrom("epsilon-greedy" as const, "ucb1" as const),
			epsilon: fc.constantFrom(0, 0.1, 0.5, 1),
			decay: fc.constantFrom(0.9, 1),
			live: fc.boolean(),
		});
		fc.assert(
			fc.property(settings, fc.nat(), fc.array(step, { maxLength: 60 }), (given, seed, steps) => {
				const random = randomFrom(seed);
				let bandit = new Bandit(given, random);
				let certified: readonly Arm[] = [];
				for (const each of steps) {
					if (each.do === "credit") bandit.credit(all[each.at] as Arm, each.ms);
					if (each.do === "fellBack") bandit.fellBack(all[each.at] as Arm);
					if (each.do === "reset") bandit.reset();
					if (each.do === "restrict") {
						certified = each.to;
						bandit.restrict(certified);
					}
					if (each.do === "reopen") {
						const { state } = bandit;
						bandit = new Bandit(given, random, JSON.parse(JSON.stringify(state)));
						assert.equal(bandit.choose(), undefined, "a state certifies nothing");
						bandit.restrict(certified);
						assert.deepEqual(bandit.state.searches, state.searches);
					}
					for (const arm of [bandit.choose(), bandit.best(), bandit.serve()]) {
						assert.equal(arm !== undefined, certified.length > 0);
						if (arm !== undefined) assert.ok(certified.includes(arm), arm.name);
					}
				}
			}),
			{ numRuns: 1_000 },
		);
	});
});

test("a search that somebody waits for explores only where that is asked for", () => {
	const settings = { ...GREEDY, epsilon: 1 };
	for (const [live, distinct] of [
		[false, 1],
		[true, 4],
	] as const) {
		const bandit = banditOf({ ...settings, live });
		assert.equal(new Set(Array.from({ length: 100 }, () => bandit.serve())).size, distinct);
	}
});

test("it chooses the same for the same seed, also when it has been kept in between", () => {
	const settings = { ...GREEDY, epsilon: 0.5 };
	const first = banditOf(settings, ORIGIN_ARMS, randomFrom(7));
	const second = banditOf(settings, ORIGIN_ARMS, randomFrom(7));
	simulate(first, 50, latencyOf);
	simulate(second, 50, latencyOf);
	const random = randomFrom(8);
	const reopened = new Bandit(settings, random, second.state);
	reopened.restrict(ORIGIN_ARMS);
	const kept = new Bandit(settings, randomFrom(8), first.state);
	kept.restrict(ORIGIN_ARMS);
	assert.deepEqual([...simulate(reopened, 200, latencyOf)], [...simulate(kept, 200, latencyOf)]);
	assert.deepEqual(reopened.state, kept.state);
});
