// The coverage of the whole machinery, small: planted ladders and two real indexes through the code that the full run measures
// (npm run coverage:recall). Each bound is shown to catch a procedure that breaks it.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Collection } from "./collections.ts";
import { groupsOf } from "./groups.ts";
import { type RecallMatrix, trueMeans } from "./matrix.ts";
import { measureMatrices, TARGETS } from "./measure.ts";
import { mostWrong } from "./most-wrong.ts";
import { PLANTED, type PlantedName } from "./planted.ts";
import { POWER_CASES, powerOf } from "./power.ts";
import { asCertified, certified, type Procedure, peeking } from "./procedures.ts";
import { type Outcome, redraw } from "./redraw.ts";
import { drawRows, PILOT } from "./rows.ts";
import {
	atDelta,
	cheapestThatClears,
	peekedInterval,
	tInterval,
	withoutInterrupted,
} from "./sabotaged.test-support.ts";
import { openSearcher } from "./searcher.ts";
import { watch } from "./watch.ts";

const DELTA = 0.05;
const REDRAWS = 400;
/**
 * Wrong certificates that show nothing yet. Were every cell certified wrongly with probability delta, which is the most that is promised, one would exceed
 * this with probability 2e-6: with fewer than fifty cells below, a sound procedure fails one of the tests with probability below 1e-4, and as the seeds
 * are fixed it does so always or never.
 */
const MOST_WRONG = mostWrong(REDRAWS, DELTA, 2e-6);

/** Wrong certificates of one target of a matrix. */
function wrongOf(
	matrix: RecallMatrix,
	target: number,
	procedure: Procedure,
	queries: number,
	targets: readonly number[] = [target],
): number {
	const outcomes = redraw(matrix, { targets, delta: DELTA, redraws: REDRAWS, queries, seed: 5, procedure });
	return (outcomes.find((outcome) => outcome.target === target) as Outcome).wrong;
}

function planted(name: PlantedName, target: number, below = 20, gap?: number): RecallMatrix {
	return PLANTED[name]({ target, pool: 20_000, above: 3, below, seed: 1, ...(gap !== undefined && { gap }) });
}

describe(`planted ladders: at most ${MOST_WRONG} of ${REDRAWS} certificates are wrong`, () => {
	for (const name of Object.keys(PLANTED) as PlantedName[]) {
		for (const target of TARGETS) {
			test(`${name}, at ${target}`, () => {
				const matrix = planted(name, target);
				assert.ok(
					trueMeans(matrix).some((mean) => mean < target),
					"there is something to certify wrongly",
				);
				for (const queries of [100, 1_500]) assert.ok(wrongOf(matrix, target, certified, queries) <= MOST_WRONG);
			});
		}
	}

	for (const name of ["all or nothing, nested", "1 % at 0"] as const) {
		test(`${name}: looked at after every measurement, with targets added and resumed on the way`, () => {
			const wrong = wrongOf(planted(name, 0.95), 0.95, peeking, 600, [0.9, 0.99, 0.95]);
			assert.ok(wrong <= MOST_WRONG, `${wrong}`);
		});
	}
});

// Each on a ladder where it errs most: elsewhere it may err as seldom as the right one, or too seldom for 400 samples to tell.
describe("a procedure that is wrong exceeds that", () => {
	const cases: [what: string, procedure: Procedure, matrix: RecallMatrix, target: number, queries: number][] = [
		["the cheapest rung that clears", cheapestThatClears, planted("all or nothing", 0.9, 60), 0.9, 500],
		["a t interval", tInterval, planted("all or nothing, nested", 0.99), 0.99, 100],
		["a t interval that is looked at until it says so", peekedInterval, planted("1 % at 0", 0.95), 0.95, 1_500],
		["queries that are left out where they find nothing", withoutInterrupted, planted("1 % at 0", 0.95), 0.95, 3_000],
		["delta 0.2", atDelta(0.2), planted("all or nothing, nested", 0.9, 20, 0.00005), 0.9, 3_000],
	];
	for (const [what, procedure, matrix, target, queries] of cases) {
		test(what, () => {
			const wrong = wrongOf(matrix, target, procedure, queries);
			assert.ok(wrong > MOST_WRONG, `${wrong} of ${REDRAWS}`);
			assert.ok(wrongOf(matrix, target, certified, queries) <= MOST_WRONG, "where the right one does not");
		});
	}
});

const SMALL: readonly Collection[] = [
	{
		name: "graph",
		kind: "hnsw",
		metric: "l2",
		rows: "duplicates",
		queries: "other",
		n: 1_500,
		dimensions: 16,
		ks: [1, 10],
		M: 4,
		seed: 1,
	},
	{
		name: "cells",
		kind: "ivf",
		metric: "l2",
		rows: "mixture",
		queries: "same",
		n: 3_000,
		dimensions: 16,
		ks: [10],
		M: 16,
		seed: 2,
	},
];

/** Queries of a pool: few, and still the distribution itself, as samples are drawn from it with replacement. */
const SMALL_POOL = 4_000;

describe("real indexes", async () => {
	for (const collection of SMALL) {
		const rows = await drawRows(collection, "", SMALL_POOL);
		const searcher = await openSearcher(collection, rows.base);
		const matrices = measureMatrices(collection, rows, searcher);
		searcher.close();
		for (const matrix of matrices) {
			const options = { targets: TARGETS, delta: DELTA, redraws: REDRAWS, queries: 3_000, seed: 9 };

			test(`${collection.name}, k ${matrix.k}: certificates hold, of approximate rungs that cost little more than they have to`, () => {
				for (const outcome of redraw(matrix, { ...options, procedure: certified })) {
					assert.ok(outcome.attainable, `${outcome.target}: no rung keeps it`);
					assert.ok(outcome.wrong <= MOST_WRONG, `${outcome.target}: ${outcome.wrong}`);
					assert.equal(outcome.approximate, REDRAWS, `${outcome.target}`);
					// One answer is there or not: then 3,000 queries are too few to tell 0.99 from a little more (see the power).
					if (matrix.k > 1 || outcome.target < 0.99)
						assert.ok(outcome.costRatio <= 1.3, `${outcome.target}: ${outcome.costRatio}`);
				}
			});

			test(`${collection.name}, k ${matrix.k}: always exact is no answer`, () => {
				for (const outcome of redraw(matrix, {
					...options,
					procedure: (_, targets) => asCertified(targets.map(() => -1)),
				})) {
					assert.equal(outcome.wrong, 0);
					assert.equal(outcome.approximate, 0);
					assert.ok(outcome.costRatio > 1.3, `${outcome.target}: ${outcome.costRatio}`);
				}
			});
		}

		test(`${collection.name}: a pool falls into parts, and its pilot is not in it`, () => {
			const groups = groupsOf(rows.pool, rows.pilot, collection.dimensions);
			assert.ok(new Set(groups).size > 5);
			assert.equal(rows.pilot.length, PILOT * collection.dimensions);
			assert.equal(groups.length, SMALL_POOL);
		});
	}
});

describe("power", () => {
	// Shares of 1,000 runs are within 0.08 of the truth, 5 standard deviations of a half.
	for (const asked of POWER_CASES.filter(({ designed }) => designed !== undefined)) {
		test(`${asked.shape}, ${asked.target} at a truth of ${asked.truth}: passes by the design's numbers of queries`, () => {
			const [half, most] = powerOf(asked, { runs: 1_000, delta: DELTA, seed: 3 }).byDesign as readonly [number, number];
			assert.ok(half > 0.4 && most > 0.8, `${half} ${most}`);
			const [, strict] = powerOf(asked, { runs: 1_000, delta: DELTA / 1_000, seed: 3 }).byDesign as readonly [
				number,
				number,
			];
			assert.ok(strict < 0.8, `a test that is a thousand times as strict would be seen: ${strict}`);
		});
	}
});

describe("the watch", () => {
	// Rungs of 0.995, 0.975 and 0.955, then of 0.89. Hits that are missing here and there are the easy case: of real ladders, and of a k of 1 above all, the
	// full run tells how much later a drop is heard.
	const matrix = planted("just below", 0.95, 4, 0.06);
	const groups = new Uint8Array(20_000);

	test("hears a drop to 0.9 of hits that are missing here and there within 100 audits, and nothing in 5,000 without one", () => {
		const [outcome] = watch(matrix, groups, {
			targets: [0.95],
			delta: DELTA,
			seeds: 100,
			queries: 3_000,
			// Another than the matrix has: the same would draw just the queries that it has taken hits from.
			seed: 2,
			silentFor: 5_000,
		});
		assert.equal(outcome?.watched, 100);
		for (const { shift, watched, heard } of outcome?.shifts ?? []) {
			if (shift === "queries from another cluster") continue;
			assert.equal(watched, 100, shift);
			assert.ok(heard >= 90, `${shift}: ${heard}`);
		}
		assert.ok((outcome?.silent ?? 0) >= 90, `${outcome?.silent}`);
	});
});
