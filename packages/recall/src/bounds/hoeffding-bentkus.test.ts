import assert from "node:assert/strict";
import { test } from "node:test";
import { assertNear } from "../near.test-support.ts";
import { RecallCounts } from "./counts.ts";
import { binomialMasses, summedAtMost } from "./exact-binomial.test-support.ts";
import { hoeffdingBentkus } from "./hoeffding-bentkus.ts";

function counts(pairs: readonly (readonly [recall: number, times: number])[]): RecallCounts {
	const made = new RecallCounts();
	for (const [recall, times] of pairs) made.add(recall, times);
	return made;
}

/** Both formulas as the paper has them; `misses` is ceil(n r), known by construction. */
function direct(n: number, r: number, misses: number, a: number): number {
	const x = Math.min(r, a);
	const h = (x === 0 ? 0 : x * Math.log(x / a)) + (1 - x) * Math.log((1 - x) / (1 - a));
	return Math.min(1, Math.exp(-n * h), Math.E * summedAtMost(misses, n, a));
}

test("20 of 1,000 that found nothing, against 0.95: 2.08e-6", () => {
	const sample = counts([
		[1, 980],
		[0, 20],
	]);
	assertNear(hoeffdingBentkus(sample, 0.95), 2.08e-6, 2e-3);
	assertNear(hoeffdingBentkus(sample, 0.95), Math.E * summedAtMost(20, 1_000, 0.05), 1e-8);
});

test("is the smaller of both formulas", () => {
	for (const target of [0.5, 0.9, 0.95, 0.999]) {
		for (const tenths of [0, 1, 7, 40, 300, 2_000, 5_000]) {
			// So many tenths are missed by 1,000 queries, each at recall@10.
			const whole = Math.floor(tenths / 10);
			const sample = counts([
				[1, 1_000 - whole - (tenths % 10)],
				[0, whole],
				[0.9, tenths % 10],
			]);
			const p = hoeffdingBentkus(sample, target);
			assertNear(p, direct(1_000, tenths / 10_000, Math.ceil(tenths / 10), 1 - target), 1e-7, `${target} ${tenths}`);
		}
	}
});

test("a whole number of misses that decimals add up to is not taken for the next one", () => {
	// 0.1 ten times over is 0.9999999999999999 of a miss, or a little more than one.
	for (let tens = 1; tens < 60; tens++) {
		const sample = counts([
			[1, 5_000],
			[0.9, 10 * tens],
		]);
		const n = sample.size;
		assertNear(hoeffdingBentkus(sample, 0.99), direct(n, tens / n, tens, 0.01), 1e-7);
	}
});

test("one missing hit of 4,000 is a miss begun, however many queries there are", () => {
	const sample = counts([
		[1, 5_999_999],
		[1 - 1 / 4_000, 1],
	]);
	const a = 1e-6;
	const [p, hoeffding] = [hoeffdingBentkus(sample, 1 - a), (1 - a) ** 6_000_000];
	assert.ok(p >= hoeffding, `${p}`);
	// e P(Bin(6e6, 1e-6) <= 1) = e 7 exp(-6) = 0.0472 is more than Hoeffding says, e P(.. <= 0) = 0.0067 would be less than the half of it.
	assertNear(p, Math.exp(-6) * Math.exp((1 / 4_000) * (1 + Math.log(6 * 4_000))), 1e-3);
});

test("says nothing of nothing, of a sample below the target, or of a target of 1", () => {
	assert.equal(hoeffdingBentkus(new RecallCounts(), 0.95), 1);
	assert.equal(hoeffdingBentkus(counts([[0, 50]]), 0.95), 1);
	assert.equal(hoeffdingBentkus(counts([[0.9, 500]]), 0.95), 1);
	assert.equal(hoeffdingBentkus(counts([[1, 500]]), 1), 1);
});

test("is a p-value at the target, added up over all outcomes of all-or-nothing queries", () => {
	for (const [n, target] of [
		[50, 0.9],
		[400, 0.95],
	] as const) {
		const masses = binomialMasses(n, 1 - target);
		for (const delta of [0.01, 0.05, 0.2]) {
			const refused = masses.reduce((sum, mass, misses) => {
				const sample = counts([
					[1, n - misses],
					[0, misses],
				]);
				return sum + (hoeffdingBentkus(sample, target) <= delta ? mass : 0);
			}, 0);
			assert.ok(refused <= delta, `${n} ${target} ${delta}: ${refused}`);
		}
	}
});
