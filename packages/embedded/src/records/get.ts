import type { IncludeOptions } from "@nigh/contract";
import { type PackedRecords, RecordPacker } from "./packed-records.ts";
import type { Statements } from "./read-statements.ts";
import { hasExpired, type ReadRecord, type Row, recordOf, selectionOf } from "./row.ts";
import { tablesOf } from "./schema.ts";

/** Records that one statement looks up; more of them need a transaction to be of one state: fewer statements cost less than fewer rows at once save. */
export const LOOK_UP_ROWS = 1_000;

/** Records in the order of the ids, `undefined` where there is none or it has expired at `now`. */
export function getByIds(
	statements: Statements,
	key: number,
	ids: readonly string[],
	include: IncludeOptions,
	now: number,
): (ReadRecord | undefined)[] {
	const found = lookUp(statements, key, "id", ids, include);
	return found.map((record) => (record?.expiresAt !== undefined && record.expiresAt <= now ? undefined : record));
}

/** Records in the order of the labels, `undefined` where there is none. Expired ones are there. */
export function getByLabels(
	statements: Statements,
	key: number,
	labels: ArrayLike<number>,
	include: IncludeOptions,
): (ReadRecord | undefined)[] {
	return lookUp(statements, key, "label", Array.from(labels), include);
}

/** Records that are packed together: the other thread takes them over in about 2 ms. */
const PACKED_ROWS = 512;

/** As {@link getByIds}, packed for another thread in parts of so many ids. */
export function packByIds(
	statements: Statements,
	key: number,
	ids: readonly string[],
	include: IncludeOptions,
	now: number,
): PackedRecords[] {
	const parts: PackedRecords[] = [];
	for (let from = 0; from < ids.length; from += PACKED_ROWS) {
		const some = ids.slice(from, from + PACKED_ROWS);
		const packer = new RecordPacker(include);
		eachRow(statements, key, "id", some, include, (place, row) => {
			if (!hasExpired(row, 1, now)) packer.add(place, row, 1);
		});
		parts.push(packer.packed(some.length));
	}
	return parts;
}

/** As {@link getByLabels}, packed for another thread. */
export function packByLabels(
	statements: Statements,
	key: number,
	labels: ArrayLike<number>,
	include: IncludeOptions,
): PackedRecords {
	const packer = new RecordPacker(include);
	eachRow(statements, key, "label", Array.from(labels), include, (place, row) => packer.add(place, row, 1));
	return packer.packed(labels.length);
}

function lookUp(
	statements: Statements,
	key: number,
	column: "id" | "label",
	wanted: readonly (string | number)[],
	include: IncludeOptions,
): (ReadRecord | undefined)[] {
	const records = new Array<ReadRecord | undefined>(wanted.length).fill(undefined);
	eachRow(statements, key, column, wanted, include, (place, row) => {
		records[place] = recordOf(row, 1, include);
	});
	return records;
}

function eachRow(
	statements: Statements,
	key: number,
	column: "id" | "label",
	wanted: readonly (string | number)[],
	include: IncludeOptions,
	use: (place: number, row: Row) => void,
): void {
	const { columns, joins } = selectionOf(key, include);
	// CROSS JOIN keeps the order of the tables: one look-up for each value, never a scan of the records.
	const sql = `
		SELECT j.key, ${columns} FROM json_each(?) j
		CROSS JOIN ${tablesOf(key).records} r ON r.${column} = j.value ${joins}`;
	for (let from = 0; from < wanted.length; from += LOOK_UP_ROWS) {
		const rows = statements.get(sql).all(JSON.stringify(wanted.slice(from, from + LOOK_UP_ROWS)));
		for (const row of rows as unknown as Row[]) use(from + (row[0] as number), row);
	}
}
