import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { NighError } from "@nigh/contract";
import { readJsonl } from "@nigh/formats";
import fc from "fast-check";
import { temporaryFolder } from "../temporary-folder.test-support.ts";
import { lineOfRow } from "./line-of-row.ts";

test("blank lines are no rows, as for the reader", async (t) => {
	const folder = temporaryFolder(t, { "a.jsonl": '\n{"vector":[1]}\r\n \t\r\n\u2028' });
	const path = join(folder, "a.jsonl");
	assert.deepEqual([await lineOfRow(path, 0), await lineOfRow(path, 1), await lineOfRow(path, 2)], [2, 4, undefined]);
});

test("a bad row is found where the reader finds it", async (t) => {
	const folder = temporaryFolder(t);
	const path = join(folder, "a.jsonl");
	const line = fc.constantFrom("", " ", "\r", '{"vector":[1],"text":"\u2028"}');
	await fc.assert(
		fc.asyncProperty(fc.array(line), async (lines) => {
			const content = Buffer.from([...lines, "bad"].join("\n"));
			writeFileSync(path, content);
			const row = lines.filter((each) => each.startsWith("{")).length;
			const found = await lineOfRow(path, row);
			await assert.rejects(
				async () => {
					for await (const _ of readJsonl([content]));
				},
				({ details }: NighError) => details.row === row && details.line === found,
			);
		}),
		{ numRuns: 50 },
	);
});
