import assert from "node:assert/strict";
import { test } from "node:test";
import { BOUNDS } from "@nigh/contract";
import { cellFor } from "../recall/served.test-support.ts";
import { inWords, type RecallFacts, recallAdvice } from "./recall-advice.ts";

const REFUSED = cellFor({ state: "refused", rung: null, rungs: [], plateau: 0.71, queries: 600 });

function adviceOf(given: Partial<RecallFacts>) {
	const reasons = recallAdvice({ cells: [], tooSlow: [], latencyMs: null, kind: "hnsw", parameters: {}, ...given });
	for (const { status, message, recommendation } of reasons) {
		assert.equal(status, "degraded");
		assert.ok(message !== "" && recommendation !== "");
	}
	return reasons;
}

test("of what is certified there is nothing to say, nor of what only more queries can tell", () => {
	const { plateau: _, ...early } = REFUSED;
	assert.deepEqual(adviceOf({ cells: [cellFor(), cellFor({ state: "provisional" }), early] }), []);
});

test("a drop that was found is told with what found it", () => {
	const breach = { at: Date.UTC(2026, 0, 2), audits: 40, mean: 0.8 };
	const [reason, ...others] = adviceOf({ cells: [cellFor({ state: "breached", rung: null, rungs: [], breach })] });
	assert.equal(others.length, 0);
	assert.equal(reason?.code, "recall-breached");
	assert.match(reason?.message ?? "", /2026-01-02.*0\.95.*40 found 0\.800/);
});

test("a plateau is told with an index that finds more, which may be built", () => {
	const rebuilt = (kind: RecallFacts["kind"], parameters: RecallFacts["parameters"]) => {
		const [reason] = adviceOf({ cells: [REFUSED], kind, parameters });
		assert.equal(reason?.code, "recall-unreachable");
		assert.match(reason?.message ?? "", /0\.710 .* 600 queries/);
		return reason?.recommendation ?? "";
	};
	assert.match(rebuilt("hnsw", { M: 16, efConstruction: 100 }), /M: 24, efConstruction: 200/);
	const [, M, efConstruction] =
		/M: (\d+), efConstruction: (\d+)/.exec(rebuilt("hnsw", { M: 190, efConstruction: 3_900 })) ?? [];
	assert.ok(Number(M) <= BOUNDS.M.max && Number(efConstruction) <= BOUNDS.efConstruction.max);
	assert.ok(Number(efConstruction) >= 2 * Number(M));
	assert.match(rebuilt("ivfrabitq", { bits: BOUNDS.rabitqBits.max }), new RegExp(`bits: ${BOUNDS.rabitqBits.max}`));
	assert.match(rebuilt("ivfpq", {}), /ivfrabitq/);
	assert.match(rebuilt("ivf", {}), /hnsw/);
});

test("a recall that takes longer than is wanted is told with both times", () => {
	const cell = { k: { from: 10, to: 10 }, selectivity: { from: 0.1, to: 0.2 }, target: 0.95 };
	const [reason] = adviceOf({ tooSlow: [{ cell, meanMs: 12.345 }], latencyMs: 5 });
	assert.equal(reason?.code, "recall-too-slow");
	assert.match(reason?.message ?? "", /12\.3 ms .* 5 ms/);
	assert.equal(inWords(cell), "searches for k = 10 with filters that match 10 % to 20 %");
	assert.equal(
		inWords({ ...cell, k: { from: 10, to: 100 }, selectivity: { from: 1, to: 1 } }),
		"searches for k from 10 to 100",
	);
});
