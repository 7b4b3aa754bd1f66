import assert from "node:assert/strict";
import { test } from "node:test";
import { temporaryFolder } from "./temporary-folder.test-support.ts";
import { listPackages } from "./workspace.ts";

test("packages come in the order in which they can be built, unknown ones last", (t) => {
	const manifest = (name: string) => JSON.stringify({ name, version: "0.1.0" });
	const folder = temporaryFolder(t, {
		"packages/a/package.json": manifest("nigh"),
		"packages/b/package.json": manifest("@nigh/threads"),
		"packages/c/package.json": manifest("@nigh/unheard-of"),
		"packages/d/package.json": manifest("@nigh/contract"),
		"packages/e/package.json": manifest("@nigh/index"),
		"packages/notes/readme.md": "no package",
	});
	const names = listPackages(folder).map(({ name }) => name);
	assert.deepEqual(names, ["@nigh/contract", "@nigh/index", "@nigh/threads", "nigh", "@nigh/unheard-of"]);
});
