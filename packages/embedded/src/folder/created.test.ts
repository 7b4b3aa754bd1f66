import assert from "node:assert/strict";
import { mkdirSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { checkNotLost, checkThere, noteCreated, wasCreated } from "./created.ts";
import { flushedBy } from "./flushed.test-support.ts";
import { testFolder } from "./folder.test-support.ts";
import { pathsIn } from "./layout.ts";

test("records that are not there are lost only where there were some", (t) => {
	const paths = pathsIn(testFolder(t));
	assert.equal(wasCreated(paths), false);
	checkNotLost(paths);
	writeFileSync(paths.records, "");
	checkNotLost(paths);
	writeFileSync(paths.records, "something");
	noteCreated(paths);
	noteCreated(paths);
	assert.equal(wasCreated(paths), true);
	assert.deepEqual(readdirSync(paths.folder).sort(), ["records.created", "records.sqlite"]);
	checkNotLost(paths);
	truncateSync(paths.records);
	assert.throws(() => checkNotLost(paths), { code: "CORRUPT_RECORDS", message: /is empty/ });
	rmSync(paths.records);
	assert.throws(() => checkNotLost(paths), { code: "CORRUPT_RECORDS", message: /is not there/ });
});

test("a folder that is not there is told", (t) => {
	assert.throws(() => noteCreated(pathsIn(`${testFolder(t)}/nowhere`)), { code: "NOT_FOUND" });
});

test("a folder without a database is told, with what to do; one with records, or that had some, is taken", (t) => {
	const paths = pathsIn(testFolder(t));
	assert.throws(() => checkThere(paths.folder), { code: "NOT_FOUND", message: /create: true/ });
	assert.throws(() => checkThere(paths.folder, true), { code: "NOT_FOUND", message: /once for writing/ });
	writeFileSync(paths.records, "");
	checkThere(paths.folder);
	noteCreated(paths);
	rmSync(paths.records);
	checkThere(paths.folder, true);
	// Those who go into it tell what they are.
	checkThere(paths.records, true);
	checkThere(paths.created);
});

test("when it is said that there are records, their name and that of the folder are on disk", (t) => {
	const parent = testFolder(t);
	const paths = pathsIn(join(parent, "data"));
	mkdirSync(paths.folder);
	const flushed = flushedBy(() => noteCreated(paths));
	// Windows has no such call for folders.
	const folders = process.platform === "win32" ? [] : [paths.folder, parent];
	assert.deepEqual(flushed, [`${paths.created}.tmp`, ...folders]);
	assert.deepEqual(
		flushedBy(() => noteCreated(paths)),
		[],
	);
});
