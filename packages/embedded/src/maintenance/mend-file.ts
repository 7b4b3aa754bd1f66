import type { DatabaseSync } from "node:sqlite";
import { openWriter } from "../records/connection.ts";
import { checkRecords } from "../records/integrity.ts";
import { mendRecords } from "../records/mend.ts";
import type { MendReport } from "./messages.ts";

/**
 * Mends the records of a closed database where something is wrong with them. Blocks its thread.
 *
 * @throws NighError As `openWriter`.
 */
export function mendFile(path: string): MendReport {
	const db = openWriter(path, "full", { create: false });
	try {
		const before = checkRecords(db);
		// Where SQLite does not trust its file, nothing is written to it.
		if (before.length > 0 && isSound(db)) mendRecords(db);
		return { before, isSound: isSound(db) };
	} finally {
		db.close();
	}
}

/** What SQLite says of its own file: more than what a reader of single tables would come across. */
function isSound(db: DatabaseSync): boolean {
	try {
		const [first] = db.prepare("PRAGMA integrity_check(1)").all();
		return first?.integrity_check === "ok";
	} catch {
		return false;
	}
}
