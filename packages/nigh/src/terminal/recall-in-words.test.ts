import assert from "node:assert/strict";
import { test } from "node:test";
import { RECALL_STATES, type RecallStatement } from "@nigh/contract";
import { recallInWords } from "./recall-in-words.ts";

const UNKNOWN: RecallStatement = {
	target: 0.95,
	state: "uncertified",
	estimate: null,
	basis: null,
	confidence: null,
	queries: 0,
	cell: null,
	changeNumber: null,
	certifiedAt: null,
};
const CERTIFIED: RecallStatement = {
	target: 0.95,
	state: "certified",
	estimate: 0.9629,
	basis: "queries",
	confidence: 0.95,
	queries: 431,
	cell: { k: { from: 10, to: 10 }, selectivity: { from: 1, to: 1 }, target: 0.95 },
	changeNumber: 12_345,
	certifiedAt: 0,
};

test("each state is told with what is known, and with nothing else", () => {
	const cell = { k: { from: 10, to: 100 }, selectivity: { from: 0.1, to: 0.2 }, target: 0.95 };
	const told: readonly (readonly [statement: RecallStatement, words: string])[] = [
		[{ ...UNKNOWN, state: "exact", estimate: 1, changeNumber: 3 }, "exact"],
		[CERTIFIED, "recall@10 of at least 0.95 certified (95 % confidence, 431 queries, mean 0.962, change 12,345)"],
		[
			{ ...CERTIFIED, cell, confidence: 0.9999, estimate: 0.999_99 },
			"recall@10 to 100 of at least 0.95 where a filter matches 10 to 20 % certified (99.99 % confidence, 431 queries, mean 0.999, change 12,345)",
		],
		[
			{ ...CERTIFIED, state: "provisional", basis: "heldout", queries: 1_000 },
			"provisional: recall@10 of at least 0.95 (95 % confidence, 1,000 held-out vectors, mean 0.962, change 12,345)",
		],
		[
			{ ...CERTIFIED, state: "stale", queries: 1 },
			"stale: recall@10 of at least 0.95 was certified, and too much has changed since (95 % confidence, 1 query, mean 0.962, change 12,345)",
		],
		[
			{ ...CERTIFIED, state: "breached", estimate: 1 },
			"breached: recall@10 of at least 0.95 was certified, and is no longer kept; searches take the safe way until it is certified anew (95 % confidence, 431 queries, mean 1.000, change 12,345)",
		],
		[UNKNOWN, "uncertified: recall of 0.95 asked for"],
		[
			{ ...UNKNOWN, estimate: 0.912, queries: 400, cell: { ...cell, selectivity: { from: 0, to: 0.001 } } },
			"uncertified: recall@10 to 100 of 0.95 asked for where a filter matches 0 to 0.1 % (mean 0.912)",
		],
		[{ ...UNKNOWN, queries: 1_079 }, "uncertified: recall of 0.95 asked for"],
		[{ ...UNKNOWN, queries: 40, basis: "queries" }, "uncertified: recall of 0.95 asked for (40 queries)"],
		[
			{ ...UNKNOWN, state: "breached", queries: 40 },
			"breached: recall of at least 0.95 was certified, and is no longer kept; searches take the safe way until it is certified anew (40 queries)",
		],
	];
	for (const [statement, words] of told) assert.equal(recallInWords(statement), words);
	const states = new Set(told.map(([{ state }]) => state));
	assert.deepEqual(
		RECALL_STATES.filter((state) => !states.has(state)),
		[],
	);
});
