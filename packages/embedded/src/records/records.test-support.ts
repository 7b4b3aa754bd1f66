import { DatabaseSync } from "node:sqlite";
import { RecordReader } from "./reader.ts";
import { createCatalogue, createTables, tablesOf } from "./schema.ts";

/** A record to read; its label is its place in the list. */
export interface TestRow {
	readonly id: string;
	readonly metadata?: unknown;
	readonly text?: string;
	readonly vector?: Uint8Array;
	readonly expiresAt?: number;
	readonly born?: number;
	readonly change?: number;
}

/** The collection of {@link openRecords}. */
export const KEY = 1;

export const TABLES = tablesOf(KEY);

/** Records in memory, written by plain SQL. */
export function openRecords(rows: readonly TestRow[]): { db: DatabaseSync; reader: RecordReader } {
	const db = new DatabaseSync(":memory:");
	db.exec("BEGIN");
	createCatalogue(db);
	createTables(db, KEY);
	db.prepare("INSERT INTO collections VALUES (?, 'notes', '{}', 0, 0, 0, 0)").run(KEY);
	insertRows(db, rows);
	db.exec("COMMIT");
	return { db, reader: new RecordReader(db) };
}

/** Takes every record away and writes these. */
export function replaceRows(db: DatabaseSync, rows: readonly TestRow[]): void {
	db.exec(`BEGIN; DELETE FROM ${TABLES.records}; DELETE FROM ${TABLES.vectors}; DELETE FROM ${TABLES.words}`);
	insertRows(db, rows);
	db.exec("COMMIT");
}

function insertRows(db: DatabaseSync, rows: readonly TestRow[]): void {
	const record = db.prepare(`INSERT INTO ${TABLES.records} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`);
	const vector = db.prepare(`INSERT INTO ${TABLES.vectors} VALUES (?, ?)`);
	const words = db.prepare(`INSERT INTO ${TABLES.words} (rowid, text) VALUES (?, ?)`);
	for (const [label, row] of rows.entries()) {
		const { id, metadata, text = null, expiresAt = null, born = label + 1, change = born } = row;
		const json = metadata === undefined ? null : JSON.stringify(metadata);
		record.run(label, id, json, text, 1_000 + label, 2_000 + label, expiresAt, born, change);
		if (row.vector !== undefined) vector.run(label, row.vector);
		if (text !== null) words.run(label, text);
	}
	db.prepare("UPDATE collections SET records = ?, next_label = ?").run(rows.length, rows.length);
}
