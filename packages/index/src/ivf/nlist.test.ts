import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BOUNDS } from "@nigh/contract";
import fc from "fast-check";
import { refusal } from "../refusal.test-support.ts";
import { randomNumbers } from "../vectors.test-support.ts";
import {
	cellFill,
	checkNlist,
	chooseNlist,
	hasDrifted,
	NLIST_RULES,
	type NlistChoice,
	type NlistRule,
	nlistCeiling,
} from "./nlist.ts";

const RULES = Object.keys(NLIST_RULES) as NlistRule[];

/** What each rule is published to give, or follows by hand from how it is published: vectors, cells. */
const TABLE: Readonly<Record<NlistRule, readonly (readonly [n: number, nlist: number])[]>> = {
	adaptive: [
		[50, 10],
		[389, 10],
		[429, 11],
		[1_000, 25],
		[2_000, 51],
		[5_000, 128],
		[9_984, 256],
		[16_384, 256],
		[20_000, 282],
		[50_000, 447],
		[150_000, 774],
		[1_000_000, 2_000],
	],
	nanoindex: [
		[50, 5],
		[99, 9],
		[100, 100],
		[150_000, 100],
	],
	"memevolve-headline": [
		[50, 10],
		[390, 10],
		[1_000, 25],
		[50_000, 1_282],
	],
	"memevolve-env": [
		[50, 10],
		[1_000, 25],
		[2_000, 51],
		[5_000, 128],
		[50_000, 256],
	],
	"memevolve-method": [
		[50, 5],
		[99, 5],
		[100, 10],
		[499, 12],
		[500, 24],
		[1_000, 50],
		[1_999, 100],
		[2_000, 102],
		[5_000, 256],
		[20_000, 256],
		[50_000, 256],
	],
	"memevolve-create": [
		[390, 10],
		[779, 19],
		[780, 20],
		[3_900, 100],
	],
	"memevolve-retrain": [
		[389, 10],
		[390, 10],
		[779, 10],
		[780, 20],
		[50_000, 1_280],
	],
	chromatica: [
		[100, 100],
		[50_000, 100],
	],
	"chromatica-note": [
		[50, 50],
		[50_000, 50],
	],
	"chromatica-script": [
		[1_000, 512],
		[1_024, 1_024],
		[16_383, 8_192],
		[1_000_000, 16_384],
	],
};

describe("M-4: the number of cells", () => {
	for (const rule of RULES) {
		test(`the rule ${rule} gives its table, and the choice says rule, n, cells and vectors a cell`, () => {
			for (const [n, nlist] of TABLE[rule]) {
				assert.deepEqual(chooseNlist(rule, n), { rule, n, nlist, vectorsPerCell: n / nlist });
			}
		});
	}

	test("the creation and retraining rules disagree from 390 to 779, as they did, with the capacity of 50,000 they had", () => {
		for (const n of [390, 500, 779]) {
			assert.equal(chooseNlist("memevolve-create", n, 50_000).nlist, 20);
			assert.equal(chooseNlist("memevolve-retrain", n, 50_000).nlist, 10);
		}
		assert.equal(chooseNlist("memevolve-create", 389, 50_000).nlist, 10);
	});

	test("the default keeps at least 10 cells and at most the ceiling, which grows with the capacity (X10)", () => {
		fc.assert(
			fc.property(fc.integer({ min: 10, max: 10_000_000 }), fc.integer({ min: 1, max: 20_000_000 }), (n, capacity) => {
				const { nlist } = chooseNlist("adaptive", n, capacity);
				const ceiling = nlistCeiling(Math.max(n, capacity));
				assert.ok(nlist >= 10 && nlist <= ceiling, `${nlist} of ${ceiling}`);
				assert.ok(nlist === 10 || nlist === ceiling || Math.floor(n / nlist) >= 39);
			}),
		);
		assert.deepEqual([1, 16_384, 50_000, 1_000_000, 10_000_000].map(nlistCeiling), [256, 256, 447, 2_000, 6_324]);
		assert.equal(chooseNlist("adaptive", 100_000, 10_000_000).nlist, 2_564);
	});

	test("every rule gives a whole number of cells, from 1 to the number of vectors and within the bounds", () => {
		fc.assert(
			fc.property(fc.constantFrom(...RULES), fc.integer({ min: 1, max: 10_000_000 }), (rule, n) => {
				const { nlist, vectorsPerCell, asked } = chooseNlist(rule, n);
				assert.ok(Number.isInteger(nlist) && nlist >= 1 && nlist <= Math.min(n, BOUNDS.nlist.max), `${nlist}`);
				assert.equal(vectorsPerCell, n / nlist);
				assert.ok(asked === undefined || asked > n);
			}),
		);
	});
});

describe("N-3: the number of cells that is asked for", () => {
	test("200 are 200, and the rule is called given", () => {
		for (const n of [200, 201, 150_000]) {
			assert.deepEqual(chooseNlist(200, n), { rule: "given", n, nlist: 200, vectorsPerCell: n / 200 });
		}
	});

	test("with fewer vectors than cells there is one for ten, and the choice says how many were asked for", () => {
		assert.deepEqual(chooseNlist(200, 199), { rule: "given", n: 199, nlist: 19, vectorsPerCell: 199 / 19, asked: 200 });
		assert.deepEqual(chooseNlist("chromatica", 50), {
			rule: "chromatica",
			n: 50,
			nlist: 5,
			vectorsPerCell: 10,
			asked: 100,
		});
		assert.deepEqual(chooseNlist("adaptive", 9), { rule: "adaptive", n: 9, nlist: 1, vectorsPerCell: 9, asked: 10 });
		assert.equal(chooseNlist(200, 0).nlist, 1);
	});

	test("a number out of bounds and a name that is no rule are refused", () => {
		for (const nlist of [0, -1, 1.5, Number.NaN, 1_000_001, "10", "", "toString", null, true, {}]) {
			const { details } = refusal("INVALID_OPTION", () => checkNlist(nlist));
			assert.equal(details.field, "nlist");
		}
		assert.match(refusal("INVALID_OPTION", () => checkNlist("adaptve")).message, /adaptive/);
		for (const rule of [...RULES, 1, 1_000_000]) assert.equal(checkNlist(rule), rule);
	});
});

const trainedFor = (rule: NlistRule, n: number, capacity?: number): NlistChoice => chooseNlist(rule, n, capacity);

describe("M-5: drift", () => {
	test("a quarter off triggers just one rebuild", () => {
		const trained = trainedFor("adaptive", 2_000);
		assert.equal(trained.nlist, 51);
		// 64 cells of 51 are more than a quarter too many; 63 are not yet.
		assert.ok(!hasDrifted(trained, 2_495));
		assert.ok(hasDrifted(trained, 2_500));
		const again = trainedFor("adaptive", 2_500);
		assert.ok(!hasDrifted(again, 2_500));
		let rebuilds = 0;
		let now = trained;
		for (let n = 2_000; n <= 2_600; n++) {
			if (!hasDrifted(now, n)) continue;
			rebuilds++;
			now = trainedFor("adaptive", n);
		}
		assert.equal(rebuilds, 1);
	});

	test("it is seen where vectors have gone, too", () => {
		const trained = trainedFor("adaptive", 2_000);
		assert.ok(!hasDrifted(trained, 1_521));
		assert.ok(hasDrifted(trained, 1_481));
	});

	test("a number of cells that was given never drifts, nor does a rule that asks for as many as before", () => {
		assert.ok(!hasDrifted(chooseNlist(10, 1_000), 1_000_000));
		assert.ok(!hasDrifted(trainedFor("chromatica", 1_000), 1_000_000));
		assert.ok(!hasDrifted(trainedFor("memevolve-method", 5_000), 50_000));
	});

	for (const rule of RULES) {
		test(`${rule}: no oscillation where n goes to and fro about a boundary`, () => {
			for (const at of [99, 100, 389, 390, 499, 500, 779, 780, 1_999, 2_000, 1_024, 9_984, 16_384]) {
				for (const reach of [1, 2, 10]) {
					for (const capacity of [undefined, 50_000]) {
						let trained = trainedFor(rule, at, capacity);
						let rebuilds = 0;
						for (let step = 0; step < 200; step++) {
							const n = at + (step % (2 * reach + 1)) - reach;
							if (!hasDrifted(trained, n, capacity)) continue;
							rebuilds++;
							trained = trainedFor(rule, n, capacity);
						}
						assert.ok(rebuilds <= 1, `${rebuilds} rebuilds about ${at} (${reach}), capacity ${capacity}`);
					}
				}
			}
		});
	}

	test("a random walk with retraining: after each, nothing happens before n has moved a quarter", () => {
		fc.assert(
			fc.property(
				fc.constantFrom(...RULES),
				fc.integer({ min: 1, max: 1_000_000 }),
				fc.constantFrom(50, 389, 390, 499, 500, 1_999, 2_000, 9_984, 40_000),
				fc.constantFrom(0.002, 0.02, 0.1),
				(rule, seed, start, pace) => {
					const random = randomNumbers(seed);
					let trained = trainedFor(rule, start);
					let n: number = start;
					for (let step = 0; step < 300; step++) {
						n = Math.max(1, Math.round(n * (1 + pace * (2 * random() - 1)) + Math.round(2 * random() - 1)));
						const { nlist } = chooseNlist(rule, n);
						if (!hasDrifted(trained, n)) {
							const isOff = Math.abs(nlist - trained.nlist) >= 0.25 * trained.nlist;
							assert.ok(!isOff || Math.abs(n - trained.n) < 0.25 * trained.n, `${nlist}, made ${trained.nlist}`);
							continue;
						}
						assert.ok(Math.abs(n - trained.n) >= 0.25 * trained.n, `${trained.n} to ${n}`);
						assert.ok(Math.abs(nlist - trained.nlist) >= 0.25 * trained.nlist, `${trained.nlist} to ${nlist}`);
						trained = trainedFor(rule, n);
						assert.ok(!hasDrifted(trained, n));
					}
				},
			),
		);
	});
});

describe("M-7: the words of a health report", () => {
	test("101 vectors a cell are DEGRADED, 9 INEFFICIENT, 10 to 100 OPTIMAL, no cells GOOD", () => {
		for (const nlist of [10, 20, 50]) {
			assert.equal(cellFill(101 * nlist, nlist), "DEGRADED");
			assert.equal(cellFill(9 * nlist, nlist), "INEFFICIENT");
			assert.equal(cellFill(10 * nlist, nlist), "OPTIMAL");
			assert.equal(cellFill(100 * nlist, nlist), "OPTIMAL");
		}
		for (const n of [0, 9, 1_000_000]) assert.equal(cellFill(n, undefined), "GOOD");
	});

	test("X10: the number of cells that adaptive chooses is never called DEGRADED, whatever the size and the capacity", () => {
		fc.assert(
			fc.property(fc.integer({ min: 1, max: 10_000_000 }), fc.integer({ min: 1, max: 10_000_000 }), (n, capacity) => {
				assert.notEqual(cellFill(n, chooseNlist("adaptive", n).nlist), "DEGRADED");
				assert.notEqual(cellFill(n, chooseNlist("adaptive", n, capacity).nlist, capacity), "DEGRADED");
				if (n >= 100) assert.equal(cellFill(n, chooseNlist("adaptive", n).nlist), "OPTIMAL");
			}),
			{ numRuns: 2_000 },
		);
		for (const n of [1, 25_600, 25_601, 50_000, 1_000_000, 10_000_000]) {
			assert.notEqual(cellFill(n, chooseNlist("adaptive", n).nlist), "DEGRADED", `${n}`);
		}
	});

	test("X10: nor is an index of adaptive that has grown, before it is time to train it anew", () => {
		for (let n = 100; n <= 10_000_000; n = Math.ceil(1.07 * n)) {
			const trained = trainedFor("adaptive", n);
			let grown = n;
			while (!hasDrifted(trained, grown) && grown < 4 * n) {
				assert.notEqual(cellFill(grown, trained.nlist), "DEGRADED", `trained for ${n}, grown to ${grown}`);
				grown = Math.ceil(1.02 * grown);
			}
		}
	});

	test("cells as the origin had them, 256 for 50,000, are told from what suits that size", () => {
		assert.equal(cellFill(50_000, 256), "OPTIMAL");
		assert.equal(cellFill(50_000, 100), "DEGRADED");
		assert.equal(cellFill(50_000, 16_384), "INEFFICIENT");
	});
});
