import { checkMetadata, checkOptions, NighError } from "@nigh/contract";
import type { RecordFields } from "../batch.ts";
import { ChunkWriter } from "../chunk-writer.ts";
import { describe } from "../describe.ts";
import { FIELD_OPTIONS, fieldNames, type JsonlFieldNames } from "./fields.ts";

/** A row to be written: a vector and the fields beside it. */
export interface JsonlRow extends Partial<RecordFields> {
	readonly vector: Float32Array | readonly number[];
}

/**
 * The bytes of a JSONL file: one object a line, id, vector and text first and then the metadata. Each number is rounded to
 * float32 and written with six to nine digits, as few as give it back.
 *
 * @throws NighError with the row: `DIMENSION_MISMATCH` (a vector of another length than the first), `INVALID_VECTOR` (a number
 * that is NaN, infinite or no float32: JSON has none), `INVALID_RECORD` (an id or text that is no string, metadata that is no
 * JSON (`checkMetadata`) or has a field of the name of another). `INVALID_OPTION` for field names.
 */
export function writeJsonl(
	rows: Iterable<JsonlRow> | AsyncIterable<JsonlRow>,
	options: JsonlFieldNames = {},
): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
	checkOptions(options, FIELD_OPTIONS, "writeJsonl");
	return chunks(rows, fieldNames(options));
}

async function* chunks(
	rows: Iterable<JsonlRow> | AsyncIterable<JsonlRow>,
	names: Required<JsonlFieldNames>,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
	const encoder = new TextEncoder();
	const writer = new ChunkWriter();
	let row = 0;
	let dimensions: number | undefined;
	for await (const record of rows) {
		dimensions ??= record.vector.length;
		if (record.vector.length !== dimensions || dimensions === 0) throw wrongLength(record, row, dimensions);
		yield* writer.add(encoder.encode(`${lineOf(record, row, names)}\n`));
		row += 1;
	}
	yield* writer.rest();
}

function lineOf(record: JsonlRow, row: number, names: Required<JsonlFieldNames>): string {
	const { vectorField, idField, textField } = names;
	const { id, text } = record;
	const metadata = checkMetadata(record.metadata ?? {}, { row });
	const parts: string[] = [];
	if (id !== undefined) parts.push(field(idField, stringOf(id, "id", row)));
	parts.push(field(vectorField, vectorText(record.vector, row)));
	if (text !== undefined) parts.push(field(textField, stringOf(text, "text", row)));
	const taken = [vectorField, idField, textField];
	for (const [name, value] of Object.entries(metadata)) {
		if (taken.includes(name)) {
			const problem = `The metadata of row ${row} has the field ${describe(name)}, which is one of ${taken.join(", ")}.`;
			throw invalidRecord(`${problem} Rename it, or name the others apart.`, row, name);
		}
		// As JSON.stringify does, a field that is undefined is left out.
		if (value !== undefined) parts.push(field(name, JSON.stringify(value)));
	}
	return `{${parts.join(",")}}`;
}

function field(name: string, json: string): string {
	return `${JSON.stringify(name)}:${json}`;
}

function stringOf(value: unknown, name: string, row: number): string {
	if (typeof value === "string") return JSON.stringify(value);
	throw invalidRecord(`The ${name} of row ${row} is ${describe(value)}; it must be a string.`, row, name);
}

function vectorText(vector: Float32Array | readonly number[], row: number): string {
	const numbers: string[] = [];
	for (const value of vector) {
		const rounded = typeof value === "number" ? Math.fround(value) : Number.NaN;
		if (Number.isFinite(rounded)) {
			numbers.push(shortest(rounded));
			continue;
		}
		throw new NighError(
			"INVALID_VECTOR",
			`The vector of row ${row} has ${describe(value)} as component ${numbers.length}; JSON holds finite float32 numbers only. Drop the row, or write npy.`,
			{ field: "vector", row, index: numbers.length },
		);
	}
	return `[${numbers.join(",")}]`;
}

/** A float32 in as few digits, from six on, as give it back when read and rounded; nine always do. */
function shortest(value: number): string {
	if (Object.is(value, -0)) return "-0";
	if (Number.isInteger(value) && Math.abs(value) < 2 ** 24) return String(value);
	for (let digits = 6; digits < 9; digits++) {
		const short = Number(value.toPrecision(digits));
		if (Math.fround(short) === value) return String(short);
	}
	return String(Number(value.toPrecision(9)));
}

function wrongLength(record: JsonlRow, row: number, dimensions: number): NighError {
	const expected = dimensions === 0 ? "at least 1 is" : `${dimensions}, as in row 0, are`;
	return new NighError(
		"DIMENSION_MISMATCH",
		`The vector of row ${row} has ${record.vector.length} numbers, but ${expected} expected. Check what made it.`,
		{ field: "vector", row, actual: record.vector.length, expected: dimensions },
	);
}

function invalidRecord(message: string, row: number, field: string): NighError {
	return new NighError("INVALID_RECORD", message, { field, row });
}
