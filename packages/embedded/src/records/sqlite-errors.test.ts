import assert from "node:assert/strict";
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, type TestContext, test } from "node:test";
import { type ErrorCode, isNighError, NighError } from "@nigh/contract";
import { testFolder } from "../folder/folder.test-support.ts";
import { openReader, openWriter } from "./connection.ts";
import { asNighError } from "./sqlite-errors.ts";

/** What the failure of `action` is to the caller. */
function told(action: () => unknown, path?: string): unknown {
	try {
		action();
	} catch (error) {
		return asNighError(error, "testing it", path);
	}
	throw new Error("It did not fail.");
}

function assertCode(error: unknown, code: ErrorCode, message: RegExp): void {
	assert.ok(isNighError(error), `${error} is a NighError`);
	assert.equal(error.code, code);
	assert.match(error.message, message);
}

function database(t: TestContext): { db: DatabaseSync; path: string } {
	const path = join(testFolder(t), "some.sqlite");
	const db = new DatabaseSync(path, { timeout: 0 });
	t.after(() => db.isOpen && db.close());
	db.exec("PRAGMA journal_mode = WAL; CREATE TABLE t (x)");
	return { db, path };
}

describe("asNighError", () => {
	test("tells a full database as DISK_FULL, with SQLite's code and the error as the cause", (t) => {
		const { db } = database(t);
		db.exec("PRAGMA max_page_count = 4");
		const error = told(() => db.exec("INSERT INTO t VALUES (zeroblob(100000))"));
		assertCode(error, "DISK_FULL", /^Failed at testing it \(SQLite: database or disk is full\)\. .*free some space/);
		assert.deepEqual((error as NighError).details, { sqlite: 13 });
		assert.ok((error as NighError).cause instanceof Error);
	});

	test("tells a write without the right to as READ_ONLY", (t) => {
		const { db, path } = database(t);
		const reader = new DatabaseSync(path, { readOnly: true });
		t.after(() => reader.close());
		assertCode(
			told(() => reader.exec("INSERT INTO t VALUES (1)")),
			"READ_ONLY",
			/may not be written/,
		);
		db.exec("PRAGMA query_only = TRUE");
		assertCode(
			told(() => db.exec("INSERT INTO t VALUES (1)")),
			"READ_ONLY",
			/may not be written/,
		);
	});

	test("tells a file that is there but cannot be opened as READ_ONLY, one that is missing as NOT_FOUND", (t) => {
		const folder = testFolder(t);
		const there = join(folder, "there");
		mkdirSync(there);
		assertCode(
			told(() => new DatabaseSync(there), there),
			"READ_ONLY",
			/It is there/,
		);
		const missing = join(folder, "missing.sqlite");
		assertCode(
			told(() => new DatabaseSync(missing, { readOnly: true }), missing),
			"NOT_FOUND",
			/no such file/,
		);
		const astray = join(folder, "no folder", "missing.sqlite");
		assertCode(
			told(() => new DatabaseSync(astray), astray),
			"NOT_FOUND",
			/folder is not there/,
		);
		assert.equal(existsSync(missing), false);
	});

	test("tells what cannot be opened as UNAVAILABLE where no file is named", (t) => {
		const astray = join(testFolder(t), "no folder", "x");
		assertCode(
			told(() => new DatabaseSync(astray)),
			"UNAVAILABLE",
			/open files/,
		);
	});

	test("tells what is no database as CORRUPT_RECORDS", (t) => {
		const path = join(testFolder(t), "garbage.sqlite");
		writeFileSync(path, "garbage ".repeat(2_000));
		const db = new DatabaseSync(path);
		t.after(() => db.close());
		assertCode(
			told(() => db.exec("SELECT * FROM sqlite_schema")),
			"CORRUPT_RECORDS",
			/repairFolder\(\).*restore a backup/,
		);
	});

	test("tells a damaged page as CORRUPT_RECORDS", (t) => {
		const { db, path } = database(t);
		db.exec("INSERT INTO t SELECT value FROM json_each('[1,2,3]'); PRAGMA wal_checkpoint(TRUNCATE)");
		const copy = `${path}.damaged`;
		copyFileSync(path, copy);
		const bytes = readFileSync(copy);
		bytes.fill(0xff, 4_096, 8_192);
		writeFileSync(copy, bytes);
		const damaged = new DatabaseSync(copy);
		t.after(() => damaged.close());
		assertCode(
			told(() => damaged.prepare("SELECT * FROM t").all()),
			"CORRUPT_RECORDS",
			/repairFolder\(\)/,
		);
	});

	test("tells a lock of another connection, and one of this one, as LOCKED", (t) => {
		const { db, path } = database(t);
		const other = new DatabaseSync(path, { timeout: 0 });
		t.after(() => other.close());
		db.exec("BEGIN IMMEDIATE");
		assertCode(
			told(() => other.exec("BEGIN IMMEDIATE")),
			"LOCKED",
			/Another connection/,
		);
		db.exec("INSERT INTO t VALUES (1), (2); COMMIT");
		const reading = db.prepare("SELECT * FROM t").iterate();
		reading.next();
		assertCode(
			told(() => db.exec("DROP TABLE t")),
			"LOCKED",
			/Another connection/,
		);
	});

	test("tells other I/O errors as UNAVAILABLE, whatever their extended code", () => {
		for (const errcode of [10, 266, 778, 1034]) {
			const error = Object.assign(new Error("disk I/O error"), { code: "ERR_SQLITE_ERROR", errcode });
			assertCode(asNighError(error, "reading"), "UNAVAILABLE", /^Failed at reading .*disk I\/O error/);
		}
	});

	test("tells an error of the file system as what it is", () => {
		const error = Object.assign(new Error("no space left"), { code: "ENOSPC" });
		assertCode(asNighError(error, "writing"), "DISK_FULL", /no space left/);
	});

	test("gives back what it cannot say more about", (t) => {
		const { db } = database(t);
		const known = new NighError("CLOSED", "closed");
		assert.equal(asNighError(known, "x"), known);
		for (const sql of [
			"not SQL",
			"CREATE TABLE t (x)",
			"CREATE UNIQUE INDEX u ON t(x); INSERT INTO t VALUES (1), (1)",
		]) {
			const error = told(() => db.exec(sql));
			assert.equal(isNighError(error), false, sql);
			assert.equal((error as { code: string }).code, "ERR_SQLITE_ERROR");
		}
		db.close();
		assert.equal((told(() => db.exec("SELECT 1")) as { code: string }).code, "ERR_INVALID_STATE");
		assert.equal(asNighError("not an error", "x"), "not an error");
	});
});

test("openReader tells a missing file as NOT_FOUND, openWriter a missing folder", (t) => {
	const folder = testFolder(t);
	assert.throws(() => openReader(join(folder, "x")), { code: "NOT_FOUND" });
	assert.throws(() => openWriter(join(folder, "no folder", "x"), "off"), { code: "NOT_FOUND" });
});
