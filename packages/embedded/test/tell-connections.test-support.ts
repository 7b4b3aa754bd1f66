// Preloaded into a process and each of its threads: when a connection to SQLite is closed, a line says how it was set up.
import { writeSync } from "node:fs";
import { basename } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** A connection as it is when it is closed. */
export interface Connection {
	readonly file: string;
	/** 0: off, 1: normal, 2: full (sqlite.org/pragma.html#pragma_synchronous). */
	readonly synchronous: number;
	readonly journal: string;
	/** Rows that it has written. */
	readonly changes: number;
}

const { close } = DatabaseSync.prototype;
DatabaseSync.prototype.close = function (this: DatabaseSync): void {
	const value = (sql: string) => Object.values(this.prepare(sql).get() ?? {})[0];
	const connection = {
		file: basename(this.location() ?? ""),
		synchronous: value("PRAGMA synchronous"),
		journal: value("PRAGMA journal_mode"),
		changes: value("SELECT total_changes()"),
	};
	writeSync(1, `${JSON.stringify(connection)}\n`);
	close.call(this);
};
