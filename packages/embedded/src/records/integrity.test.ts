import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import { testFolder } from "../folder/folder.test-support.ts";
import { openReader, openWriter } from "./connection.ts";
import { damagePages, pagesOf } from "./damage.test-support.ts";
import { fill, SPEC } from "./filled.test-support.ts";
import { checkRecords, type RecordsProblem } from "./integrity.ts";

/** The path of a closed database with two collections: `notes` (floats, key 1) and `bits` (key 2). */
function database(t: TestContext): string {
	const path = join(testFolder(t), "records.sqlite");
	const db = openWriter(path, "off");
	fill(db, "notes", 1_000, { ...SPEC, filterable: [] });
	fill(db, "bits", 100, { ...SPEC, type: "bit", metric: "hamming" });
	db.close();
	return path;
}

/** What is found after changing the database with SQL, past everything that Nigh takes care of. */
function after(t: TestContext, sql: string): readonly RecordsProblem[] {
	const path = database(t);
	const db = new DatabaseSync(path, { defensive: false });
	db.exec(sql);
	db.close();
	return found(path);
}

function found(path: string, quick = false): readonly RecordsProblem[] {
	const db = openReader(path);
	try {
		return checkRecords(db, { quick });
	} finally {
		db.close();
	}
}

test("there is nothing to find in a sound database, read by a reader or a writer", (t) => {
	const path = database(t);
	assert.deepEqual(found(path), []);
	assert.deepEqual(found(path, true), []);
	const writer = openWriter(path, "off");
	assert.deepEqual(checkRecords(writer), []);
	writer.close();
});

test("whatever does not agree is told, with the collection, how many and the first", (t) => {
	const cases: readonly (readonly [string, RegExp])[] = [
		["DELETE FROM vectors_1 WHERE label IN (5, 7)", /^Records of the collection "notes" have no vector: 2, .* 5\.$/],
		["INSERT INTO vectors_1 VALUES (9, zeroblob(512))", /are not there, but their vectors are: 1, .* 9\.$/],
		["UPDATE vectors_1 SET vector = zeroblob(511) WHERE label = 3", /have a vector of not 512 bytes: 1, .* 3\.$/],
		["UPDATE vectors_1 SET vector = zeroblob(513) WHERE label = 3", /have a vector of not 512 bytes: 1, .* 3\.$/],
		["UPDATE collections SET records = 1001 WHERE key = 1", /has 1000 records, and its catalogue says 1001\.$/],
		["UPDATE collections SET next_label = 1000 WHERE key = 1", /label that has not been given yet: \d+, .* 1000\.$/],
		["UPDATE collections SET change = 1000 WHERE key = 1", /of a change that has not been yet: \d+, .* 1000\.$/],
		["UPDATE records_1 SET metadata = '{' WHERE label = 8", /have metadata that are not JSON: 1, .* 8\.$/],
		["INSERT INTO tombstones_1 VALUES (6, 8)", /have been deleted and are there: 1, .* 8\.$/],
		["DELETE FROM words_1 WHERE rowid = 4", /have a text that cannot be searched: 1, .* 4\.$/],
		["INSERT INTO words_1(rowid, text) VALUES (9, 'x')", /have no text, but words of one: 1, .* 9\.$/],
		[
			"UPDATE collections SET spec = json_set(spec, '$.dimensions', NULL) WHERE key = 1",
			/have a vector, though no dimensions are known: 1000, .* 0\.$/,
		],
	];
	for (const [sql, message] of cases) {
		const problems = after(t, sql);
		assert.equal(problems.length, 1, `${sql}: ${JSON.stringify(problems)}`);
		assert.equal(problems[0]?.collection, "notes");
		assert.match(problems[0]?.message ?? "", message);
	}
});

test("bits have their own length", (t) => {
	const [problem, ...more] = after(t, "UPDATE vectors_2 SET vector = zeroblob(512) WHERE label = 3");
	assert.deepEqual(problem, {
		collection: "bits",
		message: 'Records of the collection "bits" have a vector of not 16 bytes: 1, the first with the label 3.',
	});
	assert.deepEqual(more, []);
});

test("a damaged page of any table or index is found", (t) => {
	const objects = [
		"records_1",
		"vectors_1",
		"sqlite_autoindex_records_1_1",
		"records_1_age",
		"tombstones_1",
		"words_1_data",
		"words_1_docsize",
		"collections",
	];
	for (const name of objects) {
		const path = database(t);
		damagePages(path, pagesOf(path, name).slice(-1), 9);
		for (const quick of [false, true]) {
			const problems = found(path, quick);
			assert.ok(problems.length > 0, name);
			assert.ok(problems.every(({ message }) => message.endsWith(".")));
		}
	}
});

test("words that FTS5 cannot read are found", (t) => {
	const problems = after(t, "UPDATE words_1_data SET block = zeroblob(length(block)) WHERE id > 10");
	assert.match(problems[0]?.message ?? "", /^SQLite finds its file damaged: fts5: .*words_1/);
});

test("an index that does not say what its table does is found, unless quick", (t) => {
	const path = database(t);
	const db = new DatabaseSync(path, { defensive: false });
	db.exec("PRAGMA writable_schema = ON");
	db.exec("UPDATE sqlite_schema SET sql = replace(sql, '(updated_at)', '(inserted_at)') WHERE name = 'records_1_age'");
	db.close();
	assert.match(found(path)[0]?.message ?? "", /row \d+ missing from index records_1_age/);
	assert.deepEqual(found(path, true), []);
});

test("a spec that is not JSON is a problem of the catalogue", (t) => {
	const problems = after(t, "UPDATE collections SET spec = '{' WHERE key = 1");
	assert.deepEqual(
		problems.map(({ collection }) => collection),
		[null],
	);
	assert.match(problems[0]?.message ?? "", /^The list of collections cannot be read/);
});

test("what is no damage is thrown", (t) => {
	const db = openReader(database(t));
	db.close();
	assert.throws(() => checkRecords(db), /not open/);
});
