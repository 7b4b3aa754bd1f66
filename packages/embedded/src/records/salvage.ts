import { existsSync, rmSync } from "node:fs";
import type { DatabaseSync, SQLOutputValue } from "node:sqlite";
import { checkCollectionName, checkId, checkVector, NighError } from "@nigh/contract";
import { type CatalogueEntry, createCollection, type StoredSpec } from "./catalogue.ts";
import { openReader, openWriter } from "./connection.ts";
import { indexWords } from "./index-words.ts";
import { type Row, readDamaged } from "./read-damaged.ts";
import { tablesOf } from "./schema.ts";
import { asNighError } from "./sqlite-errors.ts";
import { vectorBytes } from "./vector-bytes.ts";

/** What became of a collection. */
export interface SalvagedCollection {
	readonly name: string;
	/** Records there are now. */
	readonly kept: number;
	/** Records that there were, by the catalogue, and that are not there any more. */
	readonly lost: number;
	/** Of those: records that could be read, but not their vector. */
	readonly withoutVector: number;
	/** Of those: vectors that could be read, but not their record. */
	readonly withoutRecord: number;
	/** Rows that could be read, but that Nigh cannot have written. */
	readonly refused: number;
}

export interface SalvageReport {
	readonly collections: readonly SalvagedCollection[];
	/** Collections that nothing can be saved of: their line in the catalogue cannot be read. */
	readonly lostCollections: number;
}

/**
 * Reads what SQLite can still read of a damaged database into a new one. A record is kept with its vector or not at all; words are indexed
 * anew. Records keep their labels and change numbers; the new database has an identity of its own, so snapshots of the old one do not fit.
 *
 * SQLite keeps no checksums: a value that was changed into another one that could be is taken for it. Blocks the thread.
 *
 * @param damaged Its WAL, where there is one, has to lie beside it. It is not changed.
 * @param target Must not exist. Gone again where this throws.
 * @throws NighError `CORRUPT_RECORDS` where nothing can be saved, `INVALID_OPTION` (the target exists), `NOT_FOUND`, `NEWER_VERSION`,
 * `DISK_FULL`, `READ_ONLY`.
 */
export function salvageRecords(damaged: string, target: string): SalvageReport {
	if (existsSync(target)) throw taken(target);
	const from = openReader(damaged);
	try {
		return intoNew(from, damaged, target);
	} finally {
		from.close();
	}
}

function intoNew(from: DatabaseSync, damaged: string, target: string): SalvageReport {
	let into: DatabaseSync | undefined;
	try {
		const keys = collectionKeys(from);
		const entries = readCatalogue(from, Math.max(0, ...keys));
		if (entries.length === 0 && keys.length > 0) throw nothingLeft(damaged);
		into = openWriter(target, "full");
		const db = into;
		// A cell that does not fit its page gives the page away, before what is in it is believed.
		from.exec("PRAGMA cell_size_check = ON");
		const collections = entries.map((entry) => salvageCollection(from, db, entry));
		into.close();
		return { collections, lostCollections: keys.length - entries.length };
	} catch (error) {
		if (into?.isOpen) into.close();
		for (const suffix of ["", "-wal", "-shm"]) rmSync(`${target}${suffix}`, { force: true });
		throw asNighError(error, `saving what is left of ${damaged}`);
	}
}

function readCatalogue(from: DatabaseSync, lastKey: number): CatalogueEntry[] {
	const entries: CatalogueEntry[] = [];
	const columns = "name, spec, change, next_label, records";
	for (const row of readDamaged(from, "collections", "key", columns, lastKey + 1)) {
		const entry = entryOf(row);
		if (entry !== undefined) entries.push(entry);
	}
	return entries;
}

/** `undefined` for what no catalogue says. */
function entryOf([key, name, text, change, nextLabel, records]: Row): CatalogueEntry | undefined {
	if (![change, nextLabel, records].every(isCount)) return undefined;
	try {
		const spec = JSON.parse(text as string) as StoredSpec;
		const counts = { change, nextLabel, records } as Pick<CatalogueEntry, "change" | "nextLabel" | "records">;
		// No tombstone is saved.
		return { key, name: checkCollectionName(name), spec, ...counts, reclaimedThrough: counts.change };
	} catch {
		return undefined;
	}
}

/** Of every collection, by the tables there are. */
function collectionKeys(from: DatabaseSync): number[] {
	const names = from.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all() as { name: string }[];
	return names.flatMap(({ name }) => /^records_(\d+)$/.exec(name)?.[1] ?? []).map(Number);
}

function salvageCollection(from: DatabaseSync, into: DatabaseSync, entry: CatalogueEntry): SalvagedCollection {
	into.exec("BEGIN");
	const { key } = createCollection(into, entry.name, entry.spec);
	const refusedRecords = salvageRows(from, into, entry, key);
	const vectors = salvageVectors(from, into, entry, key);
	const withoutVector = dropWithoutVector(into, key);
	indexWords(into, key);
	const kept = countRecords(into, key);
	into
		.prepare("UPDATE collections SET change = ?, next_label = ?, records = ?, reclaimed_through = ? WHERE key = ?")
		.run(entry.change, entry.nextLabel, kept, entry.reclaimedThrough, key);
	into.exec("COMMIT");
	return {
		name: entry.name,
		kept,
		lost: Math.max(entry.records - kept, 0),
		withoutVector,
		withoutRecord: vectors.withoutRecord,
		refused: refusedRecords + vectors.refused,
	};
}

/** Text as bytes: read as a string, bytes that are no UTF-8 would become other characters without a word. */
const RECORD_COLUMNS = `
	CAST(id AS BLOB), CAST(metadata AS BLOB), CAST(text AS BLOB), inserted_at, updated_at, expires_at, born, change,
	typeof(id) = 'text' AND typeof(coalesce(metadata, '')) = 'text' AND typeof(coalesce(text, '')) = 'text'`;

/** Returns the number of rows refused. */
function salvageRows(from: DatabaseSync, into: DatabaseSync, entry: CatalogueEntry, key: number): number {
	const insert = into.prepare(`INSERT OR IGNORE INTO ${tablesOf(key).records} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`);
	let refused = 0;
	for (const row of readDamaged(from, tablesOf(entry.key).records, "label", RECORD_COLUMNS, entry.nextLabel)) {
		const values = recordValues(row, entry);
		// The id of two rows is that of one of them at most, and nobody can say of which.
		if (values === undefined || insert.run(...values).changes === 0) refused++;
	}
	return refused;
}

type RecordValues = [number, string, string | null, string | null, number, number, number | null, number, number];

/** `undefined` for what Nigh cannot have written. */
function recordValues(row: Row, entry: CatalogueEntry): RecordValues | undefined {
	const [label, id, metadata, text, insertedAt, updatedAt, expiresAt, born, change, typed] = row;
	if (typed !== 1) return undefined;
	if (![insertedAt, updatedAt, expiresAt ?? 0, born, change].every(isCount)) return undefined;
	const times = [insertedAt, updatedAt, expiresAt, born, change] as [number, number, number | null, number, number];
	if (times[3] > times[4] || times[4] > entry.change) return undefined;
	try {
		const json = textOf(metadata);
		if (json !== null && !isObject(JSON.parse(json))) return undefined;
		return [label, checkId(textOf(id)), json, textOf(text), ...times];
	} catch {
		return undefined;
	}
}

function salvageVectors(
	from: DatabaseSync,
	into: DatabaseSync,
	entry: CatalogueEntry,
	key: number,
): { withoutRecord: number; refused: number } {
	const { records, vectors } = tablesOf(key);
	const insert = into.prepare(
		`INSERT INTO ${vectors} SELECT ?1, ?2 WHERE EXISTS (SELECT 1 FROM ${records} WHERE label = ?1)`,
	);
	let withoutRecord = 0;
	let refused = 0;
	for (const [label, vector] of readDamaged(from, tablesOf(entry.key).vectors, "label", "vector", entry.nextLabel)) {
		if (!isVector(vector, entry.spec)) refused++;
		else if (insert.run(label, vector).changes === 0) withoutRecord++;
	}
	return { withoutRecord, refused };
}

function isVector(vector: SQLOutputValue | undefined, spec: StoredSpec): vector is Uint8Array<ArrayBuffer> {
	if (!(vector instanceof Uint8Array) || vector.length !== vectorBytes(spec)) return false;
	if (spec.type === "bit") return true;
	try {
		// A copy: floats have to begin at a multiple of four.
		checkVector(new Float32Array(vector.slice().buffer), spec.dimensions as number);
		return true;
	} catch {
		return false;
	}
}

/** Returns how many there were. */
function dropWithoutVector(into: DatabaseSync, key: number): number {
	const { records, vectors } = tablesOf(key);
	return Number(into.prepare(`DELETE FROM ${records} WHERE label NOT IN (SELECT label FROM ${vectors})`).run().changes);
}

function countRecords(into: DatabaseSync, key: number): number {
	return (into.prepare(`SELECT count(*) AS count FROM ${tablesOf(key).records}`).get() as { count: number }).count;
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** @throws TypeError where the bytes are no UTF-8. */
function textOf(bytes: SQLOutputValue | undefined): string | null {
	return bytes === null ? null : utf8.decode(bytes as Uint8Array);
}

function isCount(value: SQLOutputValue | undefined): boolean {
	return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isObject(value: unknown): boolean {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}

function taken(path: string): NighError {
	return new NighError("INVALID_OPTION", `${path} exists: give the path of a file that is to be made.`, {
		field: "target",
		value: path,
	});
}

function nothingLeft(path: string): NighError {
	return new NighError(
		"CORRUPT_RECORDS",
		`The list of collections in ${path} cannot be read, and nothing can be saved without it: restore a backup.`,
		{ path },
	);
}
