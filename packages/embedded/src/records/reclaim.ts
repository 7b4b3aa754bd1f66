import { statSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";

export interface ReclaimReport {
	/** Bytes of the database file and its WAL. */
	readonly before: number;
	readonly after: number;
	/** Whether a reader kept the WAL from being taken in: what is free is given back by a later call, or by the next checkpoint. */
	readonly busy: boolean;
}

/** Gives free pages back to the file system and empties the WAL. Not to be called inside a transaction. Waits a while for readers. */
export function reclaim(db: DatabaseSync): ReclaimReport {
	const before = bytesOf(db);
	// In this order: the vacuum shortens the file by way of the WAL.
	db.exec("PRAGMA incremental_vacuum");
	const { busy } = db.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get() as { busy: number };
	return { before, after: bytesOf(db), busy: busy !== 0 };
}

function bytesOf(db: DatabaseSync): number {
	const path = db.location();
	if (path === null) return 0;
	return size(path) + size(`${path}-wal`);
}

function size(path: string): number {
	return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
