import assert from "node:assert/strict";
import { existsSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { testFolder } from "./folder.test-support.ts";
import { makeFolders } from "./make-folders.ts";

test("folders are made with those above them, and the topmost that was is told", (t) => {
	const folder = testFolder(t);
	assert.equal(makeFolders(folder), undefined);
	assert.equal(makeFolders(join(folder, "a", "b", "c")), join(folder, "a"));
	assert.ok(existsSync(join(folder, "a", "b", "c")));
	assert.equal(makeFolders(join(folder, "a", "b", "d")), join(folder, "a", "b", "d"));
	assert.equal(makeFolders(join(folder, "a", "b")), undefined);
});

test("where a file or a link to nowhere is in the way, the system says so", (t) => {
	const folder = testFolder(t);
	writeFileSync(join(folder, "file"), "");
	symlinkSync(join(folder, "nowhere"), join(folder, "link"));
	assert.throws(() => makeFolders(join(folder, "file")), { code: "EEXIST" });
	assert.throws(() => makeFolders(join(folder, "file", "in it")), { code: "ENOTDIR" });
	assert.throws(() => makeFolders(join(folder, "link")), { code: "EEXIST" });
});

test("where the system denies a folder that is there, making one in it ends", () => {
	// Other systems have no such folder, and make none at the root for a test.
	if (process.platform !== "linux") return;
	assert.throws(() => makeFolders("/proc/nigh/deep"), { code: "ENOENT" });
});
