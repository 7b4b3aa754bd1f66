import { DatabaseSync } from "node:sqlite";
import { NighError } from "@nigh/contract";
import { APPLICATION_ID, completeCatalogue, createCatalogue, PAGE_BYTES, SCHEMA_VERSION } from "./schema.ts";
import { asNighError } from "./sqlite-errors.ts";

/**
 * What an acknowledgement means. `full`: on disk, survives a power cut. `normal`: survives a kill of the process; a power cut may take the
 * last commits (never their order, never the file). `off`: for databases that are thrown away.
 */
export type Durability = "full" | "normal" | "off";

/** Milliseconds that a statement waits for another connection's lock: a checkpoint holds one for a moment. */
const BUSY_TIMEOUT_MS = 5_000;
/** The WAL is taken into the database file when it has this many pages: seldom enough that the same page is not written for each batch. */
const CHECKPOINT_PAGES = 4_096;
const CACHE_KIB = 65_536;

export interface WriterOptions {
	/** Lay out a new database where the file is missing or empty. Default: true. */
	readonly create?: boolean;
}

/**
 * Opens the records for writing, creating the file where there is none.
 *
 * @throws NighError `CORRUPT_RECORDS`, `NEWER_VERSION`, `READ_ONLY`, `DISK_FULL`.
 */
export function openWriter(path: string, durability: Durability, options: WriterOptions = {}): DatabaseSync {
	const { create = true } = options;
	return opened(path, () => {
		const db = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
		return prepared(db, () => {
			db.exec(`
				PRAGMA page_size = ${PAGE_BYTES};
				PRAGMA auto_vacuum = INCREMENTAL;
				PRAGMA journal_mode = WAL;
				PRAGMA synchronous = ${durability.toUpperCase()};
				PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES};
				PRAGMA journal_size_limit = ${CHECKPOINT_PAGES * PAGE_BYTES};
				PRAGMA cache_size = -${CACHE_KIB};
			`);
			if (isEmpty(db) && !create) throw emptied(path);
			if (isEmpty(db)) {
				db.exec("BEGIN IMMEDIATE");
				createCatalogue(db);
				db.exec("COMMIT");
			} else {
				checkVersion(db, path);
				completeCatalogue(db);
			}
		});
	});
}

/**
 * Opens the records for reading, beside a writer of this or another process. Each statement, or each transaction, sees one committed state.
 *
 * @throws NighError `NOT_FOUND`, `CORRUPT_RECORDS`, `NEWER_VERSION`.
 */
export function openReader(path: string): DatabaseSync {
	return opened(path, () => {
		const db = new DatabaseSync(path, { readOnly: true, timeout: BUSY_TIMEOUT_MS });
		return prepared(db, () => {
			db.exec(`PRAGMA cache_size = -${CACHE_KIB}`);
			checkVersion(db, path);
		});
	});
}

function opened(path: string, open: () => DatabaseSync): DatabaseSync {
	try {
		return open();
	} catch (error) {
		throw asNighError(error, `opening ${path}`, path);
	}
}

/** Closes the connection where preparing it fails. */
function prepared(db: DatabaseSync, prepare: () => void): DatabaseSync {
	try {
		prepare();
		return db;
	} catch (error) {
		db.close();
		throw error;
	}
}

function emptied(path: string): NighError {
	const message = `${path} is empty, though it had been written to: its records are lost. Restore a backup. To begin anew, delete the folder.`;
	return new NighError("CORRUPT_RECORDS", message, { path });
}

function isEmpty(db: DatabaseSync): boolean {
	return numberOf(db, "SELECT count(*) AS value FROM sqlite_schema") === 0;
}

function checkVersion(db: DatabaseSync, path: string): void {
	if (numberOf(db, "SELECT application_id AS value FROM pragma_application_id") !== APPLICATION_ID) {
		throw new NighError(
			"CORRUPT_RECORDS",
			`${path} is an SQLite database, but not one of Nigh's. Open another folder.`,
		);
	}
	const version = numberOf(db, "SELECT user_version AS value FROM pragma_user_version");
	if (version <= SCHEMA_VERSION) return;
	throw new NighError(
		"NEWER_VERSION",
		`${path} was written in format ${version}; this version of Nigh reads up to ${SCHEMA_VERSION}: update nigh.`,
		{ value: version, bound: SCHEMA_VERSION },
	);
}

function numberOf(db: DatabaseSync, sql: string): number {
	return (db.prepare(sql).get() as { value: number }).value;
}
