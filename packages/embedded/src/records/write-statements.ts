import type { DatabaseSync, StatementSync } from "node:sqlite";
import { noCollection } from "./catalogue.ts";
import { Statements } from "./read-statements.ts";
import { tablesOf } from "./schema.ts";

/** Columns that a patch writes besides those it always does; a set of them is the sum of their bits. */
export const SET_METADATA = 1;
export const SET_TEXT = 2;
export const SET_EXPIRES = 4;
export const SET_LABEL = 8;

/** As much of a record that is there as writing over it needs. */
export type Place = readonly [label: number, expiresAt: number | null, hasWords: 0 | 1];

/** What the catalogue counts of a collection. */
export interface Counters {
	readonly nextLabel: number;
	/** Records there are, expired ones included. */
	readonly records: number;
}

/** Whether words of it are indexed: an empty text has none. `octet_length` does not read the text. */
const HAS_WORDS = "coalesce(octet_length(text), 0) > 0";

/** The prepared statements that write one collection. */
export class WriteStatements {
	readonly key: number;
	/** Parameters: label, id, metadata, text, now, expires_at, change. Does nothing where the id is there. */
	readonly insertRecord: StatementSync;
	/** Parameters: label, metadata, text, now, expires_at, change, the label until now. */
	readonly replaceRecord: StatementSync;
	readonly deleteRecord: StatementSync;
	/** Parameters: label, vector. */
	readonly insertVector: StatementSync;
	/** Parameters: vector, label. */
	readonly replaceVector: StatementSync;
	readonly deleteVector: StatementSync;
	/** Parameters: label, text. */
	readonly insertWords: StatementSync;
	readonly deleteWords: StatementSync;
	/** Parameters: change, label. */
	readonly insertTombstone: StatementSync;
	/** Parameter: the last change whose tombstones go. */
	readonly deleteTombstones: StatementSync;
	/** Parameters: the same, before they go; the collection's key. */
	readonly noteReclaimed: StatementSync;
	/** Statements that are not needed with every write, prepared when they are. */
	readonly rare: Statements;
	readonly #db: DatabaseSync;
	readonly #find: StatementSync;
	readonly #findLabel: StatementSync;
	readonly #text: StatementSync;
	readonly #counters: StatementSync;
	readonly #saveCounters: StatementSync;
	readonly #patches: (StatementSync | undefined)[] = [];

	/** @throws NighError `NOT_FOUND` where there is no such collection. */
	constructor(db: DatabaseSync, key: number) {
		const { records, vectors, tombstones, words } = tablesOf(key);
		this.key = key;
		this.#db = db;
		this.rare = new Statements(db);
		this.#counters = db.prepare("SELECT next_label AS nextLabel, records FROM collections WHERE key = ?");
		// Before the others, which cannot be prepared where its tables are not there.
		this.counters();
		this.#saveCounters = db.prepare("UPDATE collections SET change = ?, next_label = ?, records = ? WHERE key = ?");
		this.insertRecord = db.prepare(`
			INSERT INTO ${records} (label, id, metadata, text, inserted_at, updated_at, expires_at, born, change)
			VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6, ?7, ?7) ON CONFLICT(id) DO NOTHING`);
		this.replaceRecord = db.prepare(`
			UPDATE ${records} SET label = ?1, metadata = ?2, text = ?3, updated_at = ?4, expires_at = ?5, born = ?6, change = ?6
			WHERE label = ?7`);
		this.deleteRecord = db.prepare(`DELETE FROM ${records} WHERE label = ?`);
		this.insertVector = db.prepare(`INSERT INTO ${vectors} (label, vector) VALUES (?, ?)`);
		this.replaceVector = db.prepare(`UPDATE ${vectors} SET vector = ? WHERE label = ?`);
		this.deleteVector = db.prepare(`DELETE FROM ${vectors} WHERE label = ?`);
		this.insertWords = db.prepare(`INSERT INTO ${words} (rowid, text) VALUES (?, ?)`);
		this.deleteWords = db.prepare(`DELETE FROM ${words} WHERE rowid = ?`);
		this.insertTombstone = db.prepare(`INSERT INTO ${tombstones} (change, label) VALUES (?, ?)`);
		this.deleteTombstones = db.prepare(`DELETE FROM ${tombstones} WHERE change <= ?`);
		this.noteReclaimed = db.prepare(`
			UPDATE collections SET reclaimed_through =
				max(reclaimed_through, coalesce((SELECT max(change) FROM ${tombstones} WHERE change <= ?1), 0))
			WHERE key = ?2`);
		this.#find = db.prepare(`SELECT label, expires_at, ${HAS_WORDS} FROM ${records} WHERE id = ?`);
		this.#findLabel = db.prepare(`SELECT label, expires_at, ${HAS_WORDS} FROM ${records} WHERE label = ?`);
		this.#text = db.prepare(`SELECT text FROM ${records} WHERE label = ?`);
		for (const statement of [this.#find, this.#findLabel, this.#text]) statement.setReturnArrays(true);
	}

	find(id: string): Place | undefined {
		return this.#find.get(id) as Place | undefined;
	}

	findLabel(label: number): Place | undefined {
		return this.#findLabel.get(label) as Place | undefined;
	}

	/** The text of a record that is there. */
	text(label: number): string | null {
		return (this.#text.get(label) as unknown as [string | null])[0];
	}

	/** @throws NighError `NOT_FOUND` where the collection has been dropped. */
	counters(): Counters {
		const counters = this.#counters.get(this.key);
		if (counters === undefined) throw noCollection(this.key);
		return counters as unknown as Counters;
	}

	saveCounters(change: number, { nextLabel, records }: Counters): void {
		this.#saveCounters.run(change, nextLabel, records, this.key);
	}

	/**
	 * Writes the given columns and no others: SQLite would renew the indexes of a column that is set to what it was. Parameters: now,
	 * change, those of `columns` in the order of their bits (for SET_LABEL: the new label, then `born`), the label until now.
	 */
	patchRecord(columns: number): StatementSync {
		const known = this.#patches[columns];
		if (known !== undefined) return known;
		const parts = ["updated_at = ?", "change = ?"];
		if ((columns & SET_METADATA) !== 0) parts.push("metadata = ?");
		if ((columns & SET_TEXT) !== 0) parts.push("text = ?");
		if ((columns & SET_EXPIRES) !== 0) parts.push("expires_at = ?");
		if ((columns & SET_LABEL) !== 0) parts.push("label = ?", "born = ?");
		const statement = this.#db.prepare(`UPDATE ${tablesOf(this.key).records} SET ${parts.join(", ")} WHERE label = ?`);
		this.#patches[columns] = statement;
		return statement;
	}
}
