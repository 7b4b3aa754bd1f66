import assert from "node:assert/strict";
import { test } from "node:test";
import { limits } from "./limits.ts";

const found = limits({ scale: 0.004, data: "", onStep() {} });

test("every weakness is measured, and flat, which all are judged by, is exact in each", async () => {
	const { rows, checks, markdown } = await found;
	const names = [...new Set(rows.map(({ weakness }) => weakness))];
	const all = "small sets,far queries,filters,large k,codes alone,lengths,no structure,metrics,writes,alike";
	assert.deepEqual(names, all.split(","));
	assert.equal(markdown.match(/^### /gm)?.length, names.length);
	assert.deepEqual(
		checks.map(({ holds }) => holds),
		[true],
	);
	for (const { recall, p50Us } of rows) {
		if (recall !== undefined) assert.ok(Number(recall) >= 0 && Number(recall) <= 1 && Number(p50Us) > 0);
	}
});

test("what is known beforehand shows: codes alone find less than codes with re-ranking, and equal vectors cannot be trained on", async () => {
	const { rows } = await found;
	for (const index of ["ivfpq", "ivfrabitq, 1 bit"]) {
		const of = (name: string) =>
			Number(rows.find((row) => row.weakness === "codes alone" && row.index === index && row.case === name)?.recall);
		assert.ok(of("codes alone") < of("200 again"), index);
	}
	const alike = rows.filter(({ weakness, distinct }) => weakness === "alike" && distinct === 1);
	assert.deepEqual(
		alike.map(({ outcome }) => outcome),
		["NOT_TRAINED", "NOT_TRAINED", "NOT_TRAINED"],
	);
	const differ = rows.filter(({ weakness, distinct }) => weakness === "alike" && distinct === 1_000);
	for (const { outcome } of differ) assert.match(String(outcome), /cells differ/);
});
