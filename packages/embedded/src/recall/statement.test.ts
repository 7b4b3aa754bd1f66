import assert from "node:assert/strict";
import { test } from "node:test";
import { exactRecall, uncertifiedRecall } from "./statement.ts";

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
