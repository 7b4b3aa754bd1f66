import type { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { NighError } from "@nigh/contract";
import { type CatalogueEntry, createCollection, dropCollection, findCollection, listCollections } from "./catalogue.ts";
import { openReader } from "./connection.ts";
import { indexWords } from "./index-words.ts";
import { tablesOf } from "./schema.ts";

/** A collection that has been copied from another database. */
export interface CopiedCollection {
	readonly name: string;
	/** Records it has, expired ones included. */
	readonly records: number;
	/** Its key there, and here. */
	readonly oldKey: number;
	readonly key: number;
	/** The key of the one of the same name that was here. */
	readonly replaced: number | undefined;
}

const OTHER = "other";

/** Makes another database's records readable over this connection. Not to be called inside a transaction. Nobody may change them meanwhile. */
export function attachRecords(db: DatabaseSync, path: string): void {
	// "immutable" reads without locks, and so without files beside it: a backup may lie where nothing can be written.
	db.prepare(`ATTACH ? AS ${OTHER}`).run(`${pathToFileURL(path).href}?immutable=1`);
}

export function detachRecords(db: DatabaseSync): void {
	db.exec(`DETACH ${OTHER}`);
}

/** The collections of a database that nobody has open. @throws NighError As `openReader`. */
export function collectionsIn(path: string): CatalogueEntry[] {
	const db = openReader(path);
	try {
		return listCollections(db);
	} finally {
		db.close();
	}
}

/**
 * Copies collections from the attached records: all that is known of them but their words, which are indexed anew. Labels and change numbers
 * stay. To be called inside a transaction, which is to be rolled back where this throws.
 *
 * @throws NighError `SPEC_CONFLICT` where a collection of the same name is here, unless `overwrite` replaces it; `CORRUPT_RECORDS` where not
 * as many records or vectors can be copied as the catalogue says.
 */
export function copyCollections(
	db: DatabaseSync,
	entries: readonly CatalogueEntry[],
	overwrite: boolean,
): CopiedCollection[] {
	const here = new Map(entries.map(({ name }) => [name, findCollection(db, name)?.key]));
	const taken = entries.filter(({ name }) => here.get(name) !== undefined).map(({ name }) => name);
	if (taken.length > 0 && !overwrite) throw areHere(taken);
	return entries.map((entry) => {
		const replaced = here.get(entry.name);
		if (replaced !== undefined) dropCollection(db, replaced);
		return { name: entry.name, records: entry.records, oldKey: entry.key, key: copied(db, entry), replaced };
	});
}

function copied(db: DatabaseSync, entry: CatalogueEntry): number {
	const { name, spec, records, change, nextLabel, reclaimedThrough } = entry;
	const { key } = createCollection(db, name, spec);
	const [from, to] = [tablesOf(entry.key), tablesOf(key)];
	const all = "label, id, metadata, text, inserted_at, updated_at, expires_at, born, change";
	const copy = (table: "records" | "vectors" | "tombstones", columns: string) =>
		Number(
			db
				.prepare(
					`INSERT INTO main.${to[table]} (${columns}) SELECT ${columns} FROM ${OTHER}.${from[table]} ORDER BY ${columns.split(",")[0]}`,
				)
				.run().changes,
		);
	const counts = [copy("records", all), copy("vectors", "label, vector")];
	copy("tombstones", "change, label");
	if (counts.some((count) => count !== records)) throw incomplete(name, records, counts);
	indexWords(db, key);
	const numbers = "change = ?, next_label = ?, records = ?, reclaimed_through = ?";
	db.prepare(`UPDATE collections SET ${numbers} WHERE key = ?`).run(change, nextLabel, records, reclaimedThrough, key);
	return key;
}

export function areHere(names: readonly string[]): NighError {
	const list = names.map((name) => JSON.stringify(name)).join(", ");
	const what = names.length === 1 ? `the collection ${list} is` : `the collections ${list} are`;
	return new NighError(
		"SPEC_CONFLICT",
		`${what} there already, and nothing was restored: drop what is there, or replace it with overwrite: true.`,
		{ field: "overwrite", value: [...names] },
	);
}

function incomplete(name: string, records: number, [copiedRecords = 0, vectors = 0]: readonly number[]): NighError {
	return new NighError(
		"CORRUPT_RECORDS",
		`The collection ${JSON.stringify(name)} is to have ${records} records; there are ${copiedRecords} and ${vectors} vectors: what was to be copied is damaged. Nothing was restored.`,
		{ count: copiedRecords, bound: records },
	);
}
