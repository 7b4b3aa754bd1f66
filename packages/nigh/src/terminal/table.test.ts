import assert from "node:assert/strict";
import { test } from "node:test";
import { grouped, shareText, tableRows } from "./table.ts";

test("cells stand under their titles, on the side that the column says, in the width that it needs", () => {
	const { header, row } = tableRows([
		{ title: "name", align: "left", width: 6 },
		{ title: "n", align: "right", width: 5 },
		{ title: "long title", align: "right" },
	]);
	assert.equal(header, "name        n  long title");
	assert.equal(row(["ab", "12", "3"]), "ab         12           3");
});

test("large numbers are grouped, and a share is cut rather than rounded", () => {
	assert.equal(grouped(1_234_567.4), "1,234,567");
	assert.deepEqual([0, 0.57, 0.99999, 1].map(shareText), ["0.0000", "0.5700", "0.9999", "1.0000"]);
});
