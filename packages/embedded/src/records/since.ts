import { NighError } from "@nigh/contract";
import type { Statements } from "./read-statements.ts";
import type { Row } from "./row.ts";
import { tablesOf } from "./schema.ts";
import { type CollectionState, readState } from "./state.ts";

/** Where an index stands that wants to catch up. */
export interface Position {
	/** The last change it has. */
	readonly change: number;
	/** The collection's next label at that change: labels from here on are new to it. */
	readonly nextLabel: number;
}

/** What has happened since, in one state of the collection. New vectors: `readVectors` from `position.nextLabel` to `state.nextLabel`. */
export interface Since {
	readonly state: CollectionState;
	/** Labels that have gone, ascending by the change that took them; those that came and went meanwhile are among them. */
	readonly gone: { readonly labels: Uint32Array; readonly changes: Float64Array };
	/** Known labels whose rows were changed in place, ascending by their last change. */
	readonly touched: {
		readonly labels: Uint32Array;
		readonly changes: Float64Array;
		/** Milliseconds since 1970; NaN: never. */
		readonly expiresAt: Float64Array;
	};
}

/** To be called inside a transaction. */
export function readSince(statements: Statements, key: number, position: Position): Since {
	const { records, tombstones } = tablesOf(key);
	const gone = statements
		.get(`SELECT label, change FROM ${tombstones} WHERE change > ? ORDER BY change, label`)
		.all(position.change) as unknown as Row[];
	const touched = statements
		.get(`
			SELECT label, change, expires_at FROM ${records}
			WHERE change > ? AND change > born AND label < ? ORDER BY change, label`)
		.all(position.change, position.nextLabel) as unknown as Row[];
	return {
		state: readState(statements, key),
		gone: {
			labels: Uint32Array.from(gone, (row) => row[0] as number),
			changes: Float64Array.from(gone, (row) => row[1] as number),
		},
		touched: {
			labels: Uint32Array.from(touched, (row) => row[0] as number),
			changes: Float64Array.from(touched, (row) => row[1] as number),
			expiresAt: Float64Array.from(touched, (row) => (row[2] as number | null) ?? Number.NaN),
		},
	};
}

/** Labels whose rows were changed in place after `change`: by the index that has only such rows. */
export function readTouched(statements: Statements, key: number, change: number): Uint32Array {
	const { records } = tablesOf(key);
	const rows = statements
		.get(`SELECT label FROM ${records} WHERE change > ? AND change > born`)
		.all(change) as unknown as Row[];
	return Uint32Array.from(rows, (row) => row[0] as number);
}

/** Records with their vectors, ascending by label. */
export interface VectorChunk {
	readonly labels: Uint32Array;
	/** The vectors as they are stored, one after the other. */
	readonly bytes: Uint8Array<ArrayBuffer>;
	readonly ids: readonly string[];
	/** The changes that gave the labels. */
	readonly born: Float64Array;
	/** Milliseconds since 1970; NaN: never. */
	readonly expiresAt: Float64Array;
}

/**
 * The first records, `limit` at most, whose labels are at least `fromLabel` and below `toLabel`; fewer than `limit` only at the end. Go on
 * behind the last label.
 *
 * @throws NighError `CORRUPT_RECORDS` when a vector is not as long as the others.
 */
export function readVectors(
	statements: Statements,
	key: number,
	fromLabel: number,
	toLabel: number,
	limit: number,
): VectorChunk {
	const { records, vectors } = tablesOf(key);
	const rows = statements
		.get(`
			SELECT v.label, v.vector, r.id, r.born, r.expires_at FROM ${vectors} v CROSS JOIN ${records} r ON r.label = v.label
			WHERE v.label >= ? AND v.label < ? ORDER BY v.label LIMIT ?`)
		.all(fromLabel, toLabel, limit) as unknown as Row[];
	return {
		labels: Uint32Array.from(rows, (row) => row[0] as number),
		bytes: concatenated(rows),
		ids: rows.map((row) => row[2] as string),
		born: Float64Array.from(rows, (row) => row[3] as number),
		expiresAt: Float64Array.from(rows, (row) => (row[4] as number | null) ?? Number.NaN),
	};
}

function concatenated(rows: readonly Row[]): Uint8Array<ArrayBuffer> {
	const vectors = rows.map((row) => row[1] as Uint8Array);
	const length = vectors[0]?.length ?? 0;
	const bytes = new Uint8Array(length * rows.length);
	for (const [i, vector] of vectors.entries()) {
		if (vector.length !== length) throw unequal(rows[i]?.[0] as number, vector.length, length);
		bytes.set(vector, i * length);
	}
	return bytes;
}

function unequal(label: number, length: number, expected: number): NighError {
	const advice = "repairFolder() (nigh repair) saves what can be read; otherwise restore a backup.";
	const message = `The vector of label ${label} has ${length} bytes, others have ${expected}: the file is damaged. ${advice}`;
	return new NighError("CORRUPT_RECORDS", message, { value: length, bound: expected });
}
