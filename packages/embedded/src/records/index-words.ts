import type { DatabaseSync } from "node:sqlite";
import { tablesOf } from "./schema.ts";

/** Fills the empty full-text index of a collection from the texts of its records. To be called inside a transaction. */
export function indexWords(db: DatabaseSync, key: number): void {
	const { records, words } = tablesOf(key);
	db.exec(`
		INSERT INTO ${words} (rowid, text)
		SELECT label, text FROM ${records} WHERE octet_length(text) > 0 ORDER BY label`);
}
