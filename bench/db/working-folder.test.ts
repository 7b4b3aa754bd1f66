import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { inWorkingFolder } from "./working-folder.ts";

test("what is made in the folder is gone afterwards, and so is the data folder where it was made for it", async (t) => {
	const outer = mkdtempSync(join(tmpdir(), "nigh-bench-folder-"));
	t.after(() => rmSync(outer, { recursive: true }));
	const data = join(outer, "data");
	const result = await inWorkingFolder(data, async (folder) => {
		assert.equal(dirname(folder), data);
		writeFileSync(join(folder, "file"), "content");
		return 42;
	});
	assert.equal(result, 42);
	assert.ok(!existsSync(data));
});

test("a data folder that was there stays, also where the work fails", async (t) => {
	const data = mkdtempSync(join(tmpdir(), "nigh-bench-folder-"));
	t.after(() => rmSync(data, { recursive: true }));
	mkdirSync(join(data, "other"));
	const failing = inWorkingFolder(data, async () => {
		throw new Error("no");
	});
	await assert.rejects(failing, /^Error: no$/);
	assert.deepEqual(readdirSync(data), ["other"]);
});
