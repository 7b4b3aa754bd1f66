import assert from "node:assert/strict";
import { test } from "node:test";
import { temporaryFolder, writeFiles } from "../temporary-folder.test-support.ts";
import { checkMachinePaths, findMachinePaths } from "./machine-paths.ts";

// Put together here: the guard reads this file too.
const HOMES = [
	["", "home", "ada", "nigh"],
	["", "Users", "ada", "nigh"],
	["", "root", "nigh"],
].map((parts) => parts.join("/"));

test("somebody's home folder is found, with its line", () => {
	for (const home of [...HOMES, ["C:", "Users", "ada"].join("\\")]) {
		const problems = findMachinePaths(`a\nsee ${home}/notes\n`);
		assert.equal(problems.length, 1, home);
		assert.match(problems[0] as string, /^2: names /);
	}
});

test("an ordinary absolute or relative path is not", () => {
	assert.deepEqual(findMachinePaths("/usr/bin/env node\n./data/home.txt\n/etc/hosts\nhttps://a.example/home/\n"), []);
});

test("the folder of the checkout is found in visible and hidden files, but not in node_modules or dist", (t) => {
	const folder = temporaryFolder(t);
	const text = `cd "${folder}"\n`;
	const files = {
		"docs/a.md": text,
		".ci/run": text,
		".hidden": text,
		"node_modules/a.md": text,
		"packages/a/dist/a.js": text,
	};
	writeFiles(folder, files);
	assert.deepEqual(
		checkMachinePaths(folder).map((problem) => problem.split(":")[0]),
		[".ci/run", ".hidden", "docs/a.md"],
	);
});
