import assert from "node:assert/strict";
import { test } from "node:test";
import { markdownReport } from "./markdown.ts";
import { point, reportOf, result, TWO_ENGINES } from "./report.test-support.ts";

/** The cells of every line that is part of a table. */
const tableLines = (text: string) => text.split("\n").filter((line) => line.startsWith("|"));
const cellsOf = (line: string) => line.split(/(?<!\\)\|/).slice(1, -1);

test("markdownReport names what makes the figures again: set, command, machine", () => {
	const text = markdownReport(reportOf(TWO_ENGINES), "made-1000x8.svg");
	assert.match(
		text,
		/^## made-1000x8\n\nMade for a test\. 1,000 vectors of 8 dimensions under l2, 1,000 queries; k 10, /,
	);
	assert.match(text, /^`npm run bench -- --set generated --peers other`$/m);
	assert.match(text, /^Machine: A CPU, 2 cores, 24 GiB, linux x64; Node 24\.0\.0, V8 13\.6\.$/m);
	assert.match(text, /^!\[recall@10 against queries a second on made-1000x8\]\(made-1000x8\.svg\)$/m);
});

test("markdownReport has tables of whole rows, whatever an engine says of itself", () => {
	const odd = result("odd", [point("odd", 1, 0.9, 1)], { about: "one | two\nthree" });
	const lines = tableLines(markdownReport(reportOf([odd]), "x.svg"));
	const widths = lines.map((line) => cellsOf(line).length);
	assert.deepEqual(widths, [7, 7, 7, 6, 6, 6, 8, 8, 8]);
	assert.ok(lines.some((line) => line.includes(" one \\| two three ")));
});

test("markdownReport escapes the plot's address and states what failed on one line", () => {
	const text = markdownReport(reportOf(TWO_ENGINES, { failures: { broken: "first\nsecond" } }), "a b.svg");
	assert.match(text, /\(a%20b\.svg\)/);
	assert.match(text, /^\*\*broken failed:\*\* first second$/m);
});
