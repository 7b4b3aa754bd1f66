import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { runChild, testFolder } from "./folder.test-support.ts";
import { makeTemporaryFolder } from "./temporary.ts";

const CHILD = "make-temporary.test-support.ts";

test("is empty, another one each time, and gone after remove", (t) => {
	const parent = testFolder(t);
	const [first, second] = [makeTemporaryFolder(parent), makeTemporaryFolder(parent)];
	assert.notEqual(first.path, second.path);
	assert.deepEqual(readdirSync(first.path), []);
	writeFileSync(join(first.path, "file"), "");
	first.remove();
	first.remove();
	assert.deepEqual([existsSync(first.path), existsSync(second.path)], [false, true]);
	second.remove();
	assert.throws(() => makeTemporaryFolder(join(parent, "nowhere")), { code: "NOT_FOUND" });
});

test("goes when the process ends", async (t) => {
	const child = runChild(t, CHILD, testFolder(t));
	const path = await child.line();
	assert.ok(existsSync(path));
	await child.end();
	assert.equal(existsSync(path), false);
});

test("what a killed process left goes with the next one; what lives, and what is not Nigh's, stays", async (t) => {
	const parent = testFolder(t);
	mkdirSync(join(parent, "nigh-temporary-1-abcdef"));
	const [dead, living] = [runChild(t, CHILD, parent), runChild(t, CHILD, parent)];
	const [deadPath, livingPath] = [await dead.line(), await living.line()];
	await dead.kill();
	assert.ok(existsSync(join(deadPath, "file")));
	makeTemporaryFolder(parent).remove();
	assert.equal(existsSync(deadPath), false);
	assert.ok(existsSync(join(livingPath, "file")));
	assert.ok(existsSync(join(parent, "nigh-temporary-1-abcdef")));
	await living.end();
});
