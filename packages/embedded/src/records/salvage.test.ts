import assert from "node:assert/strict";
import { copyFileSync, existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import fc from "fast-check";
import { testFolder } from "../folder/folder.test-support.ts";
import type { StoredSpec } from "./catalogue.ts";
import { openReader, openWriter } from "./connection.ts";
import { damagePages, pagesOf } from "./damage.test-support.ts";
import { contentOf, fill, recordOf, SPEC } from "./filled.test-support.ts";
import { checkRecords } from "./integrity.ts";
import { type SalvageReport, salvageRecords } from "./salvage.ts";
import { databaseId, tablesOf } from "./schema.ts";

const RECORDS = 3_000;

/** A closed database with one collection, key 1, and a path for what is saved of it. */
function database(t: TestContext, spec: StoredSpec = SPEC, records = RECORDS) {
	const folder = testFolder(t);
	const path = join(folder, "records.sqlite");
	const db = openWriter(path, "off");
	fill(db, "notes", records, spec);
	db.close();
	return { folder, path, target: join(folder, "saved.sqlite") };
}

/** The labels of a table that SQLite still finds one by one. */
function readable(path: string, table: string): Set<number> {
	const db = new DatabaseSync(path, { readOnly: true });
	const find = db.prepare(`SELECT * FROM ${table} NOT INDEXED WHERE label = ?`);
	const labels = new Set<number>();
	for (let label = 0; label < 2 * RECORDS; label++) {
		try {
			if (find.get(label) !== undefined) labels.add(label);
		} catch {
			// Not readable.
		}
	}
	db.close();
	return labels;
}

/** Compares what was saved, and the report, with what SQLite finds label by label. Returns how much was kept. */
function checkSalvage(path: string, target: string, spec: StoredSpec = SPEC): number {
	const { records, vectors } = tablesOf(1);
	const [foundRecords, foundVectors] = [readable(path, records), readable(path, vectors)];
	const whole = new Set([...foundRecords].filter((label) => foundVectors.has(label)));
	const report = salvageRecords(path, target);
	const expected: SalvageReport = {
		lostCollections: 0,
		collections: [
			{
				name: "notes",
				kept: whole.size,
				lost: RECORDS - whole.size,
				withoutVector: foundRecords.size - whole.size,
				withoutRecord: foundVectors.size - whole.size,
				refused: 0,
			},
		],
	};
	assert.deepEqual(report, expected);
	const content = contentOf(target, 1);
	assert.deepEqual(
		[...content.keys()].sort((a, b) => a - b),
		[...whole].sort((a, b) => a - b),
	);
	for (const [label, row] of content) assert.deepEqual(row, recordOf(label, spec));
	const db = openReader(target);
	assert.deepEqual(checkRecords(db), []);
	db.close();
	return whole.size;
}

test("of a sound database everything is saved, under another identity", (t) => {
	const { path, target } = database(t);
	assert.equal(checkSalvage(path, target), RECORDS);
	const [from, to] = [openReader(path), openReader(target)];
	assert.notEqual(databaseId(from), databaseId(to));
	const catalogue = "SELECT name, spec, change, next_label, records FROM collections";
	assert.deepEqual(to.prepare(catalogue).all(), from.prepare(catalogue).all());
	const found = to.prepare("SELECT rowid FROM words_1 WHERE words_1 MATCH '1234'").all();
	assert.deepEqual(
		found.map((row) => ({ ...row })),
		[{ rowid: 1_234 }],
	);
	from.close();
	to.close();
});

test("pages in the middle are gone, the rest is saved, and nothing else", (t) => {
	const { path, target } = database(t);
	const { records, vectors } = tablesOf(1);
	const inMiddle = (pages: number[]) => pages.slice(pages.length / 2, pages.length / 2 + 3);
	const pages = [records, vectors].flatMap((table) => inMiddle(pagesOf(path, table, "leaf")));
	damagePages(path, pages, 7);
	const kept = checkSalvage(path, target);
	assert.ok(kept > 0.8 * RECORDS && kept < RECORDS, `${kept} kept`);
});

test("whatever pages are damaged, what can be read is saved, and nothing else", (t) => {
	const { path, target, folder } = database(t);
	const { records, vectors, words } = tablesOf(1);
	const tables = [records, vectors, `sqlite_autoindex_${records}_1`, `${records}_age`, `${words}_data`];
	const pages = tables.flatMap((table) => pagesOf(path, table));
	const damage = fc.record({
		pages: fc.uniqueArray(fc.constantFrom(...pages), { minLength: 1, maxLength: 12 }),
		seed: fc.integer(),
	});
	fc.assert(
		fc.property(damage, (drawn) => {
			const copy = join(folder, "copy.sqlite");
			for (const file of [copy, target]) rmSync(file, { force: true });
			copyFileSync(path, copy);
			damagePages(copy, drawn.pages, drawn.seed);
			checkSalvage(copy, target);
		}),
		{ numRuns: 12 },
	);
});

test("a table whose root is gone takes the collection's records with it, not the other collection", (t) => {
	const { path, target } = database(t);
	const db = openWriter(path, "off");
	fill(db, "more", 100);
	db.close();
	damagePages(path, pagesOf(path, tablesOf(1).vectors, "internal"), 3);
	const report = salvageRecords(path, target);
	assert.deepEqual(
		report.collections.map(({ name, kept, lost, withoutVector }) => [name, kept, lost, withoutVector]),
		[
			["notes", 0, RECORDS, RECORDS],
			["more", 100, 0, 0],
		],
	);
});

test("rows that Nigh cannot have written are refused", (t) => {
	// No filterable fields: SQLite would refuse to index what is not JSON.
	const { path, target } = database(t, { ...SPEC, filterable: [] });
	const db = new DatabaseSync(path);
	const set = (table: string, column: string, value: string, label: number) =>
		db.exec(`UPDATE ${table} SET ${column} = ${value} WHERE label = ${label}`);
	set("records_1", "metadata", "'{\"a\":'", 0);
	set("records_1", "metadata", "'[1]'", 1);
	set("records_1", "text", "CAST(x'61ff62' AS TEXT)", 2);
	set("records_1", "id", "''", 3);
	set("records_1", "change", "9999999", 4);
	set("records_1", "inserted_at", "-1", 5);
	set("vectors_1", "vector", "zeroblob(511)", 6);
	set("vectors_1", "vector", "CAST(x'0000c07f' || zeroblob(508) AS BLOB)", 7);
	db.close();
	const [notes] = salvageRecords(path, target).collections;
	assert.deepEqual(notes, {
		name: "notes",
		kept: RECORDS - 8,
		lost: 8,
		withoutVector: 2,
		withoutRecord: 6,
		refused: 8,
	});
	const labels = contentOf(target, 1);
	for (let label = 0; label < 8; label++) assert.equal(labels.has(label), false);
});

test("bits, and vectors that are longer than a page, are saved too", (t) => {
	for (const spec of [
		{ ...SPEC, type: "bit", metric: "hamming", dimensions: 256 },
		{ ...SPEC, dimensions: 2_500 },
	] as const) {
		const { path, target } = database(t, spec, 1_000);
		const pages = pagesOf(path, tablesOf(1).vectors, spec.type === "bit" ? "leaf" : "overflow");
		damagePages(path, pages.slice(1, 3), 11);
		const report = salvageRecords(path, target);
		const content = contentOf(target, 1);
		assert.equal(content.size, report.collections[0]?.kept);
		assert.ok(content.size < 1_000 && content.size > 500, `${content.size} kept`);
		for (const [label, row] of content) assert.deepEqual(row, recordOf(label, spec));
	}
});

test("without a list of collections, without a header, or onto a file that exists, nothing is made", (t) => {
	const { path, target, folder } = database(t);
	assert.throws(() => salvageRecords(join(folder, "nowhere"), target), { code: "NOT_FOUND" });
	assert.throws(() => salvageRecords(path, path), { code: "INVALID_OPTION" });
	damagePages(path, pagesOf(path, "collections"), 5);
	assert.throws(() => salvageRecords(path, target), { code: "CORRUPT_RECORDS", message: /restore a backup/ });
	damagePages(path, [1], 5);
	assert.throws(() => salvageRecords(path, target), { code: "CORRUPT_RECORDS" });
	writeFileSync(path, "");
	assert.throws(() => salvageRecords(path, target), { code: "CORRUPT_RECORDS" });
	assert.equal(existsSync(target), false);
});
