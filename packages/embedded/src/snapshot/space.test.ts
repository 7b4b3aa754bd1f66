import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statfsSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { isNighError } from "@nigh/contract";
import { checkSpace } from "./space.ts";

test("a snapshot must leave room for itself, for the WAL of the records, and some more", (t) => {
	const folder = mkdtempSync(join(tmpdir(), "nigh-space-"));
	t.after(() => rmSync(folder, { recursive: true }));
	const records = join(folder, "records.sqlite");
	const { bavail, bsize } = statfsSync(folder);
	const isFull = (error: unknown) => isNighError(error, "DISK_FULL");
	checkSpace(folder, 1_000, records);
	assert.throws(() => checkSpace(join(folder, "none"), 1_000, records), { code: "NOT_FOUND" });
	assert.throws(() => checkSpace(folder, 2 * bavail * bsize, records), isFull);
	// A file with a hole: long, and without space of its own.
	writeFileSync(`${records}-wal`, "");
	truncateSync(`${records}-wal`, 2 * bavail * bsize);
	assert.throws(() => checkSpace(folder, 1_000, records), isFull);
});
