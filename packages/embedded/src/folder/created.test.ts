import assert from "node:assert/strict";
import { readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { checkNotLost, noteCreated, wasCreated } from "./created.ts";
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
