import type { DatabaseSync } from "node:sqlite";
import { isNighError } from "@nigh/contract";
import { listCollections } from "./catalogue.ts";
import { indexWords } from "./index-words.ts";
import { createWords, tablesOf } from "./schema.ts";
import { asNighError } from "./sqlite-errors.ts";

/**
 * Mends what can be mended without giving up a record: SQLite's indexes and the full-text indexes are made anew from the tables; vectors and
 * tombstones that contradict the records go; the counters of the catalogue are made to fit. What cannot be mended stays as it is, and
 * `checkRecords` tells it afterwards. A file with pages that SQLite cannot read is left alone: writing to it could take more away, and
 * `salvageRecords` makes a new one of it. Not to be called inside a transaction. Blocks the thread, and nobody else may write meanwhile.
 *
 * @throws NighError What has nothing to do with damage, such as `DISK_FULL`.
 */
export function mendRecords(db: DatabaseSync): void {
	if (!isIntact(db)) return;
	attempt(db, () => db.exec("REINDEX"));
	for (const key of collectionKeys(db)) for (const mend of MENDS) attempt(db, () => mend(db, key));
}

/** Whether all pages are what they should be. What FTS5 finds wrong in its own rows says nothing about the file. */
function isIntact(db: DatabaseSync): boolean {
	let lines: readonly string[] = ["not read"];
	tryTo(() => {
		lines = db
			.prepare("PRAGMA quick_check")
			.all()
			.map((row) => String(row.quick_check));
	});
	return lines.every((line) => line === "ok" || line.startsWith("fts5:"));
}

type Mend = (db: DatabaseSync, key: number) => void;

const MENDS: readonly Mend[] = [mendVectors, mendTombstones, mendCounters, mendWords];

function collectionKeys(db: DatabaseSync): readonly number[] {
	let keys: readonly number[] = [];
	tryTo(() => {
		keys = listCollections(db).map(({ key }) => key);
	});
	return keys;
}

function mendVectors(db: DatabaseSync, key: number): void {
	const { records, vectors } = tablesOf(key);
	db.exec(`DELETE FROM ${vectors} WHERE label NOT IN (SELECT label FROM ${records})`);
}

function mendTombstones(db: DatabaseSync, key: number): void {
	const { records, tombstones } = tablesOf(key);
	db.exec(`DELETE FROM ${tombstones} WHERE label IN (SELECT label FROM ${records})`);
}

function mendCounters(db: DatabaseSync, key: number): void {
	const { records } = tablesOf(key);
	db.exec(`
		UPDATE collections SET
			records = (SELECT count(*) FROM ${records}),
			next_label = max(next_label, coalesce((SELECT max(label) + 1 FROM ${records}), 0)),
			change = max(change, coalesce((SELECT max(change) FROM ${records}), 0))
		WHERE key = ${key}`);
}

function mendWords(db: DatabaseSync, key: number): void {
	db.exec(`DROP TABLE IF EXISTS ${tablesOf(key).words}`);
	createWords(db, key);
	indexWords(db, key);
}

/** One step in a transaction of its own. */
function attempt(db: DatabaseSync, step: () => void): void {
	tryTo(() => {
		db.exec("BEGIN IMMEDIATE");
		try {
			step();
			db.exec("COMMIT");
		} finally {
			if (db.isTransaction) db.exec("ROLLBACK");
		}
	});
}

function tryTo(step: () => void): void {
	try {
		step();
	} catch (error) {
		const failure = asNighError(error, "mending the records");
		// What damage makes impossible stays. A full disk, say, is another matter.
		if (isNighError(failure) && failure.code !== "CORRUPT_RECORDS") throw failure;
	}
}
