// What must be true of every answer to a search.
import { compareIds } from "../ids.ts";
import { INDEX_KINDS } from "../index-spec.ts";
import { type Distance, scoreOf } from "../metric.ts";
import { RECALL_STATES, type RecallStatement } from "../recall.ts";
import type { Hit, SearchResult } from "../search.ts";
import type { Ranked, Space } from "./oracle.ts";
import type { Setting } from "./setting.ts";
import type { Assert } from "./suite.ts";

/** What an answer is held against. */
export interface Expected {
	/** All that match, in the exact order. */
	readonly ranked: readonly Ranked[];
	readonly k: number;
	readonly space: Space;
	/** What was searched for, for messages. */
	readonly note?: string;
}

/**
 * Checks an answer that has to be exact: min(k, matches) hits, in order, with the right distances and scores. Which of several records is taken
 * is open only where their exact distances are equal, up to the tolerance.
 */
export function checkExactAnswer({ assert }: Pick<Setting, "assert">, result: SearchResult, expected: Expected): void {
	const { ranked, note = "" } = expected;
	checkAnswer(assert, result, expected);
	const exact = new Map(ranked.map((each) => [each.id, each]));
	for (const [i, hit] of result.hits.entries()) {
		const found = exact.get(hit.id) as Ranked;
		const best = ranked[i] as Ranked;
		const isTie = Math.abs(found.distance - best.distance) <= found.tolerance + best.tolerance;
		const where = `${note}: hit ${i} is ${JSON.stringify(hit.id)} at ${found.distance}`;
		assert.ok(isTie, `${where}, but ${JSON.stringify(best.id)} at ${best.distance} belongs there`);
	}
}

/**
 * Checks an answer as far as it must be right whatever its recall is. Returns how many of the hits are among the nearest.
 */
export function checkApproximateAnswer(
	{ assert }: Pick<Setting, "assert">,
	result: SearchResult,
	expected: Expected,
): number {
	checkAnswer(assert, result, expected);
	const { ranked, k } = expected;
	const last = ranked[Math.min(k, ranked.length) - 1];
	const exact = new Map(ranked.map((each) => [each.id, each]));
	const isNear = ({ id }: Hit) =>
		last !== undefined && (exact.get(id)?.distance ?? Infinity) <= last.distance + last.tolerance;
	return result.hits.filter(isNear).length;
}

function checkAnswer(assert: Assert, result: SearchResult, { ranked, k, space, note = "" }: Expected): void {
	const { hits } = result;
	checkEvidence(assert, result);
	assert.equal(hits.length, Math.min(k, ranked.length), `${note}: number of hits`);
	const left = new Map(ranked.map((each) => [each.id, each]));
	for (const [i, hit] of hits.entries()) {
		const where = `${note}: hit ${i}, ${JSON.stringify(hit.id)},`;
		const exact = left.get(hit.id);
		if (exact === undefined) assert.fail(`${where} does not match or comes twice`);
		left.delete(hit.id);
		const off = Math.abs(hit.distance - exact.distance);
		assert.ok(off <= exact.tolerance, `${where} is said to be at ${hit.distance}, but it is at ${exact.distance}`);
		checkScore(assert, hit, space, where);
		const before = hits[i - 1];
		if (before === undefined) continue;
		const inOrder =
			before.distance < hit.distance || (before.distance === hit.distance && compareIds(before.id, hit.id) < 0);
		assert.ok(inOrder, `${where} at ${hit.distance} stands behind ${JSON.stringify(before.id)} at ${before.distance}`);
	}
}

/** Checks that a hit's score is the one that belongs to its distance. */
export function checkScore(assert: Assert, hit: Hit, { metric, dimensions }: Space, where: string): void {
	const score = scoreOf(metric, hit.distance as Distance, dimensions);
	const isRight = Math.abs(hit.score - score) <= 1e-6 * Math.max(1, Math.abs(score));
	assert.ok(isRight, `${where} has the score ${hit.score}; the one of its distance is ${score}`);
}

/** Checks what comes with the hits: the statement about the recall, the plan, the change number. */
export function checkEvidence(assert: Assert, { recall, plan, changeNumber, error }: SearchResult): void {
	checkStatement(assert, recall);
	assert.ok(["index", "filtered-index", "filtered-scan", "scan"].includes(plan.strategy), `strategy ${plan.strategy}`);
	assert.ok(INDEX_KINDS.includes(plan.index), `index ${plan.index} in the plan`);
	assert.equal(typeof plan.cutShort, "boolean", "plan.cutShort");
	for (const count of [plan.ef, plan.nprobe, plan.rerank, plan.rows, plan.cells, plan.matches]) {
		assert.ok(count === undefined || (Number.isSafeInteger(count) && count >= 0), `a count of the plan is ${count}`);
	}
	assert.ok(plan.durationMs >= 0, `plan.durationMs is ${plan.durationMs}`);
	assert.ok(Number.isSafeInteger(changeNumber) && changeNumber >= 0, `changeNumber is ${changeNumber}`);
	assert.equal(error, undefined, "error of a search that was answered");
	if (plan.cutShort) assert.equal(recall.state, "uncertified", "recall.state of a search that was cut short");
}

/** Checks that a statement about the recall says what belongs to its state, and is the same after a trip through JSON. */
export function checkStatement(assert: Assert, statement: RecallStatement): void {
	const { target, state, estimate, basis, confidence, queries, cell, changeNumber, certifiedAt } = statement;
	const said = { target, state, estimate, basis, confidence, queries, cell, changeNumber, certifiedAt };
	assert.deepEqual(
		JSON.parse(JSON.stringify(statement)),
		said,
		"a statement must survive JSON: null where nothing is known",
	);
	assert.ok(RECALL_STATES.includes(state), `recall.state is ${state}`);
	assert.ok(target >= 0.5 && target <= 1, `recall.target is ${target}`);
	assert.ok(estimate === null || (estimate >= 0 && estimate <= 1), `recall.estimate is ${estimate}`);
	assert.ok(Number.isSafeInteger(queries) && queries >= 0, `recall.queries is ${queries}`);
	if (state === "exact") assert.equal(estimate, 1, "recall.estimate of an exact answer");
	if (cell !== null) {
		assert.ok(cell.k.from >= 1 && cell.k.from <= cell.k.to, "recall.cell.k");
		const { from, to } = cell.selectivity;
		assert.ok(from >= 0 && from <= to && to <= 1, "recall.cell.selectivity");
		assert.ok(cell.target >= 0.5 && cell.target <= 1, "recall.cell.target");
	}
	if (state !== "certified" && state !== "provisional") return;
	assert.equal(basis, state === "certified" ? "queries" : "heldout", `recall.basis of a ${state} answer`);
	assert.ok(confidence !== null && confidence >= 0.5 && confidence < 1, `recall.confidence is ${confidence}`);
	assert.ok(queries > 0, "a certificate rests on queries");
	for (const known of [cell, changeNumber, certifiedAt]) assert.ok(known !== null, "a certificate says what it is of");
}
