import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { assertNear } from "../near.test-support.ts";
import { BETS, BettingTest, bettingLowerBound, logWealth } from "./betting.ts";
import { RecallCounts } from "./counts.ts";

const recall = fc.integer({ min: 0, max: 10 }).map((hits) => hits / 10);
const recalls = fc.array(recall, { minLength: 1, maxLength: 300 });
const target = fc.constantFrom(0.5, 0.9, 0.95, 0.99, 0.999, 1);

/** K_n by its definition. */
function wealth(list: readonly number[], m: number): number {
	const products = BETS.map((c) => list.reduce((product, x) => product * (1 - c + (c * x) / m), 1));
	return products.reduce((sum, product) => sum + product, 0) / BETS.length;
}

describe("wealth", () => {
	test("is the product of its definition", () => {
		fc.assert(
			fc.property(recalls, target, (list, m) => {
				assertNear(Math.exp(logWealth(RecallCounts.of(list), m)), wealth(list, m), 1e-9);
			}),
		);
	});

	test("falls as the mean that is bet against rises", () => {
		fc.assert(
			fc.property(recalls, fc.double({ min: 0.01, max: 0.99, noNaN: true }), (list, m) => {
				const counts = RecallCounts.of(list);
				assert.ok(logWealth(counts, m) >= logWealth(counts, m + 0.01) - 1e-12);
			}),
		);
	});
});

describe("the test", () => {
	test("keeps the highest wealth there ever was, and passes at 1 / delta", () => {
		fc.assert(
			fc.property(recalls, target, fc.constantFrom(0.2, 0.05, 0.001), (list, t, delta) => {
				const betting = new BettingTest(t, delta);
				let highest = 1;
				for (const [i, x] of list.entries()) {
					const passed = betting.add(x);
					highest = Math.max(highest, wealth(list.slice(0, i + 1), t));
					assertNear(Math.exp(betting.highest), highest, 1e-9);
					assert.equal(passed, betting.passed);
					if (Math.abs(highest * delta - 1) > 1e-9) assert.equal(passed, highest >= 1 / delta);
				}
				assert.equal(betting.size, list.length);
			}),
			{ numRuns: 50 },
		);
	});

	test("with 99 recalls of 1 against 0.95 has the wealth that its comment tells, and had passed after the 83rd", () => {
		const products = BETS.map((c) => (1 - c + c / 0.95) ** 99);
		for (const [j, value] of [1.7, 4.7, 21.7, 138.3].entries()) assertNear(products[j] as number, value, 0.012);
		assertNear(Math.exp(logWealth(RecallCounts.of(new Array(99).fill(1)), 0.95)), 41.6, 0.001);
		const betting = new BettingTest(0.95, 0.05);
		let passedAfter = 0;
		for (let i = 1; i <= 99; i++) if (betting.add(1) && passedAfter === 0) passedAfter = i;
		assert.equal(passedAfter, 83);
	});

	test("passes a mean at the target with probability at most delta, ever: told exactly for all-or-nothing recalls", () => {
		for (const [t, delta] of [
			[0.5, 0.2],
			[0.9, 0.05],
			[0.95, 0.05],
			[0.99, 0.2],
		] as const) {
			const passes = passProbability(t, t, delta, 2_000);
			assert.ok(passes <= delta, `${t} ${delta}: ${passes}`);
			// The oracle is not blind: well above the target the same sum tells that nearly all pass.
			assert.ok(passProbability(t, 1 - (1 - t) / 5, delta, 2_000) > 0.9);
		}
	});

	test("recalls of 0 never pass, nor harm what comes after beyond their count", () => {
		const betting = new BettingTest(0.999, 0.05);
		for (let i = 0; i < 10_000; i++) betting.add(0);
		assert.equal(betting.highest, 0);
		assert.equal(betting.passed, false);
		assert.ok(Number.isFinite(logWealth(RecallCounts.of(new Array(10_000).fill(0)), 0.999)));
	});

	test("a million recalls of 1 pass 0.999, and no number of them a target of 1", () => {
		const high = new BettingTest(0.999, 1e-6);
		const one = new BettingTest(1, 0.05);
		for (let i = 0; i < 1_000_000; i++) {
			high.add(1);
			one.add(1);
		}
		assert.ok(high.passed && Number.isFinite(high.highest));
		assert.equal(one.highest, 0);
	});
});

/**
 * P(the test passes within `steps` recalls) of recalls that are 1 with probability `mean` and else 0, to rounding: what has not passed by now is
 * described by how many of its recalls were 1.
 */
function passProbability(t: number, mean: number, delta: number, steps: number): number {
	let open = new Float64Array([1]);
	let passed = 0;
	for (let n = 1; n <= steps; n++) {
		const next = new Float64Array(n + 1);
		for (let ones = 0; ones < n; ones++) {
			next[ones] = (next[ones] as number) + (open[ones] as number) * (1 - mean);
			next[ones + 1] = (next[ones + 1] as number) + (open[ones] as number) * mean;
		}
		for (let ones = n; ones >= 0; ones--) {
			if ((next[ones] as number) < 1e-300) continue;
			const powers = BETS.map((c) => (1 - c + c / t) ** ones * (1 - c) ** (n - ones));
			if (powers.reduce((sum, each) => sum + each, 0) / BETS.length < 1 / delta) break;
			passed += next[ones] as number;
			next[ones] = 0;
		}
		open = next;
	}
	return passed;
}

describe("the lower bound", () => {
	const example = new RecallCounts();
	for (const [x, times] of [
		[1, 800],
		[0.9, 150],
		[0.7, 50],
	] as const)
		example.add(x, times);

	test("is that of its comment", () => {
		assertNear(example.mean, 0.97, 1e-12);
		assertNear(bettingLowerBound(example, 0.05), 0.96318, 5e-6);
	});

	test("inverts the wealth: refuted just there, and not a billionth above", () => {
		fc.assert(
			fc.property(recalls, fc.constantFrom(0.2, 0.05, 0.001), (list, delta) => {
				const counts = RecallCounts.of(list);
				const bound = bettingLowerBound(counts, delta);
				assert.ok(bound <= counts.mean + 1e-12 && bound >= 0);
				if (bound > 0) assert.ok(logWealth(counts, bound) >= -Math.log(delta) - 1e-9);
				if (counts.mean > 0) assert.ok(logWealth(counts, bound + 1.1e-9) <= -Math.log(delta));
			}),
		);
	});

	test("of nothing, and of recalls of 0, is 0", () => {
		assert.equal(bettingLowerBound(new RecallCounts(), 0.05), 0);
		assert.equal(bettingLowerBound(RecallCounts.of([0, 0, 0]), 0.05), 0);
	});

	test("of a hundred million recalls is near their mean", () => {
		const many = new RecallCounts();
		many.add(1, 99_000_000);
		many.add(0, 1_000_000);
		const bound = bettingLowerBound(many, 0.05);
		assert.ok(bound < 0.99 && bound > 0.985, `${bound}`);
	});
});
