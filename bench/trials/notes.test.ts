import assert from "node:assert/strict";
import { test } from "node:test";
import type { Comparison, Side } from "./compare.ts";
import { rowsOf, trialRow, trialTable } from "./notes.ts";
import type { Trial } from "./trial.ts";

const side = (us: number, buildSeconds: number): Side => ({
	buildSeconds,
	bytes: 1,
	points: [
		{ ef: 10, recall: 0.9, us },
		{ ef: 20, recall: 0.95, us: 2 * us },
	],
});
const trial = (name: string): Trial => ({ name, title: `what | ${name}`, base: "abc1234", verdict: "no", patch: "" });
const made: Comparison = { set: "made-100x8", before: side(30, 6), after: side(20, 3), speed: [] };

test("a row says how many times as fast the change is at a recall, and builds, and what was not reached", () => {
	assert.equal(
		trialRow(trial("wide"), [made], ["made", "real"]),
		"| wide (of abc1234) | what \\| wide | 1.50 | not reached | 2.00 | - | - | - | no |",
	);
});

test("rows are read back from a table, one is put in the place of another, and the rest stay", () => {
	const row = (name: string) => trialRow(trial(name), [made], ["made"]);
	const rows = rowsOf(
		trialTable(
			new Map([
				["b-2", row("b-2")],
				["a.1", row("a.1")],
			]),
			["made"],
		),
	);
	assert.deepEqual([...rows.keys()], ["a.1", "b-2"]);
	const again = trialTable(rows.set("b-2", row("b-2").replace("1.50", "9.99")), ["made"]);
	assert.equal(rowsOf(again).get("a.1"), row("a.1"));
	assert.match(rowsOf(again).get("b-2") as string, /9\.99/);
	assert.equal(rowsOf("no table").size, 0);
});
