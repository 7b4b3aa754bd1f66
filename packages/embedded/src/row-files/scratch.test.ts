import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { dirname } from "node:path";
import { test } from "node:test";
import { isNighError } from "@nigh/contract";
import { testFolder } from "../folder/folder.test-support.ts";
import { RowFiles } from "./read.ts";
import { FRONT, OWNER, range, rowsOf, written } from "./row-files.test-support.ts";
import { ScratchRows } from "./scratch.ts";

test("rows of the database and of the process's own are read as one, and the own ones go with it", async (t) => {
	const [folder, temporary] = [testFolder(t), testFolder(t)];
	const saved = await written(folder, FRONT, 5);
	const scratch = new ScratchRows({ ...FRONT, from: 5 }, temporary);
	const files = new RowFiles(folder, FRONT.rowBytes, [saved, scratch.segment], OWNER);
	assert.deepEqual(readdirSync(temporary), [], "nothing is made before the first row");
	files.open();
	scratch.begin().append(rowsOf(range(5, 5), FRONT.rowBytes));
	files.extend([saved, scratch.segment]);
	const rows = new Uint8Array(10 * FRONT.rowBytes);
	files.readSync(0, 10, rows);
	assert.ok(rowsOf(range(0, 10), FRONT.rowBytes).equals(rows));
	assert.deepEqual(readdirSync(folder), [saved.file]);
	assert.equal(dirname(scratch.begin().path), scratch.segment.folder);
	assert.ok(existsSync(scratch.begin().path));
	await files.close();
	await scratch.close();
	await scratch.close();
	assert.deepEqual(readdirSync(temporary), []);
});

test("where nothing can be made, nothing is left", (t) => {
	const temporary = testFolder(t);
	assert.throws(
		() => new ScratchRows({ ...FRONT, rowBytes: 0 }, temporary).begin(),
		(e) => isNighError(e, "INVALID_OPTION"),
	);
	assert.deepEqual(readdirSync(temporary), []);
});
