import type { DatabaseSync } from "node:sqlite";

/** "Nigh" as SQLite's application id: tells our file from any other SQLite file. */
export const APPLICATION_ID = 0x4e696768;

/** The version of the tables, kept in `user_version`. A file with a higher one is refused with `NEWER_VERSION`. */
export const SCHEMA_VERSION = 1;

/**
 * A page holds two vectors of 3 KB or a dozen of 512 bytes; at 8 KiB batches of either are written faster than at SQLite's 4 KiB
 * (measured: 240,000 rows of 128 floats a second instead of 190,000).
 */
export const PAGE_BYTES = 8_192;

/**
 * FTS5 rewrites a part of the full-text index when this share of its rows is gone. Measured on 60,000 records of 40 words, replaced twice
 * in batches of 1,000: at its own default, 10, the commits took five times as long as at 50, where the index ended at 1.3 times the size
 * that `optimize` left.
 */
const DELETEMERGE_PERCENT = 50;

/** The last change of which a tombstone has been given up: whoever stands before it cannot be told of every delete since. */
const RECLAIMED = "reclaimed_through INTEGER NOT NULL DEFAULT 0";

/** Tables that all collections share. */
const CATALOGUE = `
	-- One row: what tells this database from others, so that a snapshot of another one is not taken for its own.
	CREATE TABLE identity (id TEXT NOT NULL) STRICT;
	CREATE TABLE collections (
		key INTEGER PRIMARY KEY AUTOINCREMENT,
		name TEXT NOT NULL UNIQUE,
		-- The spec as JSON, every default of its creation filled in (see catalogue.ts).
		spec TEXT NOT NULL,
		-- The number of the last committed change of this collection.
		change INTEGER NOT NULL,
		-- The label that the next vector gets. Labels are never given twice.
		next_label INTEGER NOT NULL,
		-- Records there are, expired ones included: counting rows would take time in proportion to them.
		records INTEGER NOT NULL,
		${RECLAIMED}
	) STRICT;
`;

/** The names of one collection's tables. `key` is a whole number that SQLite gave, so it can stand in SQL as it is. */
export function tablesOf(key: number) {
	return {
		/** Everything about a record but its vector, so that looking for matches does not read vectors. */
		records: `records_${key}`,
		vectors: `vectors_${key}`,
		/** Labels that have gone, and the change that took them away. */
		tombstones: `tombstones_${key}`,
		/** Full-text index without a copy of the text; its rowid is the label. */
		words: `words_${key}`,
	} as const;
}

/** Lays a new database out. To be called inside a transaction. */
export function createCatalogue(db: DatabaseSync): void {
	db.exec(
		`${CATALOGUE} INSERT INTO identity VALUES (lower(hex(randomblob(16)))); PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${SCHEMA_VERSION};`,
	);
}

/** Adds what the tables of the first databases lack. To be called outside a transaction. */
export function completeCatalogue(db: DatabaseSync): void {
	const column = "SELECT 1 FROM pragma_table_info('collections') WHERE name = 'reclaimed_through'";
	if (db.prepare(column).get() === undefined) db.exec(`ALTER TABLE collections ADD COLUMN ${RECLAIMED}`);
}

/** Creates the tables of one collection. To be called inside a transaction. */
export function createTables(db: DatabaseSync, key: number): void {
	const { records, vectors, tombstones } = tablesOf(key);
	db.exec(`
		CREATE TABLE ${records} (
			label INTEGER PRIMARY KEY,
			id TEXT NOT NULL UNIQUE,
			-- JSON text; NULL: none.
			metadata TEXT,
			text TEXT,
			inserted_at INTEGER NOT NULL,
			updated_at INTEGER NOT NULL,
			expires_at INTEGER,
			-- The change that gave the label, and the last one that touched the row (a metadata-only update keeps the label).
			born INTEGER NOT NULL,
			change INTEGER NOT NULL
		) STRICT;
		-- Only rows that were updated in place are in it: plain inserts do not pay for it.
		CREATE INDEX ${records}_touched ON ${records}(change) WHERE change > born;
		CREATE INDEX ${records}_expiring ON ${records}(expires_at) WHERE expires_at IS NOT NULL;
		CREATE INDEX ${records}_age ON ${records}(updated_at);
		CREATE TABLE ${vectors} (label INTEGER PRIMARY KEY, vector BLOB NOT NULL) STRICT;
		CREATE TABLE ${tombstones} (change INTEGER NOT NULL, label INTEGER NOT NULL, PRIMARY KEY (change, label)) STRICT, WITHOUT ROWID;
	`);
	createWords(db, key);
}

/** Creates the full-text index of one collection, empty. To be called inside a transaction. */
export function createWords(db: DatabaseSync, key: number): void {
	const { words } = tablesOf(key);
	db.exec(`
		CREATE VIRTUAL TABLE ${words} USING fts5(text, content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 2');
		INSERT INTO ${words} (${words}, rank) VALUES ('deletemerge', ${DELETEMERGE_PERCENT});
	`);
}

/** Takes the tables of a collection away. To be called inside a transaction. */
export function dropTables(db: DatabaseSync, key: number): void {
	for (const table of Object.values(tablesOf(key))) db.exec(`DROP TABLE IF EXISTS ${table}`);
}

/** What tells this database from others. */
export function databaseId(db: DatabaseSync): string {
	return (db.prepare("SELECT id FROM identity").get() as { id: string }).id;
}
