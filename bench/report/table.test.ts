import assert from "node:assert/strict";
import { test } from "node:test";
import { reportOf, TWO_ENGINES } from "./report.test-support.ts";
import { tableReport } from "./table.ts";

test("tableReport names the set and the machine, and aligns every table", () => {
	const lines = tableReport(reportOf(TWO_ENGINES)).split("\n");
	assert.equal(lines[0], "made-1000x8: 1,000 vectors, 8 dimensions, l2, 1,000 queries");
	assert.equal(lines[1], "A CPU, 2 cores, 24 GiB, linux x64; Node 24.0.0, V8 13.6");
	const header = lines.findIndex((line) => line.includes("recall@10"));
	const ends = (line: string) => line.indexOf("recall@10") + "recall@10".length;
	for (const row of lines.slice(header + 1, header + 7)) {
		assert.match(row.slice(0, ends(lines[header] as string)), / 0\.\d{4}$/);
	}
});

test("tableReport states what failed", () => {
	const text = tableReport(reportOf(TWO_ENGINES, { failures: { broken: "it ended without an answer" } }));
	assert.match(text, /^broken failed: it ended without an answer$/m);
});
