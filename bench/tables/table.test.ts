import assert from "node:assert/strict";
import { test } from "node:test";
import { madeSet, scaledCount, tableOf } from "./table.ts";

const options = { scale: 0.05, data: "data", onStep() {} };

test("a scale takes its share of the vectors, and at least 200 or all of them", () => {
	assert.equal(scaledCount(100_000, 1), 100_000);
	assert.equal(scaledCount(100_000, 0.05), 5_000);
	assert.equal(scaledCount(60_000, 0.33333), 20_000);
	assert.equal(scaledCount(1_000, 0.05), 200);
	assert.equal(scaledCount(150, 0.05), 150);
});

test("only the vectors of a set are scaled", () => {
	assert.deepEqual(madeSet("uniform", { n: 100_000, dimensions: 128, metric: "l2" }, options), {
		set: "uniform",
		n: 5_000,
		dimensions: 128,
		metric: "l2",
		data: "data",
		queries: 1_000,
		seed: 1,
		k: 10,
	});
});

test("a table has its section: title, how, figures, and whether the checks hold", () => {
	const { markdown, ...table } = tableOf({
		name: "t",
		title: "Title",
		about: ["How.", "And where."],
		rows: [{ a: 1 }],
		cells: {
			columns: [
				{ title: "name", align: "left" },
				{ title: "a|b", align: "right" },
			],
			rows: [["x", "1"]],
		},
		checks: [
			{ promise: "it is small", holds: true },
			{ promise: "it is right", holds: false },
		],
	});
	assert.deepEqual(table, {
		name: "t",
		about: ["How.", "And where."],
		rows: [{ a: 1 }],
		checks: [
			{ promise: "it is small", holds: true },
			{ promise: "it is right", holds: false },
		],
	});
	assert.equal(
		markdown,
		"## Title\n\nHow.\n\nAnd where.\n\n| name | a\\|b |\n|---|--:|\n| x | 1 |\n\n- yes: it is small\n- **NO**: it is right",
	);
});

test("a table without checks ends with its figures", () => {
	const cells = { columns: [{ title: "a", align: "right" as const }], rows: [] };
	const { markdown } = tableOf({ name: "t", title: "Title", about: [], rows: [], cells, checks: [] });
	assert.equal(markdown, "## Title\n\n| a |\n|--:|");
});

test("further tables follow under headings of their own, before the checks", () => {
	const cells = { columns: [{ title: "a", align: "right" as const }], rows: [["1"]] };
	const { markdown } = tableOf({
		name: "t",
		title: "Title",
		about: [],
		rows: [],
		parts: [{ title: "Part", about: ["Why."], cells }],
		checks: [{ promise: "it is right", holds: true }],
	});
	assert.equal(markdown, "## Title\n\n### Part\n\nWhy.\n\n| a |\n|--:|\n| 1 |\n\n- yes: it is right");
});
