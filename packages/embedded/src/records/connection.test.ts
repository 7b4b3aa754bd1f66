import assert from "node:assert/strict";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { isNighError } from "@nigh/contract";
import { testFolder } from "../folder/folder.test-support.ts";
import { type Durability, openReader, openWriter } from "./connection.ts";

function pragma(db: DatabaseSync, name: string): unknown {
	return Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0];
}

const SYNCHRONOUS: Readonly<Record<Durability, number>> = { full: 2, normal: 1, off: 0 };

for (const [durability, synchronous] of Object.entries(SYNCHRONOUS)) {
	test(`${durability} is synchronous=${synchronous} of the connection, when the file is made and ever after`, (t) => {
		const path = join(testFolder(t), "records.sqlite");
		for (let opened = 0; opened < 2; opened++) {
			const db = openWriter(path, durability as Durability);
			assert.equal(pragma(db, "synchronous"), synchronous);
			assert.equal(pragma(db, "journal_mode"), "wal");
			assert.equal(pragma(db, "auto_vacuum"), 2, "incremental: space can be given back");
			db.close();
		}
	});
}

test("a connection that reads cannot write, and sees what is committed beside it", (t) => {
	const path = join(testFolder(t), "records.sqlite");
	const writer = openWriter(path, "full");
	const reader = openReader(path);
	t.after(() => {
		reader.close();
		writer.close();
	});
	assert.throws(() => reader.exec("CREATE TABLE mine (a)"), /readonly/);
	const tables = () => reader.prepare("SELECT count(*) AS n FROM sqlite_schema WHERE name = 'seen'").get()?.n;
	writer.exec("BEGIN; CREATE TABLE seen (a)");
	assert.equal(tables(), 0, "not before it is committed");
	writer.exec("COMMIT");
	assert.equal(tables(), 1);
});

test("a file that is missing is not made by a reader, nor by a writer that may not", (t) => {
	const path = join(testFolder(t), "records.sqlite");
	assert.throws(
		() => openReader(path),
		(error) => isNighError(error, "NOT_FOUND"),
	);
	assert.throws(
		() => openWriter(path, "full", { create: false }),
		(error) => isNighError(error, "CORRUPT_RECORDS"),
	);
});
