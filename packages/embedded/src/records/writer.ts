import type { DatabaseSync } from "node:sqlite";
import { NighError } from "@nigh/contract";
import { deleteIds, deleteLabels } from "./delete.ts";
import { optimizeText } from "./optimize-text.ts";
import type { Rows } from "./packed-rows.ts";
import { findPrunable, type Prunable, type PruneLimits } from "./prune.ts";
import { type ReclaimReport, reclaim } from "./reclaim.ts";
import { asNighError } from "./sqlite-errors.ts";
import { giveUpTombstones } from "./tombstones.ts";
import { type UpdateResult, update } from "./update.ts";
import { type UpsertResult, upsert, type WriteMoment } from "./upsert.ts";
import { WriteStatements } from "./write-statements.ts";

/**
 * Writes records over one connection. Every verb is to be called inside a transaction, between `begin` and `commit`, except `prunable`,
 * which may be, and `reclaim`, which must not be. A verb that throws may have written a part: go back with `rollback` or `rollbackTo`.
 *
 * An expired record counts as there until it is deleted: to write over it as a new one, delete what `prunable` finds first.
 *
 * Every method fails with what `asNighError` makes of SQLite's errors, those about a collection with `NOT_FOUND` where it is dropped.
 */
export class RecordWriter {
	readonly #db: DatabaseSync;
	readonly #statements = new Map<number, WriteStatements>();

	/** What ended the transaction by itself. */
	#end: unknown;

	constructor(db: DatabaseSync) {
		this.#db = db;
	}

	begin(): void {
		this.#end = undefined;
		this.#run("beginning a transaction", "BEGIN IMMEDIATE");
	}

	/** From here on what was written is there, as firmly as the connection's durability says. */
	commit(): void {
		this.#run("committing a transaction", "COMMIT");
	}

	/** Takes back what was written since `begin`. Does nothing where SQLite has done so itself, as it does on a full disk. */
	rollback(): void {
		if (this.#db.isTransaction) this.#run("rolling a transaction back", "ROLLBACK");
	}

	/** Begins one operation of a transaction, which can be taken back without the others. */
	savepoint(): void {
		this.#run("beginning an operation", "SAVEPOINT operation");
	}

	/** Ends the operation; it is a part of the transaction now. */
	release(): void {
		this.#run("ending an operation", "RELEASE operation");
	}

	/**
	 * Takes the operation back and ends it.
	 *
	 * @throws where SQLite has rolled back the whole transaction, as it does on a full disk, what made it do so: the other operations are
	 * lost too. Going on would write outside a transaction.
	 */
	rollbackTo(): void {
		if (!this.#db.isTransaction) throw this.#end ?? transactionLost();
		this.#run("taking an operation back", "ROLLBACK TO operation; RELEASE operation");
	}

	/**
	 * Writes records, each with a vector, no two of one id.
	 *
	 * @throws NighError `COLLECTION_FULL` where no labels are left.
	 */
	upsert(key: number, rows: Rows, moment: WriteMoment): UpsertResult {
		return this.#guard("writing records", () => upsert(this.#of(key), rows, moment));
	}

	/**
	 * Patches records. Where one is not there, its row is reported and nothing is written.
	 *
	 * @throws NighError `COLLECTION_FULL` where no labels are left.
	 */
	update(key: number, rows: Rows, moment: WriteMoment): UpdateResult {
		return this.#guard("updating records", () => update(this.#of(key), rows, moment));
	}

	/** Deletes records by id; ids that are not there are passed over. Returns the labels that died. */
	deleteIds(key: number, ids: Iterable<string>, change: number): number[] {
		return this.#guard("deleting records", () => deleteIds(this.#of(key), ids, change));
	}

	/** Deletes records by label; labels that are not there are passed over. Returns the labels that died. */
	deleteLabels(key: number, labels: Iterable<number>, change: number): number[] {
		return this.#guard("deleting records", () => deleteLabels(this.#of(key), labels, change));
	}

	/** Finds what has to go for the limits to hold. Deletes nothing. */
	prunable(key: number, limits: PruneLimits): Prunable {
		return this.#guard("looking for records to prune", () => findPrunable(this.#of(key), limits));
	}

	/** Gives up the tombstones up to and including that change. Returns how many there were. */
	giveUpTombstones(key: number, throughChange: number): number {
		return this.#guard("giving up tombstones", () => giveUpTombstones(this.#of(key), throughChange));
	}

	/** Merges the full-text index into one segment. Takes time in proportion to its size. */
	optimizeText(key: number): void {
		this.#guard("optimizing the full-text index", () => optimizeText(this.#db, key));
	}

	/** Lets go of the statements of a collection that has been dropped. */
	forget(key: number): void {
		this.#statements.delete(key);
	}

	/** Gives free pages back to the file system and empties the WAL, for which it waits a while for readers. */
	reclaim(): ReclaimReport {
		return this.#guard("reclaiming disk space", () => reclaim(this.#db));
	}

	#of(key: number): WriteStatements {
		const known = this.#statements.get(key);
		if (known !== undefined) return known;
		const statements = new WriteStatements(this.#db, key);
		this.#statements.set(key, statements);
		return statements;
	}

	#run(doing: string, sql: string): void {
		this.#guard(doing, () => this.#db.exec(sql));
	}

	#guard<T>(doing: string, verb: () => T): T {
		try {
			return verb();
		} catch (error) {
			const failure = asNighError(error, doing);
			if (!this.#db.isTransaction) this.#end ??= failure;
			throw failure;
		}
	}
}

function transactionLost(): NighError {
	const message = "The records were not written: SQLite has given up the transaction. Look at the disk, and try again.";
	return new NighError("UNAVAILABLE", message);
}
