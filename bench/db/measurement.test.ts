import assert from "node:assert/strict";
import { test } from "node:test";
import { type Figure, keeps, markdownOf } from "./measurement.ts";

const figure = (value: number, target?: Figure["target"]): Figure => ({
	what: "search",
	value,
	unit: "ms",
	...(target !== undefined && { target }),
});

test("a target is kept up to its limit and missed beyond; without one there is nothing to keep", () => {
	assert.equal(keeps(figure(5, { atMost: 5 })), true);
	assert.equal(keeps(figure(5.001, { atMost: 5 })), false);
	assert.equal(keeps(figure(5, { atLeast: 5 })), true);
	assert.equal(keeps(figure(4.999, { atLeast: 5 })), false);
	assert.equal(keeps(figure(Number.NaN, { atMost: 5 })), false);
	assert.equal(keeps(figure(5)), undefined);
});

test("a figure reads no better than it is, and says whether it is what it has to be", () => {
	const figures = [
		figure(5.001, { atMost: 5 }),
		figure(0.94999, { atLeast: 0.95 }),
		figure(12_345.6, { atLeast: 10_000 }),
		figure(31.41),
	];
	assert.equal(
		markdownOf({ title: "Opening", about: ["How."], figures }),
		[
			"### Opening",
			"",
			"How.",
			"",
			"| what | measured | target | kept |",
			"|---|--:|--:|---|",
			"| search | 5.01 ms | <= 5 | **NO** |",
			"| search | 0.9499 ms | >= 0.95 | **NO** |",
			"| search | 12,345 ms | >= 10,000 | yes |",
			"| search | 31.5 ms |  |  |",
		].join("\n"),
	);
});

test("figures of the same things are a row for each and a column for each thing", () => {
	const of = (row: string, what: string, value: number, target?: Figure["target"]): Figure => ({
		...{ of: row, what, value, unit: "us" },
		...(target !== undefined && { target }),
	});
	const figures = [of("a", "p50", 2), of("a", "p99", 4, { atMost: 3 }), of("b", "p99", 3), figure(1)];
	assert.equal(
		markdownOf({ title: "T", about: [], figures }).split("\n\n").at(-1),
		["|  | p50, us | p99, us, <= 3 |", "|---|--:|--:|", "| a | 2 | 4 **NO** |", "| b |  | 3 |"].join("\n"),
	);
});
