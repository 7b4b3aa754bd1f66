import assert from "node:assert/strict";
import { test } from "node:test";
import { assertNear } from "../near.test-support.ts";
import { binomialAtMost, incompleteBeta } from "./beta.ts";
import { exactAtMost, summedAtMost } from "./exact-binomial.test-support.ts";

const SHARES = [0.001, 0.01, 0.1, 0.25, 0.5, 0.77, 0.95, 0.999];

test("the incomplete beta function has its closed forms", () => {
	for (const x of SHARES) {
		for (const b of [1, 2, 7.5, 300]) {
			assertNear(incompleteBeta(x, 1, b), -Math.expm1(b * Math.log1p(-x)), 1e-11, `I_${x}(1, ${b})`);
			assertNear(incompleteBeta(x, b, 1), x ** b, 1e-11, `I_${x}(${b}, 1)`);
		}
		assertNear(incompleteBeta(x, 0.5, 0.5), (2 / Math.PI) * Math.asin(Math.sqrt(x)), 1e-11);
		for (const [a, b] of [
			[3, 8],
			[120, 7],
			[0.3, 2],
		] as const)
			assertNear(incompleteBeta(x, a, b) + incompleteBeta(1 - x, b, a), 1, 1e-12, `I_${x}(${a}, ${b})`);
	}
	for (const a of [0.5, 1, 10, 1_000, 100_000]) assertNear(incompleteBeta(0.5, a, a), 0.5, 1e-8);
	assert.equal(incompleteBeta(0, 3, 4), 0);
	assert.equal(incompleteBeta(1, 3, 4), 1);
});

test("binomial tails are those that whole numbers give exactly", () => {
	for (const n of [1, 2, 5, 17, 60, 200]) {
		for (const p of [1, 3, 8, 12, 15]) {
			for (const x of new Set([0, 1, n >> 2, n >> 1, n - 1])) {
				assertNear(
					binomialAtMost(x, n, p / 16),
					Math.min(1, exactAtMost(x, n, p, 16)),
					1e-10,
					`P(Bin(${n}, ${p}/16) <= ${x})`,
				);
			}
		}
	}
});

test("binomial tails of a hundred thousand draws are those of sums", () => {
	for (const [n, p] of [
		[10_000, 0.05],
		[100_000, 0.01],
		[100_000, 0.5],
	] as const) {
		const spread = Math.sqrt(n * p * (1 - p));
		for (const sigmas of [-5, -2, 0, 2]) {
			const x = Math.round(n * p + sigmas * spread);
			assertNear(binomialAtMost(x, n, p), summedAtMost(x, n, p), 1e-7, `P(Bin(${n}, ${p}) <= ${x})`);
		}
	}
});

test("a binomial is never below 0, and always at most n", () => {
	assert.equal(binomialAtMost(-1, 5, 0.5), 0);
	assert.equal(binomialAtMost(5, 5, 0.5), 1);
	assert.equal(binomialAtMost(0, 5, 0), 1);
	assert.equal(binomialAtMost(4, 5, 1), 0);
});
