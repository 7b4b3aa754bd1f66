import assert from "node:assert/strict";
import { test } from "node:test";
import type { RecallStatement } from "@nigh/contract";
import { open } from "../open.ts";
import { factLines } from "../terminal/facts.ts";
import { factsOf } from "./stats.ts";

test("what is certified is told below the recall that is asked for, a line each", async (t) => {
	const database = await open(":memory:");
	t.after(() => database.close());
	const notes = await database.collection("notes", { dimensions: 2, recall: 0.9 });
	const stats = await notes.stats();
	const statement = (k: number): RecallStatement => ({
		target: 0.9,
		state: "certified",
		estimate: 0.93,
		basis: "queries",
		confidence: 0.95,
		queries: 200,
		cell: { k: { from: k, to: k }, selectivity: { from: 1, to: 1 }, target: 0.9 },
		changeNumber: 7,
		certifiedAt: 1,
	});
	const lines = factLines(factsOf({ ...stats, recall: [statement(1), statement(10)] }));
	const at = lines.indexOf("recall      0.9 asked for");
	assert.deepEqual(lines.slice(at + 1, at + 3), [
		"            recall@1 of at least 0.9 certified (95 % confidence, 200 queries, mean 0.930, change 7)",
		"            recall@10 of at least 0.9 certified (95 % confidence, 200 queries, mean 0.930, change 7)",
	]);
	assert.deepEqual(factLines(factsOf({ ...stats, recall: [] })).length, lines.length - 2);
});
