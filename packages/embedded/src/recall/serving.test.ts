import assert from "node:assert/strict";
import { test } from "node:test";
import { K_BANDS, kBandsFor, type Rung, TARGETS, targetFor, UNFILTERED } from "@nigh/recall";
import fc from "fast-check";
import { beams, cellFor, generationOf, tableFor } from "./served.test-support.ts";
import type { ServedCell } from "./served.ts";
import { Serving } from "./serving.ts";

const now = generationOf("first", 1_000);
const asked = { k: 10, recall: 0.95, matches: undefined };

function servingOf(...cells: readonly ServedCell[]): Serving {
	const serving = new Serving();
	serving.table = tableFor(cells);
	return serving;
}

test("a certificate serves the index that it is of, and no other", () => {
	const serving = servingOf(cellFor());
	assert.deepEqual(serving.serviceFor(asked, now).rung, { kind: "graph", ef: 40 });
	for (const other of ["second", undefined]) {
		assert.deepEqual(serving.serviceFor(asked, generationOf(other, 1_000)), {
			cells: [],
			rung: undefined,
			state: "unknown",
		});
	}
	assert.equal(new Serving().serviceFor(asked, now).state, "unknown");
});

test("after a change of more than a tenth it is stale, after more than a half it is none", () => {
	const serving = servingOf(cellFor({ churn: 1_000, vectors: 1_000 }));
	const stateAt = (churn: number) => serving.serviceFor(asked, generationOf("first", churn)).state;
	for (const [churn, state] of [
		[1_100, "certified"],
		[900, "certified"],
		[1_101, "stale"],
		[899, "stale"],
		[1_500, "stale"],
		[1_501, "unknown"],
		[499, "unknown"],
	] as const) {
		assert.equal(stateAt(churn), state, `${churn}`);
	}
});

test("a target between two of the grid is served by the next higher, and never by a lower one", () => {
	const serving = servingOf(cellFor({ target: 0.9, rungs: beams(20) }), cellFor({ target: 0.97, rungs: beams(80) }));
	const rungFor = (recall: number) => serving.serviceFor({ ...asked, recall }, now).rung;
	assert.deepEqual(rungFor(0.88), { kind: "graph", ef: 20 });
	assert.deepEqual(rungFor(0.9), { kind: "graph", ef: 20 });
	assert.deepEqual(rungFor(0.901), { kind: "graph", ef: 80 });
	assert.equal(rungFor(0.98), undefined);
	// Beyond the grid only the exact search will do.
	assert.equal(rungFor(0.9995), undefined);
	assert.equal(rungFor(1), undefined);
});

test("a cell of another selectivity says nothing of a filter", () => {
	const serving = servingOf(cellFor());
	assert.equal(serving.serviceFor({ ...asked, matches: 3 }, now).state, "unknown");
});

test("between two bands of k both have to be known, and the worse of two states is told", () => {
	const [ten, hundred] = [cellFor({ k: 10 }), cellFor({ k: 100, rungs: beams(200) })];
	const stateOf = (...cells: readonly ServedCell[]) => servingOf(...cells).serviceFor({ ...asked, k: 50 }, now).state;
	assert.equal(stateOf(ten), "unknown");
	assert.equal(stateOf(hundred), "unknown");
	assert.equal(stateOf(ten, hundred), "certified");
	assert.equal(stateOf(ten, { ...hundred, state: "provisional", basis: "heldout" }), "provisional");
	assert.equal(stateOf(ten, { ...hundred, state: "refused", rung: null }), "refused");
	assert.equal(
		stateOf({ ...ten, state: "breached", rung: null }, { ...hundred, state: "refused", rung: null }),
		"breached",
	);
	assert.equal(stateOf(ten, { ...hundred, churn: 800 }), "stale");
	assert.equal(stateOf(ten, { ...hundred, churn: 400 }), "unknown");
});

const graphRung = fc
	.record({
		ef: fc.integer({ min: 10, max: 400 }),
		patience: fc.option(fc.integer({ min: 1, max: 99 }), { nil: undefined }),
	})
	.map(({ ef, patience }): Rung => ({ kind: "graph", ef, ...(patience !== undefined && { patience }) }));
const cellsRung = fc
	.record({
		nprobe: fc.integer({ min: 1, max: 99 }),
		rerank: fc.option(fc.integer({ min: 200, max: 900 }), { nil: undefined }),
		budget: fc.option(fc.integer({ min: 1_000, max: 99_999 }), { nil: undefined }),
	})
	.map(
		({ nprobe, rerank, budget }): Rung => ({
			kind: "cells",
			nprobe,
			...(rerank !== undefined && { rerank }),
			...(budget !== undefined && { budget }),
		}),
	);

/** Whether a search looks at no less than another, in every respect. */
function looksAtNoLess(a: Rung, b: Rung): boolean {
	const limit = (value: number | undefined) => value ?? Number.POSITIVE_INFINITY;
	if (a.kind === "graph") return b.kind === "graph" && a.ef >= b.ef && limit(a.patience) >= limit(b.patience);
	if (b.kind !== "cells") return false;
	return a.nprobe >= b.nprobe && (a.rerank ?? 0) >= (b.rerank ?? 0) && limit(a.budget) >= limit(b.budget);
}

test("between two bands of k the search looks at no less than either certificate asks for", () => {
	const pairs = fc.oneof(fc.tuple(graphRung, graphRung), fc.tuple(cellsRung, cellsRung));
	fc.assert(
		fc.property(pairs, ([a, b]) => {
			const serving = servingOf(cellFor({ k: 10, rungs: [a] }), cellFor({ k: 100, rungs: [b] }));
			const { rung } = serving.serviceFor({ ...asked, k: 30 }, now);
			assert.ok(rung !== null && rung !== undefined);
			assert.ok(looksAtNoLess(rung, a) && looksAtNoLess(rung, b), JSON.stringify(rung));
		}),
	);
});

test("what serves is exact wherever a cell that it is held to has no rung", () => {
	const state = fc.constantFrom("certified", "provisional", "breached", "refused");
	const cells = fc.array(fc.record({ k: fc.constantFrom(...K_BANDS), target: fc.constantFrom(...TARGETS), state }), {
		maxLength: 12,
	});
	fc.assert(
		fc.property(
			cells,
			fc.integer({ min: 1, max: 4_000 }),
			fc.double({ min: 0.5, max: 1, noNaN: true }),
			(given, k, recall) => {
				const named = new Map(given.map((each) => [`${each.k}/${each.target}`, each]));
				const all = [...named.values()].map(({ k, target, state }) =>
					cellFor({
						k,
						target,
						state,
						rungs: state === "breached" || state === "refused" ? [] : beams(k + 10),
					} as Partial<ServedCell>),
				);
				const { rung, cells: held } = servingOf(...all).serviceFor({ k, recall, matches: undefined }, now);
				const wanted = kBandsFor(k).map((band) =>
					all
						.filter((cell) => cell.k === band && cell.target >= targetFor(recall))
						.sort((a, b) => a.target - b.target)
						.at(0),
				);
				if (wanted.includes(undefined)) assert.equal(rung, undefined);
				else {
					assert.deepEqual(held, wanted);
					if (wanted.some((cell) => cell?.rung === null)) assert.equal(rung, null);
					else assert.ok(rung !== null && rung !== undefined);
				}
			},
		),
	);
});

test("a filter's band is told by its share of the records that there are", () => {
	const generation = generationOf("first", 1_000);
	generation.slotEnd = 50;
	const serving = servingOf(cellFor({ selectivity: 0 }), cellFor({ selectivity: UNFILTERED, rungs: beams(90) }));
	assert.equal(serving.serviceFor({ ...asked, matches: 25 }, generation).state, "certified");
	assert.equal(serving.serviceFor({ ...asked, matches: 24 }, generation).state, "unknown");
	assert.deepEqual(serving.serviceFor(asked, generation).rung, { kind: "graph", ef: 90 });
});
