import type { DatabaseSync } from "node:sqlite";
import { isNighError } from "@nigh/contract";
import { type CatalogueEntry, listCollections } from "./catalogue.ts";
import { tablesOf } from "./schema.ts";
import { asNighError } from "./sqlite-errors.ts";
import { vectorBytes } from "./vector-bytes.ts";

/** Something in the records that is not as Nigh writes it. */
export interface RecordsProblem {
	/** `null`: it is not of one collection. */
	readonly collection: string | null;
	/** A sentence. */
	readonly message: string;
}

export interface CheckOptions {
	/** Leave out whether SQLite's indexes say the same as the tables: about half the time. Default: false. */
	readonly quick?: boolean;
}

const MOST_MESSAGES = 100;

/**
 * Reads all the records and compares what has to agree: the file's own structure and that of the full-text index (SQLite's check of
 * itself), records with their vectors, words and the counts in the catalogue. Changes nothing. Blocks the thread, so it belongs in a worker.
 *
 * SQLite keeps no checksums: a value that was changed into another one that could be is not found.
 *
 * @returns No problems: nothing is wrong.
 * @throws NighError `UNAVAILABLE`, `LOCKED`: what has nothing to do with damage.
 */
export function checkRecords(db: DatabaseSync, options: CheckOptions = {}): RecordsProblem[] {
	const problems: RecordsProblem[] = [];
	const check = (collection: string | null, what: string, find: () => Iterable<string>) => {
		try {
			for (const message of find()) problems.push({ collection, message });
		} catch (error) {
			problems.push({ collection, message: `${what} cannot be read (${damageOf(error)}).` });
		}
	};
	check(null, "The database file", () => structure(db, options.quick === true));
	let collections: readonly CatalogueEntry[] = [];
	// In one transaction: beside a writer the counts of one state would be compared with the rows of another.
	const isOwn = !db.isTransaction;
	if (isOwn) db.exec("BEGIN");
	try {
		check(null, "The list of collections", () => {
			collections = listCollections(db);
			return [];
		});
		for (const entry of collections) {
			for (const [what, find] of CHECKS) {
				check(entry.name, `${what} of the collection "${entry.name}"`, () => find(db, entry));
			}
		}
	} finally {
		if (isOwn && db.isTransaction) db.exec("ROLLBACK");
	}
	return problems;
}

/** What SQLite, and FTS5 in it, find out about themselves. */
function structure(db: DatabaseSync, quick: boolean): string[] {
	const rows = db.prepare(`PRAGMA ${quick ? "quick_check" : "integrity_check"}(${MOST_MESSAGES})`).all();
	const lines = rows.flatMap((row) => String(Object.values(row)[0]).split("\n"));
	return lines
		.filter((line) => line !== "ok" && line !== "" && !line.startsWith("***"))
		.map((line) => `SQLite finds its file damaged: ${line}.`);
}

type Check = (db: DatabaseSync, entry: CatalogueEntry) => Generator<string>;

const CHECKS: readonly (readonly [string, Check])[] = [
	["The records", checkTable],
	["The vectors", checkVectors],
	["The words", checkWords],
];

function* checkTable(
	db: DatabaseSync,
	{ key, name, nextLabel, change, records: expected }: CatalogueEntry,
): Generator<string> {
	const { records, tombstones } = tablesOf(key);
	const { count } = countOf(db, `SELECT count(*) AS count FROM ${records}`);
	if (count !== expected) yield `The collection "${name}" has ${count} records, and its catalogue says ${expected}.`;
	yield* found(
		db,
		name,
		"have a label that has not been given yet",
		`${records} WHERE label < 0 OR label >= ${nextLabel}`,
	);
	yield* found(
		db,
		name,
		"are of a change that has not been yet",
		`${records} WHERE change > ${change} OR born > change`,
	);
	yield* found(db, name, "have metadata that are not JSON", `${records} WHERE NOT json_valid(metadata)`);
	yield* found(
		db,
		name,
		"have been deleted and are there",
		`${records} WHERE label IN (SELECT label FROM ${tombstones})`,
	);
}

function* checkVectors(db: DatabaseSync, { key, name, spec }: CatalogueEntry): Generator<string> {
	const { records, vectors } = tablesOf(key);
	yield* found(db, name, "have no vector", `${records} WHERE label NOT IN (SELECT label FROM ${vectors})`);
	yield* found(
		db,
		name,
		"are not there, but their vectors are",
		`${vectors} WHERE label NOT IN (SELECT label FROM ${records})`,
	);
	const bytes = vectorBytes(spec);
	if (bytes === undefined) yield* found(db, name, "have a vector, though no dimensions are known", `${vectors}`);
	else yield* found(db, name, `have a vector of not ${bytes} bytes`, `${vectors} WHERE length(vector) <> ${bytes}`);
}

/** FTS5 keeps a row with the length of each text in `docsize`; its own rows cannot be listed faster. */
function* checkWords(db: DatabaseSync, { key, name }: CatalogueEntry): Generator<string> {
	const { records, words } = tablesOf(key);
	const docsize = `(SELECT id AS label FROM ${words}_docsize)`;
	const texts = `SELECT label FROM ${records} WHERE octet_length(text) > 0`;
	yield* found(
		db,
		name,
		"have a text that cannot be searched",
		`(${texts}) WHERE label NOT IN (SELECT label FROM ${docsize})`,
	);
	yield* found(db, name, "have no text, but words of one", `${docsize} WHERE label NOT IN (${texts})`);
}

function* found(db: DatabaseSync, name: string, problem: string, from: string): Generator<string> {
	const { count, first } = countOf(db, `SELECT count(*) AS count, min(label) AS first FROM ${from}`);
	if (count > 0) yield `Records of the collection "${name}" ${problem}: ${count}, the first with the label ${first}.`;
}

function countOf(db: DatabaseSync, sql: string): { count: number; first: number } {
	return db.prepare(sql).get() as { count: number; first: number };
}

/** What is no damage is thrown on: it says nothing about the records. */
function damageOf(error: unknown): string {
	const known = asNighError(error, "checking the records");
	if (!isNighError(known, "CORRUPT_RECORDS")) throw known;
	return known.cause instanceof Error ? known.cause.message : known.message;
}
