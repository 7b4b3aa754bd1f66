import assert from "node:assert/strict";
import { test } from "node:test";
import { cellFor } from "./served.test-support.ts";
import type { ServedCell } from "./served.ts";
import type { Service } from "./serving.ts";
import { cellOf, cellStatement, certifiedRecall, exactRecall, statementFor, uncertifiedRecall } from "./statement.ts";

test("of what nothing was certified for nothing is claimed but the target", () => {
	const { target, state, queries, ...claims } = uncertifiedRecall(0.9);
	assert.deepEqual([target, state, queries], [0.9, "uncertified", 0]);
	assert.deepEqual(
		Object.entries(claims).filter(([, claim]) => claim !== null),
		[],
	);
});

test("an exact answer finds everything at the state it is of, whatever the target was", () => {
	assert.deepEqual(exactRecall(0.5, 42), {
		target: 0.5,
		state: "exact",
		estimate: 1,
		basis: null,
		confidence: null,
		queries: 0,
		cell: null,
		changeNumber: 42,
		certifiedAt: null,
	});
});

test("what two cells say together is what holds for both, and of the measurements those of one", () => {
	const narrow = cellFor({
		k: 10,
		target: 0.95,
		estimate: 0.97,
		queries: 900,
		confidence: 0.99,
		changeNumber: 9,
		certifiedAt: 9,
	});
	const wide = cellFor({
		k: 100,
		target: 0.96,
		estimate: 0.98,
		queries: 1_300,
		basis: "heldout",
		changeNumber: 5,
		certifiedAt: 5,
	});
	for (const cells of [
		[narrow, wide],
		[wide, narrow],
	] as const) {
		assert.deepEqual(certifiedRecall(0.95, "provisional", cells), {
			target: 0.95,
			state: "provisional",
			estimate: 0.98,
			basis: "heldout",
			confidence: 0.95,
			queries: 1_300,
			cell: { k: { from: 10, to: 100 }, selectivity: { from: 1, to: 1 }, target: 0.95 },
			changeNumber: 5,
			certifiedAt: 5,
		});
	}
});

function serviceOf(state: Service["state"], ...cells: readonly ServedCell[]): Service {
	return { cells, rung: cells[0]?.rung, state };
}

test("an answer claims no more than what it was served by", () => {
	const cell = cellFor();
	const exact = cellFor({ state: "refused", rung: null, rungs: [] });
	for (const [service, isExact, state] of [
		[undefined, false, "uncertified"],
		[undefined, true, "exact"],
		[serviceOf("unknown"), false, "uncertified"],
		[serviceOf("unknown"), true, "exact"],
		[serviceOf("refused", exact), false, "uncertified"],
		[serviceOf("refused", exact), true, "exact"],
		[serviceOf("certified", cell), false, "certified"],
		[serviceOf("certified", cell), true, "exact"],
		[serviceOf("provisional", cell), false, "provisional"],
		[serviceOf("stale", cell), false, "stale"],
		[serviceOf("breached", exact), false, "breached"],
		[serviceOf("breached", exact), true, "breached"],
	] as const) {
		const statement = statementFor(service, 0.93, isExact, 7);
		assert.equal(statement.state, state);
		assert.equal(statement.target, 0.93);
		const isClaim = state === "certified" || state === "provisional" || state === "stale";
		assert.equal(statement.confidence !== null, isClaim, state);
		if (state === "breached") assert.equal(statement.estimate, isExact ? 1 : null);
	}
});

test("a cell by itself is stale after a tenth, and nothing after a half; of a breached one the audits are told", () => {
	const states = [0, 0.1, 0.11, 0.5, 0.51].map((changed) => cellStatement(cellFor(), changed).state);
	assert.deepEqual(states, ["certified", "certified", "stale", "stale", "uncertified"]);
	assert.equal(cellStatement(cellFor({ state: "provisional", basis: "heldout" })).state, "provisional");
	const refused = cellStatement(cellFor({ state: "refused", rung: null, rungs: [] }));
	assert.deepEqual([refused.state, refused.estimate, refused.confidence], ["uncertified", null, null]);
	const breach = { at: 5, audits: 40, mean: 0.8 };
	const breached = cellStatement(cellFor({ state: "breached", rung: null, rungs: [], estimate: 0.8, breach }));
	assert.deepEqual([breached.state, breached.estimate, breached.confidence], ["breached", 0.8, null]);
});

test("cells and statements are the same after they were written down", () => {
	for (const cell of [
		cellFor(),
		cellFor({ state: "refused", rung: null, rungs: [], plateau: 0.71 }),
		cellFor({ k: 1, selectivity: 3 }),
	]) {
		const read = JSON.parse(JSON.stringify(cell)) as ServedCell;
		assert.deepEqual(read, cell);
		assert.deepEqual(JSON.parse(JSON.stringify(cellStatement(read))), cellStatement(cell));
		assert.deepEqual(cellOf([read]), cellOf([cell]));
	}
});
