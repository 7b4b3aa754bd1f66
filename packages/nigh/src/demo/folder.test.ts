import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "../temporary-folder.test-support.ts";
import { isOwnRepository, readTexts, repositoryFolder } from "./folder.ts";

test("Markdown and TypeScript files are read in the order of their paths, whatever must not be read is passed over", async (t) => {
	const folder = temporaryFolder(t, {
		"b.ts": "b",
		"a.MD": "a",
		"sub folder/c.tsx": "c",
		"sub folder/d.mts": "d",
		".hidden/x.md": "x",
		"node_modules/x/x.md": "x",
		"sub folder/dist/x.ts": "x",
		"generated/x.ts": "x",
		"x.js": "x",
		md: "x",
		"exactly.md": "y".repeat(1024 * 1024),
		"large.md": "x".repeat(1024 * 1024 + 1),
	});
	const files = await readTexts(folder);
	assert.deepEqual(
		files.map(({ path, kind, text }) => [path, kind, text[0]]),
		[
			["a.MD", "markdown", "a"],
			["b.ts", "typescript", "b"],
			["exactly.md", "markdown", "y"],
			["sub folder/c.tsx", "typescript", "c"],
			["sub folder/d.mts", "typescript", "d"],
		],
	);
});

test("a folder that is not there, or is a file, is refused by name", async (t) => {
	const folder = temporaryFolder(t, { "a.md": "a" });
	await assert.rejects(readTexts(join(folder, "none")), { code: "NOT_FOUND", message: /There is no folder .*none\./ });
	await assert.rejects(readTexts(join(folder, "a.md")), {
		code: "INVALID_OPTION",
		message: /a\.md is a file; name the folder/,
	});
});

test("the repository is the nearest folder upward with .git or with a manifest that has workspaces", async (t) => {
	const folder = temporaryFolder(t, {
		"package.json": '{ "name": "nigh-workspace", "workspaces": ["packages/*"] }',
		"packages/a/package.json": '{ "name": "a" }',
		"packages/a/src/a.ts": "",
		"packages/broken/package.json": "{",
	});
	assert.equal(await repositoryFolder(join(folder, "packages", "a", "src")), folder);
	assert.equal(await repositoryFolder(join(folder, "packages", "broken")), folder);
	mkdirSync(join(folder, "packages", ".git"));
	assert.equal(await repositoryFolder(join(folder, "packages", "a")), join(folder, "packages"));
	assert.equal(await isOwnRepository(folder), true);
	assert.equal(await isOwnRepository(join(folder, "packages", "a")), false);
});
