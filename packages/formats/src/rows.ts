import { BOUNDS, checkInteger, NighError } from "@nigh/contract";
import type { VectorValues } from "./batch.ts";
import { describe } from "./describe.ts";

/**
 * Rows to be written: one array of n x dimensions, row-major, or a stream of such arrays, each of whole rows (one row, or the
 * `values` of a batch).
 */
export type RowSource<V> = V | Iterable<V> | AsyncIterable<V>;

/** The arrays that rows can come in, by their tag. */
export type ValuesTag = "Float32Array" | "Uint8Array" | "Int8Array" | "Int32Array";

/** Checks the dimensions that a writer is given. */
export function checkDimensions(dimensions: number): void {
	checkInteger("dimensions", dimensions, BOUNDS.dimensions);
}

/** The tag of a typed array, which holds in other realms too; undefined for anything else. */
export function tagOf(value: unknown): string | undefined {
	return ArrayBuffer.isView(value) ? Object.prototype.toString.call(value).slice("[object ".length, -1) : undefined;
}

/**
 * The arrays of a row source, one after the other, each checked to be one of `allowed` (and all to be the same) and to hold whole
 * rows.
 *
 * @throws NighError `INVALID_OPTION` for rows that are neither array nor stream, `INVALID_VECTOR` for another type of array,
 * `DIMENSION_MISMATCH` for a row that is not whole; the latter two with the number of the row.
 */
export async function* wholeRows(
	rows: RowSource<unknown>,
	dimensions: number,
	allowed: readonly ValuesTag[],
): AsyncGenerator<VectorValues, void> {
	let row = 0;
	let first: string | undefined;
	for await (const values of arraysOf(rows)) {
		const tag = tagOf(values);
		if (tag === undefined || !(allowed as readonly string[]).includes(tag)) throw wrongType(values, row, allowed);
		first ??= tag;
		if (tag !== first) throw wrongType(values, row, [first]);
		// The tag has told the type.
		const { length } = values as VectorValues;
		const left = length % dimensions;
		if (left !== 0) throw notWhole(row + Math.floor(length / dimensions), left, dimensions);
		row += length / dimensions;
		yield values as VectorValues;
	}
}

function arraysOf(rows: RowSource<unknown>): Iterable<unknown> | AsyncIterable<unknown> {
	if (ArrayBuffer.isView(rows)) return [rows];
	if (typeof rows === "object" && rows !== null) {
		if (Symbol.asyncIterator in rows || Symbol.iterator in rows) return rows as Iterable<unknown>;
	}
	const problem = `rows is ${describe(rows)}; it must be a typed array, or an iterable of them.`;
	throw new NighError("INVALID_OPTION", problem, { field: "rows" });
}

function wrongType(found: unknown, row: number, allowed: readonly string[]): NighError {
	return new NighError(
		"INVALID_VECTOR",
		`Row ${row} comes in ${describe(found)}; this file takes ${allowed.join(" or ")}, the same for all rows. Convert the values, or choose another format.`,
		{ field: "rows", row, expected: allowed },
	);
}

function notWhole(row: number, actual: number, expected: number): NighError {
	return new NighError(
		"DIMENSION_MISMATCH",
		`Row ${row} has ${actual} numbers, but ${expected} are expected. Give arrays of whole rows.`,
		{ field: "rows", row, actual, expected },
	);
}
