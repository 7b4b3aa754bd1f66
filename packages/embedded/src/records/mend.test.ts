import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import { testFolder } from "../folder/folder.test-support.ts";
import { openWriter } from "./connection.ts";
import { damagePages, pagesOf } from "./damage.test-support.ts";
import { contentOf, fill, recordOf, SPEC } from "./filled.test-support.ts";
import { checkRecords } from "./integrity.ts";
import { mendRecords } from "./mend.ts";

const RECORDS = 400;

function database(t: TestContext): string {
	const path = join(testFolder(t), "records.sqlite");
	const db = openWriter(path, "off");
	fill(db, "notes", RECORDS, { ...SPEC, filterable: [] });
	db.close();
	return path;
}

/** The problems before and after mending. */
function mended(path: string): { before: readonly string[]; after: readonly string[] } {
	const db = openWriter(path, "off");
	try {
		const before = checkRecords(db);
		mendRecords(db);
		return { before: before.map(({ message }) => message), after: checkRecords(db).map(({ message }) => message) };
	} finally {
		db.close();
	}
}

function spoil(path: string, sql: string): void {
	const db = new DatabaseSync(path, { defensive: false });
	db.exec(sql);
	db.close();
}

test("what can be mended without giving a record up is mended", (t) => {
	const cases = [
		"INSERT INTO vectors_1 VALUES (9, zeroblob(512))",
		"UPDATE collections SET records = 1001 WHERE key = 1",
		"UPDATE collections SET next_label = 100 WHERE key = 1",
		"UPDATE collections SET change = 100 WHERE key = 1",
		"INSERT INTO tombstones_1 VALUES (6, 8)",
		"DELETE FROM words_1 WHERE rowid = 4",
		"INSERT INTO words_1(rowid, text) VALUES (9, 'x')",
		"UPDATE words_1_data SET block = zeroblob(length(block)) WHERE id > 10",
		"PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, '(updated_at)', '(inserted_at)') WHERE name = 'records_1_age'",
	];
	for (const sql of cases) {
		const path = database(t);
		spoil(path, sql);
		const { before, after } = mended(path);
		assert.notDeepEqual(before, [], sql);
		assert.deepEqual(after, [], sql);
		const content = contentOf(path, 1);
		assert.equal(content.size, RECORDS, sql);
		for (const [label, row] of content) assert.deepEqual(row, recordOf(label));
		const db = new DatabaseSync(path, { readOnly: true });
		const found = db.prepare("SELECT rowid FROM words_1 WHERE words_1 MATCH '124'").all();
		db.close();
		assert.deepEqual(
			found.map(({ rowid }) => rowid),
			[124],
			sql,
		);
	}
});

test("the catalogue knows the label and the change of every record again", (t) => {
	const path = database(t);
	const read = () => {
		const db = new DatabaseSync(path, { readOnly: true });
		const row = { ...db.prepare("SELECT records, next_label, change FROM collections").get() };
		db.close();
		return row;
	};
	const sound = read();
	spoil(path, "UPDATE collections SET records = 3, next_label = 3, change = 3");
	mended(path);
	assert.deepEqual(read(), sound);
});

test("what is lost is not made up: it is still told, and no record goes", (t) => {
	for (const sql of [
		"DELETE FROM vectors_1 WHERE label IN (5, 7)",
		"UPDATE vectors_1 SET vector = zeroblob(511) WHERE label = 3",
		"UPDATE records_1 SET metadata = '{' WHERE label = 8",
	]) {
		const path = database(t);
		spoil(path, sql);
		const { before, after } = mended(path);
		assert.equal(before.length, 1, sql);
		assert.deepEqual(after, before, sql);
		const db = new DatabaseSync(path, { readOnly: true });
		assert.equal(db.prepare("SELECT count(*) AS count FROM records_1").get()?.count, RECORDS);
		db.close();
	}
});

test("pages that cannot be read stay a problem", (t) => {
	for (const name of ["vectors_1", "records_1_age", "collections"]) {
		const path = database(t);
		damagePages(path, pagesOf(path, name).slice(-1), 9);
		const { before, after } = mended(path);
		assert.ok(before.length > 0 && after.length > 0, name);
	}
});
