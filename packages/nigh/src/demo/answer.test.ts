import assert from "node:assert/strict";
import { test } from "node:test";
import type { RecallStatement, SearchPlan } from "@nigh/contract";
import { hashedNgrams } from "@nigh/embed";
import { open } from "../open.ts";
import { answer, evidenceLine } from "./answer.ts";
import { carryOut, planChanges } from "./bring-up-to-date.ts";
import type { PassageMetadata } from "./database.ts";

test("the nearest passages come with their place, an excerpt without the heading, and the evidence", async (t) => {
	const database = await open(":memory:");
	t.after(() => database.close());
	const passages = await database.collection<PassageMetadata>("passages", { embedder: hashedNgrams() });
	const bread = { file: "a.md", line: 3, headings: ["Bread"], text: "Rye bread is baked hot." };
	const wheel = { file: "b.md", line: 7, headings: [], text: "True the wheels." };
	await carryOut(await planChanges(passages, [bread, wheel]), passages, () => {});

	const { question, hits, recall, plan } = await answer(passages, "baking bread");
	assert.equal(question, "baking bread");
	assert.deepEqual(
		hits.map(({ file, line, excerpt }) => [file, line, excerpt]),
		[
			["a.md", 3, "Rye bread is baked hot."],
			["b.md", 7, "True the wheels."],
		],
	);
	const [first, second] = hits;
	assert.ok(first !== undefined && second !== undefined && first.score > second.score);
	assert.deepEqual([recall.state, plan.strategy], ["exact", "scan"]);
});

test("the evidence is told in one line", () => {
	const recall: RecallStatement = {
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
	const plan: SearchPlan = { strategy: "index", index: "hnsw", ef: 80, cutShort: false, durationMs: 1.26 };
	assert.equal(
		evidenceLine({ recall, plan }),
		"uncertified: recall of 0.95 asked for; plan: index (hnsw, ef 80), 1.3 ms",
	);
	assert.equal(
		evidenceLine({ recall: { ...recall, state: "certified", estimate: 0.973 }, plan }),
		"recall of at least 0.95 certified (mean 0.973); plan: index (hnsw, ef 80), 1.3 ms",
	);
	assert.equal(
		evidenceLine({
			recall: { ...recall, state: "exact", estimate: 1 },
			plan: { strategy: "scan", index: "flat", cutShort: false, durationMs: 0.04 },
		}),
		"exact; plan: scan (flat), 0.0 ms",
	);
});
