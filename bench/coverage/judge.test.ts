import assert from "node:assert/strict";
import { test } from "node:test";
import type { Collection, SearchResult } from "@nigh/contract";
import { answersTo, recallOfAnswers } from "./judge.ts";

const STATEMENT = { target: 0.9, state: "certified", estimate: 0.92, queries: 300, certifiedAt: 1 } as const;

/** A collection that gives these answers, one after the other: what is told of them beside a usual statement and plan. */
function answering(answers: readonly { recall?: object; plan?: object; ids?: readonly string[] }[]) {
	let next = 0;
	const search = async () => {
		const { recall, plan, ids = [] } = answers[next++] as (typeof answers)[number];
		return {
			hits: ids.map((id) => ({ id })),
			recall: { ...STATEMENT, ...recall },
			plan: { strategy: "index", ef: 20, durationMs: next, ...plan },
		} as never as SearchResult;
	};
	return { search } as never as Pick<Collection, "search">;
}

const QUERIES = [Float32Array.of(0, 0), Float32Array.of(3, 3)];
const ASKED = { k: 2, recall: 0.9 };

test("answers of one certificate are taken in the order of the queries", async () => {
	const { state, setting, labels } = await answersTo(answering([{ ids: ["1", "0"] }, { ids: ["2"] }]), QUERIES, ASKED);
	assert.deepEqual([state, setting], ["certified", "index, ef 20"]);
	assert.deepEqual(labels, [new Set([0, 1]), new Set([2])]);
});

test("another certificate in between, another setting, and an alarm are refused", async () => {
	for (const other of [
		{ recall: { queries: 301 } },
		{ recall: { certifiedAt: 2 } },
		{ recall: { state: "exact" } },
		{ recall: { state: "breached" } },
		{ plan: { ef: 19 } },
		{ plan: { strategy: "scan" } },
	]) {
		await assert.rejects(answersTo(answering([{}, other]), QUERIES, ASKED), /by another certificate in between/);
	}
	await assert.rejects(answersTo(answering([]), [], ASKED), /no query to judge by/);
});

test("the recall is the share of the nearest that was found: a tie counts, a farther one and a missing one do not", () => {
	// From (0, 0): 1, 2, 2 (a tie), 9. From (3, 3): rows 3, then 1 and 2.
	const base = Float32Array.of(1, 0, 0, 1.5, 1.5, 0, 3, 3);
	const options = { base, queries: Float32Array.of(0, 0, 3, 3), dimensions: 2, k: 2 };
	const recall = (...labels: number[][]) =>
		recallOfAnswers(
			labels.map((each) => new Set(each)),
			options,
		);
	assert.equal(recall([0, 1], [3, 1]), 1);
	assert.equal(recall([0, 2], [3, 2]), 1);
	assert.equal(recall([0, 3], [3]), 0.5);
	assert.equal(recall([], []), 0);
});
