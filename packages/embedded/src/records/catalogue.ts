import type { DatabaseSync } from "node:sqlite";
import { type EffectiveSettings, type IndexKind, type IndexSettings, NighError } from "@nigh/contract";
import { fieldSql } from "./field-sql.ts";
import { createTables, dropTables, tablesOf } from "./schema.ts";
import { asNighError } from "./sqlite-errors.ts";

/** What is kept of a collection's spec, every default filled in: the settings in force, but with the index as it was asked for. */
export type StoredSpec = Omit<EffectiveSettings, "index" | "database"> & {
	readonly index: IndexSettings;
	/** What `convert` or `rebuild` has put in its place since. */
	readonly converted?: IndexChoice;
};

/** How an index is to be built. With `auto`, the parameters are those of the graph that there will be. */
export type IndexChoice =
	| { readonly kind: "auto"; readonly M?: number; readonly efConstruction?: number }
	| Exclude<IndexSettings, { readonly kind: "auto" }>;

/** The index that a collection is to have now. */
export function chosenIndex({ index, converted }: Pick<StoredSpec, "index" | "converted">): IndexChoice {
	return converted ?? index;
}

/** The kind of index that a collection is to have, as far as that does not depend on its size. */
export function askedKind(spec: Pick<StoredSpec, "index" | "converted">): IndexKind {
	const { kind } = chosenIndex(spec);
	return kind === "auto" ? "flat" : kind;
}

/** Whether an index, or what is asked for as one, leaves its vectors on disk. */
export function isOnDisk(index: { readonly kind: string } | null | undefined): boolean {
	return index !== null && index !== undefined && "storage" in index && index.storage === "disk";
}

/** Whether two choices are of one kind and of the same parameters, in whatever order these are written. */
export function isSameIndex(a: IndexChoice, b: IndexChoice): boolean {
	const parameters: Readonly<Record<string, unknown>> = { ...b };
	const given = Object.entries(a);
	return given.length === Object.keys(b).length && given.every(([name, value]) => parameters[name] === value);
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
	/** The last change of which a tombstone has been given up; 0: none. An index that stands before it has to be made anew. */
	readonly reclaimedThrough: number;
}

/** As a row has it; the first databases had no `reclaimed_through`, and a backup of one still has none. */
interface Row {
	readonly key: number;
	readonly name: string;
	readonly spec: string;
	readonly change: number;
	readonly next_label: number;
	readonly records: number;
	readonly reclaimed_through?: number;
}

/**
 * Every collection, in the order of their names in UTF-8.
 *
 * @throws NighError `CORRUPT_RECORDS` where a spec cannot be read.
 */
export function listCollections(db: DatabaseSync): CatalogueEntry[] {
	return read(() => db.prepare("SELECT * FROM collections ORDER BY name").all() as unknown as Row[]).map(entryOf);
}

/**
 * The keys of all collections.
 *
 * @throws NighError `CORRUPT_RECORDS`.
 */
export function keysOf(db: DatabaseSync): Set<number> {
	const rows = read(() => db.prepare("SELECT key FROM collections").all() as unknown as Pick<Row, "key">[]);
	return new Set(rows.map(({ key }) => key));
}

/**
 * The collection of that name, `undefined` where there is none.
 *
 * @throws NighError `CORRUPT_RECORDS` where its spec cannot be read.
 */
export function findCollection(db: DatabaseSync, name: string): CatalogueEntry | undefined {
	const find = "SELECT * FROM collections WHERE name = ?";
	const row = read(() => db.prepare(find).get(name) as unknown as Row | undefined);
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
	return { key, name, spec, change: 0, nextLabel: 0, records: 0, reclaimedThrough: 0 };
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
	const { key, name, change, next_label: nextLabel, records, reclaimed_through: reclaimedThrough = 0 } = row;
	return { key, name, spec: specOf(row), change, nextLabel, records, reclaimedThrough };
}

/** What the specs of the first databases do not have. */
const SINCE_THE_FIRST = {
	memory: null,
	tuner: { algorithm: "epsilon-greedy", epsilon: 0.1, decay: 1, live: false },
	latencyMs: null,
} as const satisfies Partial<StoredSpec>;

function specOf({ name, spec }: Row): StoredSpec {
	try {
		return { ...SINCE_THE_FIRST, ...(JSON.parse(spec) as Omit<StoredSpec, keyof typeof SINCE_THE_FIRST>) };
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
