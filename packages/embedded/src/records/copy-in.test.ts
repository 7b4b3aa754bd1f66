import assert from "node:assert/strict";
import { chmodSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import { testFolder } from "../folder/folder.test-support.ts";
import { findCollection, listCollections } from "./catalogue.ts";
import { openWriter } from "./connection.ts";
import { attachRecords, collectionsIn, copyCollections, detachRecords } from "./copy-in.ts";
import { contentOf, fill, recordOf } from "./filled.test-support.ts";
import { checkRecords } from "./integrity.ts";

/** Records with `a` and `b` in a file of their own, without a WAL, and an open database that has `b` and `c`. */
function databases(t: TestContext) {
	const folder = testFolder(t);
	const path = join(folder, "other #1 ?.sqlite");
	const other = openWriter(path, "off");
	fill(other, "a", 300);
	fill(other, "b", 50);
	other.exec("PRAGMA journal_mode = DELETE");
	other.close();
	const here = join(folder, "records.sqlite");
	const db = openWriter(here, "off");
	t.after(() => db.isOpen && db.close());
	fill(db, "b", 20);
	fill(db, "c", 10);
	return { path, here, db };
}

/** Copies everything, all or nothing. */
function copyAll(db: DatabaseSync, path: string, overwrite: boolean) {
	attachRecords(db, path);
	try {
		db.exec("BEGIN IMMEDIATE");
		const copied = copyCollections(db, collectionsIn(path), overwrite);
		db.exec("COMMIT");
		return copied;
	} finally {
		if (db.isTransaction) db.exec("ROLLBACK");
		detachRecords(db);
	}
}

test("everything comes along: records, vectors, words, tombstones and counters, under new keys", (t) => {
	const { path, here, db } = databases(t);
	const copied = copyAll(db, path, true);
	assert.deepEqual(copied, [
		{ name: "a", records: 300, oldKey: 1, key: 3, replaced: undefined },
		{ name: "b", records: 50, oldKey: 2, key: 4, replaced: 1 },
	]);
	assert.deepEqual(
		listCollections(db).map(({ name, records }) => [name, records]),
		[
			["a", 300],
			["b", 50],
			["c", 10],
		],
	);
	assert.deepEqual(checkRecords(db), []);
	for (const { oldKey, key } of copied) {
		assert.deepEqual(contentOf(here, key), contentOf(path, oldKey));
		const other = new DatabaseSync(path, { readOnly: true });
		const tombstones = (from: DatabaseSync, of: number) => from.prepare(`SELECT * FROM tombstones_${of}`).all();
		assert.deepEqual(tombstones(db, key), tombstones(other, oldKey));
		other.close();
	}
	for (const [label, row] of contentOf(here, 3)) assert.deepEqual(row, recordOf(label));
	const [before, after] = [collectionsIn(path), ["a", "b"].map((name) => findCollection(db, name))];
	assert.deepEqual(
		after.map((entry) => ({ ...entry, key: 0 })),
		before.map((entry) => ({ ...entry, key: 0 })),
	);
	const found = db.prepare("SELECT rowid FROM words_3 WHERE words_3 MATCH '124'").all();
	assert.deepEqual(
		found.map(({ rowid }) => rowid),
		[124],
	);
});

test("one of the same name stops all of them", (t) => {
	const { path, db } = databases(t);
	assert.throws(() => copyAll(db, path, false), { code: "SPEC_CONFLICT", message: /the collection "b" is there/ });
	assert.deepEqual(
		listCollections(db).map(({ name, records }) => [name, records]),
		[
			["b", 20],
			["c", 10],
		],
	);
	assert.deepEqual(checkRecords(db), []);
});

test("what is not complete is refused", (t) => {
	for (const sql of ["DELETE FROM vectors_1 WHERE label = 3", "UPDATE collections SET records = 299 WHERE key = 1"]) {
		const { path, db } = databases(t);
		const other = new DatabaseSync(path);
		other.exec(sql);
		other.close();
		assert.throws(() => copyAll(db, path, true), { code: "CORRUPT_RECORDS" }, sql);
		assert.deepEqual(
			listCollections(db).map(({ name }) => name),
			["b", "c"],
		);
	}
});

test("the other file is only read, and needs no place to write to", (t) => {
	const { path, db } = databases(t);
	chmodSync(path, 0o444);
	copyAll(db, path, true);
	assert.deepEqual(
		readdirSync(dirname(path)).filter((name) => name.startsWith("other")),
		["other #1 ?.sqlite"],
	);
	attachRecords(db, path);
	assert.throws(() => db.exec("DELETE FROM other.collections"), /readonly/);
	detachRecords(db);
});
