import type { DatabaseSync, StatementSync } from "node:sqlite";

/** Statements kept: a dozen for each collection in use, and those of the latest filters, whose text differs with their shape. */
const MAX_STATEMENTS = 256;

/** Prepared statements of one connection that give rows as arrays, by their text; the ones not used for longest are given up. */
export class Statements {
	readonly #db: DatabaseSync;
	readonly #kept = new Map<string, StatementSync>();

	constructor(db: DatabaseSync) {
		this.#db = db;
	}

	get(sql: string): StatementSync {
		const kept = this.#kept.get(sql);
		if (kept !== undefined) {
			// A Map iterates in the order of insertion, so the first one is the one not used for longest.
			this.#kept.delete(sql);
			this.#kept.set(sql, kept);
			return kept;
		}
		const statement = this.#db.prepare(sql);
		statement.setReturnArrays(true);
		this.#kept.set(sql, statement);
		if (this.#kept.size > MAX_STATEMENTS) this.#kept.delete(this.#kept.keys().next().value as string);
		return statement;
	}
}
