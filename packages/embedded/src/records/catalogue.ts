import type { DatabaseSync } from "node:sqlite";
import { type EffectiveSettings, type IndexSpec, NighError } from "@nigh/contract";
import { fieldSql } from "./field-sql.ts";
import { createTables, dropTables, tablesOf } from "./schema.ts";
import { asNighError } from "./sqlite-errors.ts";

/** What is kept of a collection's spec, every default filled in: the settings in force, but with the index as it was asked for. */
export type StoredSpec = Omit<EffectiveSettings, "index"> & {
	readonly index: IndexSpec;
	/** What `convert` or `rebuild` has put in its place since. */
	readonly converted?: IndexSpec;
};

/** The index that a collection is to have now. */
export function chosenIndex({ index, converted }: Pick<StoredSpec, "index" | "converted">): IndexSpec {
	return converted ?? index;
}

/** A collection as the catalogue knows it. */
export interface CatalogueEntry {
	readonly key: number;
	readonly name: string;
	readonly spec: StoredSpec;
	/** The number of the last change. */
	readonly change: number;
	/** The label that the next vector gets. */
	readonly nextLabel: number;
	/** Records there are, expired ones included. */
	readonly records: number;
}

const COLUMNS = "key, name, spec, change, next_label AS nextLabel, records";

type Row = Omit<CatalogueEntry, "spec"> & { readonly spec: string };

/**
 * Every collection, in the order of their names in UTF-8.
 *
 * @throws NighError `CORRUPT_RECORDS` where a spec cannot be read.
 */
export function listCollections(db: DatabaseSync): CatalogueEntry[] {
	return read(() => db.prepare(`SELECT ${COLUMNS} FROM collections ORDER BY name`).all() as unknown as Row[]).map(
		entryOf,
	);
}

/**
 * The collection of that name, `undefined` where there is none.
 *
 * @throws NighError `CORRUPT_RECORDS` where its spec cannot be read.
 */
export function findCollection(db: DatabaseSync, name: string): CatalogueEntry | undefined {
	const find = `SELECT ${COLUMNS} FROM collections WHERE name = ?`;
	const row = read(() => db.prepare(find).get(name) as Row | undefined);
	return row === undefined ? undefined : entryOf(row);
}

/** Writes a new collection down and lays out its tables. To be called inside a transaction; the name must be free. */
export function createCollection(db: DatabaseSync, name: string, spec: StoredSpec): CatalogueEntry {
	const { lastInsertRowid } = db
		.prepare("INSERT INTO collections (name, spec, change, next_label, records) VALUES (?, ?, 0, 0, 0)")
		.run(name, JSON.stringify(spec));
	const key = Number(lastInsertRowid);
	createTables(db, key);
	indexFields(db, key, spec.filterable);
	return { key, name, spec, change: 0, nextLabel: 0, records: 0 };
}

/** Writes another spec for a collection, and creates and drops the indexes of its filterable fields. To be called inside a transaction. */
export function replaceSpec(db: DatabaseSync, key: number, spec: StoredSpec): void {
	const { changes } = db.prepare("UPDATE collections SET spec = ? WHERE key = ?").run(JSON.stringify(spec), key);
	if (Number(changes) === 0) throw noCollection(key);
	indexFields(db, key, spec.filterable);
}

/** Takes a collection and its tables away. To be called inside a transaction. */
export function dropCollection(db: DatabaseSync, key: number): void {
	dropTables(db, key);
	db.prepare("DELETE FROM collections WHERE key = ?").run(key);
}

export function noCollection(key: number): NighError {
	return new NighError("NOT_FOUND", `There is no collection with the key ${key} any more: it has been dropped.`, {
		value: key,
	});
}

function read<T>(query: () => T): T {
	try {
		return query();
	} catch (error) {
		throw asNighError(error, "reading the list of collections");
	}
}

function entryOf(row: Row): CatalogueEntry {
	// A plain object: rows of node:sqlite have no prototype.
	return { ...row, spec: specOf(row) };
}

function specOf({ name, spec }: Row): StoredSpec {
	try {
		return JSON.parse(spec) as StoredSpec;
	} catch (cause) {
		const advice = "repairFolder() (nigh repair) saves what can be read; otherwise restore a backup.";
		const message = `The spec of the collection ${JSON.stringify(name)} is not JSON: the file is damaged. ${advice}`;
		throw new NighError("CORRUPT_RECORDS", message, { field: "spec" }, { cause });
	}
}

/** Gives every filterable field its index, and takes away those of fields that are not filterable any more. */
function indexFields(db: DatabaseSync, key: number, filterable: readonly string[]): void {
	const { records } = tablesOf(key);
	const wanted = new Map(filterable.map((path) => [indexName(records, path), path]));
	const there = db
		.prepare("SELECT name FROM sqlite_schema WHERE type = 'index' AND tbl_name = ? AND name GLOB ?")
		.all(records, `${indexName(records, "")}*`) as { name: string }[];
	for (const { name } of there) {
		if (!wanted.delete(name)) db.exec(`DROP INDEX ${name}`);
	}
	for (const [name, path] of wanted) db.exec(`CREATE INDEX ${name} ON ${records}(${fieldSql(path.split("."))})`);
}

/** The path in hexadecimal: a name for every path, and none for two (SQLite takes `a` and `A` for one name). */
function indexName(records: string, path: string): string {
	return `${records}_field_${Buffer.from(path, "utf8").toString("hex")}`;
}
