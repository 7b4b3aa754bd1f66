import type { DatabaseSync } from "node:sqlite";
import { tablesOf } from "./schema.ts";

/** Merges the full-text index into one segment, without what belonged to deleted records. Takes time in proportion to its size. */
export function optimizeText(db: DatabaseSync, key: number): void {
	const { words } = tablesOf(key);
	db.exec(`INSERT INTO ${words} (${words}) VALUES ('optimize')`);
}
