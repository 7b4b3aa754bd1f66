import type { DatabaseSync } from "node:sqlite";
import type { FilterNode, IncludeOptions } from "@nigh/contract";
import { type CatalogueEntry, findCollection, noCollection } from "./catalogue.ts";
import { countRecords } from "./count.ts";
import { findWords, type WordHit } from "./find-words.ts";
import { getByIds, getByLabels, LOOK_UP_ROWS, packByIds, packByLabels } from "./get.ts";
import { findMatches } from "./matches.ts";
import type { PackedRecords } from "./packed-records.ts";
import { type Page, type PageOptions, readPage } from "./page.ts";
import { damagedMetadata } from "./parse-metadata.ts";
import { type LabelChunk, readLabels } from "./read-labels.ts";
import { Statements } from "./read-statements.ts";
import type { ReadRecord } from "./row.ts";
import { type Position, readSince, readTouched, readVectors, type Since, type VectorChunk } from "./since.ts";
import { asNighError } from "./sqlite-errors.ts";
import { type CollectionState, readState } from "./state.ts";

/**
 * Reads the records over one connection. Every call sees one committed state and leaves no read open; {@link atOnce} makes several calls see
 * the same one. `key` is the collection's key in the catalogue, `now` milliseconds since 1970: a record is gone once its `expiresAt` is not
 * later.
 *
 * Every call may fail with NighError `CORRUPT_RECORDS`, and `NOT_FOUND` on a collection that was dropped.
 */
export class RecordReader {
	readonly #db: DatabaseSync;
	readonly #statements: Statements;

	constructor(db: DatabaseSync) {
		this.#db = db;
		this.#statements = new Statements(db);
	}

	/** Runs `read` in one transaction (or in the one that is open). */
	atOnce<T>(read: () => T): T {
		return this.#read(() => (this.#db.isTransaction ? read() : this.#inTransaction(read)));
	}

	/** Keeps to one state until {@link end}: the one that is newest at the first read. The log of changes cannot be emptied meanwhile. */
	begin(): void {
		this.#read(() => this.#db.exec("BEGIN"));
	}

	end(): void {
		// SQLite has ended the transaction by itself after some errors.
		if (this.#db.isTransaction) this.#db.exec("COMMIT");
	}

	/** The collection of that name, `undefined` where there is none. */
	entry(name: string): CatalogueEntry | undefined {
		return findCollection(this.#db, name);
	}

	/** @throws NighError `NOT_FOUND` when the collection has been dropped. */
	state(key: number): CollectionState {
		return this.#read(() => readState(this.#statements, key));
	}

	/** Records in the order of the ids, `undefined` in the place of each that is missing or has expired. */
	byIds(key: number, ids: readonly string[], include: IncludeOptions, now: number): (ReadRecord | undefined)[] {
		return this.#lookUp(ids.length, () => getByIds(this.#statements, key, ids, include, now));
	}

	/** As {@link byIds}, packed in parts for another thread. */
	packedByIds(key: number, ids: readonly string[], include: IncludeOptions, now: number): PackedRecords[] {
		return this.#lookUp(ids.length, () => packByIds(this.#statements, key, ids, include, now));
	}

	/** Records in the order of the labels, `undefined` in the place of each that is missing. Expired ones are given. */
	byLabels(key: number, labels: ArrayLike<number>, include: IncludeOptions): (ReadRecord | undefined)[] {
		return this.#lookUp(labels.length, () => getByLabels(this.#statements, key, labels, include));
	}

	/** As {@link byLabels}, packed for another thread. */
	packedByLabels(key: number, labels: ArrayLike<number>, include: IncludeOptions): PackedRecords {
		return this.#lookUp(labels.length, () => packByLabels(this.#statements, key, labels, include));
	}

	/** The next records in the UTF-8 order of their ids; looks at a bounded number of rows, so it may give none before the end. */
	page(key: number, options: PageOptions): Page {
		return this.atOnce(() => readPage(this.#statements, key, options));
	}

	/** The number of unexpired records, or of those that match. */
	count(key: number, node: FilterNode | undefined, now: number): number {
		return this.atOnce(() => countRecords(this.#statements, key, node, now));
	}

	/** Labels of the unexpired records that match, ascending. */
	matches(key: number, node: FilterNode, now: number): Uint32Array {
		return this.atOnce(() => findMatches(this.#statements, key, node, now));
	}

	/** What a derived index at this position has missed. */
	since(key: number, position: Position): Since {
		return this.atOnce(() => readSince(this.#statements, key, position));
	}

	/** Labels whose rows were changed in place after `change`. */
	touched(key: number, change: number): Uint32Array {
		return this.#read(() => readTouched(this.#statements, key, change));
	}

	/** The first `limit` records with labels from `fromLabel` to below `toLabel`, with their vectors. */
	vectors(key: number, fromLabel: number, toLabel: number, limit: number): VectorChunk {
		return this.#read(() => readVectors(this.#statements, key, fromLabel, toLabel, limit));
	}

	/** The first labels from `fromLabel` on, `limit` at most. */
	labels(key: number, fromLabel: number, limit: number): LabelChunk {
		return this.#read(() => readLabels(this.#statements, key, fromLabel, limit));
	}

	/** Records whose text has any of the words, best first; exactly min(limit, matching). No character of the text has a meaning. */
	words(key: number, text: string, limit: number, now: number, allowed?: FilterNode): WordHit[] {
		return this.atOnce(() => findWords(this.#statements, key, text, limit, now, allowed));
	}

	/** Begins no transaction for a single statement, which sees one state by itself: it would take longer than the look-up of one record. */
	#lookUp<T>(records: number, read: () => T): T {
		return records > LOOK_UP_ROWS ? this.atOnce(read) : this.#read(read);
	}

	#read<T>(read: () => T): T {
		try {
			return read();
		} catch (error) {
			if (isMalformedJson(error)) throw damagedMetadata(error);
			throw droppedMeanwhile(error) ?? asNighError(error, "reading records");
		}
	}

	#inTransaction<T>(read: () => T): T {
		this.begin();
		try {
			return read();
		} finally {
			this.end();
		}
	}
}

/** SQLite tells of JSON that it cannot read in a filter's SQL as it tells of a mistake in the SQL itself. */
function isMalformedJson(error: unknown): boolean {
	return error instanceof Error && error.message === "malformed JSON";
}

/** Another process may drop a collection that is open here: its tables are gone, and their names tell its key. */
function droppedMeanwhile(error: unknown): Error | undefined {
	const key = error instanceof Error ? /^no such table: [a-z]+_(\d+)$/.exec(error.message)?.[1] : undefined;
	return key === undefined ? undefined : noCollection(Number(key));
}
