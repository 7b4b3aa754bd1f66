import assert from "node:assert/strict";
import { test } from "node:test";
import { temporaryFolder } from "../temporary-folder.test-support.ts";
import { passagesOf } from "./folder-passages.ts";

test("passages come file by file, from Markdown and from TypeScript", async (t) => {
	const folder = temporaryFolder(t, { "b.md": "# One\n\nFirst.\n\n# Two\n\nSecond.\n", "a.ts": "const a = 1;\n" });
	const { passages, leftOut } = await passagesOf(folder);
	assert.deepEqual(
		passages.map(({ file, line }) => [file, line]),
		[
			["a.ts", 1],
			["b.md", 3],
			["b.md", 7],
		],
	);
	assert.equal(leftOut, 0);
});

test("of too many passages whole files are left out, and one more file changes little of which", async (t) => {
	const files = Array.from(
		{ length: 20 },
		(_, at) => [`${at}.md`, `# One\n\nText ${at}.\n\n# Two\n\nMore.\n`] as const,
	);
	const before = await passagesOf(temporaryFolder(t, Object.fromEntries(files)), 21);
	assert.deepEqual([before.passages.length, before.leftOut], [20, 10]);
	const kept = new Set(before.passages.map(({ file }) => file));
	assert.equal(kept.size, 10, "each of them with both of its passages");
	const after = await passagesOf(temporaryFolder(t, Object.fromEntries([...files, ["new.md", "# N\n\nNew.\n"]])), 21);
	const gone = [...kept].filter((file) => !after.passages.some((passage) => passage.file === file));
	assert.ok(gone.length <= 1, gone.join());
});

test("a file that is too much by itself is taken all the same, so that there is something to search", async (t) => {
	const folder = temporaryFolder(t, { "a.md": "# One\n\nFirst.\n\n# Two\n\nSecond.\n" });
	assert.equal((await passagesOf(folder, 1)).passages.length, 2);
});

test("a folder without text is refused", async (t) => {
	await assert.rejects(passagesOf(temporaryFolder(t, { "a.md": "***", "b.txt": "word" })), {
		code: "NOT_FOUND",
		message: /has no Markdown or TypeScript file with text in it/,
	});
});
