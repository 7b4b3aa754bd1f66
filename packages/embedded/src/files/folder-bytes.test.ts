import assert from "node:assert/strict";
import fs, { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { test } from "node:test";
import { testFolder } from "../folder/folder.test-support.ts";
import { folderBytes } from "./folder-bytes.ts";

test("an empty folder has no bytes, others those of their own files, not of folders and links in them", (t) => {
	const folder = testFolder(t);
	assert.equal(folderBytes(folder), 0);
	writeFileSync(join(folder, "a"), new Uint8Array(10));
	writeFileSync(join(folder, "bé"), new Uint8Array(70_000));
	writeFileSync(join(folder, "empty"), "");
	assert.equal(folderBytes(folder), 70_010);
	mkdirSync(join(folder, "inner"));
	writeFileSync(join(folder, "inner", "c"), new Uint8Array(5));
	symlinkSync(join(folder, "a"), join(folder, "link"));
	assert.equal(folderBytes(folder), 70_010);
	assert.equal(folderBytes(join(folder, "inner")), 5);
});

test("a file that goes between the listing and the look at it is passed over", (t) => {
	const folder = testFolder(t);
	for (const name of ["a", "b"]) writeFileSync(join(folder, name), new Uint8Array(3));
	const original = fs.statSync;
	t.mock.method(fs, "statSync", (path: string, options: object) => {
		if (path.endsWith("a")) rmSync(path, { force: true });
		return original(path, options);
	});
	syncBuiltinESMExports();
	try {
		assert.equal(folderBytes(folder), 3);
	} finally {
		t.mock.restoreAll();
		syncBuiltinESMExports();
	}
});

test("a folder that is not there is told as such", (t) => {
	assert.throws(() => folderBytes(join(testFolder(t), "nowhere")), { code: "ENOENT" });
});
