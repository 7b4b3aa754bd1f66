import type { IncludeOptions } from "@nigh/contract";
import type { Statements } from "./read-statements.ts";
import { type ReadRecord, type Row, recordOf, selectionOf } from "./row.ts";
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

function lookUp(
	statements: Statements,
	key: number,
	column: "id" | "label",
	wanted: readonly (string | number)[],
	include: IncludeOptions,
): (ReadRecord | undefined)[] {
	const { columns, joins } = selectionOf(key, include);
	// CROSS JOIN keeps the order of the tables: one look-up for each value, never a scan of the records.
	const sql = `
		SELECT j.key, ${columns} FROM json_each(?) j
		CROSS JOIN ${tablesOf(key).records} r ON r.${column} = j.value ${joins}`;
	const records = new Array<ReadRecord | undefined>(wanted.length).fill(undefined);
	for (let from = 0; from < wanted.length; from += LOOK_UP_ROWS) {
		const rows = statements.get(sql).all(JSON.stringify(wanted.slice(from, from + LOOK_UP_ROWS)));
		for (const row of rows as unknown as Row[]) records[from + (row[0] as number)] = recordOf(row, 1, include);
	}
	return records;
}
