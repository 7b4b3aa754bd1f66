import type { DatabaseSync, SQLOutputValue, StatementSync } from "node:sqlite";
import { asNighError } from "./sqlite-errors.ts";

/** A row as an array, its label first. */
export type Row = readonly [label: number, ...SQLOutputValue[]];

/**
 * Primary result codes of SQLite for a page that is not what it was: IOERR (a part of the disk that cannot be read), CORRUPT, NOTADB
 * (https://sqlite.org/rescode.html).
 */
const DAMAGE: ReadonlySet<number> = new Set([10, 11, 26]);

/** Labels from and to, both included. */
type Range = readonly [from: number, to: number];

/**
 * Ranges of labels are cut until only what cannot be read is left, two reads for each such label. So many failures are waited for, some
 * ten seconds; what is not narrowed down then is given up.
 */
const MOST_FAILURES = 500_000;

/**
 * Gives every row of a damaged table that SQLite can still read, each once, in no order. Goes on behind a page that cannot be read: a
 * search by label finds its way to the next one as long as the page that points to it is whole.
 *
 * @param label The table's integer primary key.
 * @param columns The other columns that a row has.
 * @param end All labels are below it.
 */
export function* readDamaged(
	db: DatabaseSync,
	table: string,
	label: string,
	columns: string,
	end: number,
): Generator<Row> {
	const range = `SELECT ${label}, ${columns} FROM ${table} NOT INDEXED WHERE ${label} BETWEEN ? AND ? ORDER BY ${label}`;
	const up = prepared(db, range);
	const down = prepared(db, `${range} DESC`);
	if (up === undefined || down === undefined) return;
	let failures = 0;
	// All ranges of one size before smaller ones: if the failures run out, it is the finest of the work that is left undone.
	for (let ranges: Range[] = [[0, end - 1]]; ranges.length > 0; ) {
		const halves: Range[] = [];
		for (const [from, to] of ranges) {
			const last = yield* readUntilDamage(up, from, to, 1);
			if (last === undefined) continue;
			const first = yield* readUntilDamage(down, last + 1, to, -1);
			if (first === undefined) continue;
			if (++failures === MOST_FAILURES) return;
			halves.push(...halvesOf(last + 1, first - 1));
		}
		ranges = halves;
	}
}

/** Of a range at least one label of which cannot be read; none where that is the only one. */
function halvesOf(from: number, to: number): Range[] {
	if (from >= to) return [];
	const middle = Math.floor(from + (to - from) / 2);
	return [
		[from, middle],
		[middle + 1, to],
	];
}

/** The last label that could be read (or the one before the range), `undefined` where all could. */
function* readUntilDamage(
	statement: StatementSync,
	from: number,
	to: number,
	direction: 1 | -1,
): Generator<Row, number | undefined> {
	let last = direction === 1 ? from - 1 : to + 1;
	let iterating = false;
	try {
		// Most ranges that are tried on a damaged page fail at once, which `get` finds out sooner, and cleans up after.
		if (statement.get(from, to) === undefined) return undefined;
		iterating = true;
		for (const row of statement.iterate(from, to) as unknown as Iterable<Row>) {
			const [label] = row;
			// Labels that do not follow each other come from a page that is not what it was.
			if (!Number.isInteger(label) || label < from || label > to || (label - last) * direction <= 0) return last;
			last = label;
			yield row;
		}
	} catch (error) {
		if (iterating) clear(statement);
		checkDamage(error);
		return last;
	}
	return undefined;
}

function prepared(db: DatabaseSync, sql: string): StatementSync | undefined {
	try {
		const statement = db.prepare(sql);
		statement.setReturnArrays(true);
		return statement;
	} catch (error) {
		// Among the errors without a code of their own: the table is not there, its line in the schema being lost.
		if (!/no such table/.test(String(error))) checkDamage(error);
		return undefined;
	}
}

/**
 * `node:sqlite` (24.21) leaves a statement whose iteration failed as it is, and the next use of it fails with the same error, whatever it
 * would find. A read that `get` cleans up after takes that error away.
 */
function clear(statement: StatementSync): void {
	try {
		statement.get(0, -1);
	} catch {
		return;
	}
}

/** Throws on what is no damage. Called for every label that is lost, so it makes no error of its own. */
function checkDamage(error: unknown): void {
	const { code, errcode = 0 } = error as { readonly code?: string; readonly errcode?: number };
	// An integer that is none of ours.
	if (code === "ERR_OUT_OF_RANGE" || DAMAGE.has(errcode & 0xff)) return;
	throw asNighError(error, "reading what is left");
}
