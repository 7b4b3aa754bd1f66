import assert from "node:assert/strict";
import { test } from "node:test";
import { assertNear } from "../near.test-support.ts";
import { clopperPearson } from "./clopper-pearson.ts";
import { binomialMasses, summedAtMost } from "./exact-binomial.test-support.ts";

test("is the share at which as few would be seen with probability delta", () => {
	for (const n of [1, 10, 500, 20_000]) {
		for (const x of new Set([0, 1, n >> 3, n - 1])) {
			if (x >= n) continue;
			// The bisection ends at 1e-12, which beside 1 - p of 5e-9 is not nothing.
			for (const delta of [0.2, 0.05, 1e-4])
				assertNear(summedAtMost(x, n, clopperPearson(x, n, delta)), delta, 1e-4, `${x} of ${n}`);
		}
	}
});

test("3 of 500 are at most 1.543 %", () => {
	assertNear(clopperPearson(3, 500, 0.05), 0.01543, 3e-4);
});

test("none of n has its closed form", () => {
	assertNear(clopperPearson(0, 100, 0.05), 1 - 0.05 ** (1 / 100), 1e-9);
});

test("nothing is known of nothing, nor where all had it", () => {
	assert.equal(clopperPearson(0, 0, 0.05), 1);
	assert.equal(clopperPearson(7, 7, 0.05), 1);
});

test("covers every share with at least 1 - delta, added up over all outcomes", () => {
	const [n, delta] = [40, 0.05];
	const bounds = Array.from({ length: n + 1 }, (_, x) => clopperPearson(x, n, delta));
	for (let step = 1; step < 200; step++) {
		const p = step / 200;
		const missed = binomialMasses(n, p).reduce((sum, mass, x) => sum + ((bounds[x] as number) < p ? mass : 0), 0);
		assert.ok(missed <= delta, `${p}: ${missed}`);
	}
});
