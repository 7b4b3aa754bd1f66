import assert from "node:assert/strict";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { isNighError } from "@nigh/contract";
import { testFolder } from "../folder/folder.test-support.ts";
import { listSnapshots, removeForeign, removeOlder, removeTemporary, snapshotPath, temporaryPath } from "./folder.ts";

function folderWith(t: TestContext, ...names: string[]): string {
	const folder = testFolder(t);
	for (const name of names) writeFileSync(join(folder, name), "");
	return folder;
}

const changes = (folder: string, key: number) => listSnapshots(folder, key).map(({ change }) => change);

test("the snapshots of one collection are listed by their number, not by their letters, newest first", (t) => {
	const folder = testFolder(t);
	for (const [key, change] of [
		[1, 9],
		[1, 100],
		[1, 0],
		[1, 20],
		[11, 5],
		[2, 7],
	] as const) {
		writeFileSync(snapshotPath(folder, key, change), "");
	}
	assert.deepEqual(changes(folder, 1), [100, 20, 9, 0]);
	assert.deepEqual(listSnapshots(folder, 11), [{ path: join(folder, "11-5.nigh-snapshot"), key: 11, change: 5 }]);
	assert.deepEqual(changes(folder, 3), []);
});

test("what is no finished snapshot is not listed", (t) => {
	const foreign = [
		"1-2.nigh-snapshot.tmp-0123456789ab",
		"1-02.nigh-snapshot",
		"01-2.nigh-snapshot",
		"1--2.nigh-snapshot",
	];
	const folder = folderWith(
		t,
		...foreign,
		"1-2.nigh-snapshot.bak",
		"1-99999999999999999999.nigh-snapshot",
		"x1-2.nigh-snapshot",
	);
	mkdirSync(join(folder, "1-3.nigh-snapshot"));
	assert.deepEqual(listSnapshots(folder, 1), []);
});

test("a folder that is not there has no snapshots; a file in its place is an error", (t) => {
	const folder = folderWith(t, "file");
	assert.deepEqual(listSnapshots(join(folder, "nowhere"), 1), []);
	assert.deepEqual(removeOlder(join(folder, "nowhere"), 1, 1), []);
	assert.deepEqual(removeTemporary(join(folder, "nowhere")), []);
	assert.throws(() => listSnapshots(join(folder, "file"), 1));
});

test("all but the newest of one collection are removed, and of no other", (t) => {
	const folder = folderWith(t, "1-9.nigh-snapshot", "1-10.nigh-snapshot", "1-8.nigh-snapshot", "2-1.nigh-snapshot");
	assert.deepEqual(removeOlder(folder, 1, 3), []);
	assert.deepEqual(removeOlder(folder, 1, 2), [join(folder, "1-8.nigh-snapshot")]);
	assert.deepEqual(changes(folder, 1), [10, 9]);
	assert.deepEqual(removeOlder(folder, 1, 0).length, 2);
	assert.deepEqual(readdirSync(folder), ["2-1.nigh-snapshot"]);
});

test("only unfinished files are removed as such", (t) => {
	const unfinished = temporaryPath("1-3.nigh-snapshot");
	const kept = ["1-3.nigh-snapshot", "mine.tmp-0123456789ab", "records.sqlite"];
	const folder = folderWith(t, unfinished, ...kept);
	assert.deepEqual(removeTemporary(folder), [join(folder, unfinished)]);
	assert.deepEqual(readdirSync(folder).sort(), kept);
});

test("two writers of one snapshot have two temporary names", () => {
	assert.notEqual(temporaryPath("1-3.nigh-snapshot"), temporaryPath("1-3.nigh-snapshot"));
});

test("numbers that no collection and no change can have are refused", () => {
	const refused = (error: unknown) => isNighError(error, "INVALID_OPTION");
	for (const key of [0, -1, 1.5, Number.NaN]) assert.throws(() => snapshotPath("folder", key, 1), refused);
	for (const change of [-1, 1.5, 2 ** 53]) assert.throws(() => snapshotPath("folder", 1, change), refused);
	for (const keep of [-1, 0.5]) assert.throws(() => removeOlder("folder", 1, keep), refused);
});

test("the snapshots of collections that are not there are removed, and nothing else", (t) => {
	const kept = ["1-3.nigh-snapshot", "1-4.nigh-snapshot", "x2-3.nigh-snapshot", "2-3.nigh-snapshot.tmp-0123456789ab"];
	const gone = ["2-3.nigh-snapshot", "11-3.nigh-snapshot"];
	const folder = folderWith(t, ...kept, ...gone);
	assert.deepEqual(removeForeign(folder, new Set([1, 3])).sort(), gone.map((name) => join(folder, name)).sort());
	assert.deepEqual(readdirSync(folder).sort(), [...kept].sort());
	assert.deepEqual(removeForeign(join(folder, "nowhere"), new Set()), []);
});
