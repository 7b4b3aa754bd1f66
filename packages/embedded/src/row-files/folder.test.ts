import assert from "node:assert/strict";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { isNighError } from "@nigh/contract";
import { testFolder } from "../folder/folder.test-support.ts";
import { keyOfRowFile, newRowFile, removeAllRows, removeForeignRows, removeUnused } from "./folder.ts";

const NAMES = ["1-00000000000000aa", "1-00000000000000bb", "2-00000000000000aa", "11-00000000000000aa"].map(
	(name) => `${name}.nigh-rows`,
);
const OTHERS = [
	"1-3.nigh-snapshot",
	"01-00000000000000aa.nigh-rows",
	"1-00000000000000AA.nigh-rows",
	"1-0000000000000aa.nigh-rows",
	"1-00000000000000aa.nigh-rows.bak",
	"x1-00000000000000aa.nigh-rows",
	"99999999999999999999-00000000000000aa.nigh-rows",
];

function filled(t: Parameters<typeof testFolder>[0]): string {
	const folder = testFolder(t);
	for (const name of [...NAMES, ...OTHERS]) writeFileSync(join(folder, name), "");
	mkdirSync(join(folder, "1-00000000000000cc.nigh-rows"));
	return folder;
}

/** Removes, and says which of the names are left; nothing else may be gone. */
function assertLeft(folder: string, gone: string[], left: string[]): void {
	const expected = NAMES.filter((name) => !left.includes(name));
	assert.deepEqual(gone.sort(), expected.map((name) => join(folder, name)).sort());
	assert.deepEqual(readdirSync(folder).sort(), [...left, ...OTHERS, "1-00000000000000cc.nigh-rows"].sort());
}

test("a new name is one of the collection, and another one each time", () => {
	assert.equal(keyOfRowFile(newRowFile(12)), 12);
	assert.notEqual(newRowFile(12), newRowFile(12));
	for (const key of [0, -1, 1.5, 2 ** 53])
		assert.throws(
			() => newRowFile(key),
			(e) => isNighError(e, "INVALID_OPTION"),
		);
	for (const name of OTHERS) assert.equal(keyOfRowFile(name), undefined, name);
});

test("what nobody has any more is removed, of one collection alone", (t) => {
	const folder = filled(t);
	const keep = new Set([NAMES[1] as string, "1-00000000000000dd.nigh-rows"]);
	assertLeft(folder, removeUnused(folder, 1, keep), NAMES.slice(1));
});

test("the files of collections that are not there are removed", (t) => {
	const folder = filled(t);
	assertLeft(folder, removeForeignRows(folder, new Set([2, 3])), [NAMES[2] as string]);
});

test("all are removed, and nothing else", (t) => {
	const folder = filled(t);
	assertLeft(folder, removeAllRows(folder), []);
});

test("a folder that is not there has no row files", (t) => {
	const folder = join(testFolder(t), "nowhere");
	assert.deepEqual(removeUnused(folder, 1, new Set()), []);
	assert.deepEqual(removeForeignRows(folder, new Set()), []);
	assert.deepEqual(removeAllRows(folder), []);
});
