import { BOUNDS, type Json, type NighError } from "@nigh/contract";
import type { RecordFields } from "../batch.ts";
import { describe } from "../describe.ts";
import { invalidFile } from "../invalid-file.ts";
import type { JsonlFieldNames } from "./fields.ts";
import type { Line } from "./lines.ts";

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A row as it stands in its line: the vector is an array whose numbers are not looked at yet. */
export interface JsonlRecord extends RecordFields {
	readonly vector: readonly unknown[];
}

/** A row of which it is not known yet whether it has a vector. */
export interface JsonlFields extends RecordFields {
	readonly vector: unknown;
}

/** Reads the object of a line, which has to have a vector. Every fault is `INVALID_FILE` at the start of the line. */
export function parseRecord(line: Line, row: number, names: Required<JsonlFieldNames>): JsonlRecord {
	const fields = parseFields(line, row, names);
	checkVector(fields, line, row, names.vectorField);
	return fields;
}

/** Reads the object of a line; its vector is as the line has it, or `undefined`. */
export function parseFields(line: Line, row: number, names: Required<JsonlFieldNames>): JsonlFields {
	const { vectorField, idField, textField } = names;
	const parsed = parseJson(line, row);
	if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
		const advice = `Write each row as {"${vectorField}": [0.1, 0.2]}.`;
		throw lineFault(line, row, `the line is ${describe(parsed)}`, "a JSON object", advice);
	}
	const object = parsed as { readonly [field: string]: Json };
	// Only what the line itself says: "constructor" is a name that every object inherits something under.
	const [vector, id, text] = [vectorField, idField, textField].map((field) =>
		Object.hasOwn(object, field) ? object[field] : undefined,
	);
	const { [vectorField]: _vector, [idField]: _id, [textField]: _text, ...metadata } = object;
	return {
		vector,
		...idOf(id, line, row, idField),
		...textOf(text, line, row, textField),
		metadata,
	};
}

/** Whether the vector of a row is an array, of a length that a vector can have. */
export function checkVector(
	fields: JsonlFields,
	line: Line,
	row: number,
	field: string,
): asserts fields is JsonlRecord {
	const { vector } = fields;
	if (!Array.isArray(vector)) {
		const problem = `the field "${field}" is ${vector === undefined ? "not there" : describe(vector)}`;
		const advice = "Name the field of the vector with vectorField.";
		throw lineFault(line, row, problem, "an array of numbers", advice, { field });
	}
	if (vector.length >= BOUNDS.dimensions.min && vector.length <= BOUNDS.dimensions.max) return;
	const problem = `the vector has ${vector.length} numbers`;
	const expected = `${BOUNDS.dimensions.min} to ${BOUNDS.dimensions.max}`;
	throw lineFault(line, row, problem, expected, "Drop the row, or write it again.");
}

/** Rounds the numbers of a row to float32, into `target` from `at` on. */
export function writeVector(
	vector: readonly unknown[],
	target: Float32Array<ArrayBuffer>,
	at: number,
	line: Line,
	row: number,
): void {
	for (let i = 0; i < vector.length; i++) {
		const value = vector[i];
		const rounded = typeof value === "number" ? Math.fround(value) : Number.NaN;
		if (!Number.isFinite(rounded)) {
			const problem = `number ${i} of the vector is ${typeof value === "number" ? "too large" : describe(value)}`;
			const expected = "a number of a magnitude of at most 3.4028235e38";
			throw lineFault(line, row, problem, expected, "Drop the row, or write it again.", { column: i });
		}
		target[at + i] = rounded;
	}
}

/** An error about a line. */
export function lineFault(
	line: Line,
	row: number,
	problem: string,
	expected: string,
	advice: string,
	details: Readonly<Record<string, unknown>> = {},
	cause?: unknown,
): NighError {
	return invalidFile({
		format: "jsonl",
		row,
		byteOffset: line.byteOffset,
		problem: `line ${line.number}: ${problem}`,
		expected,
		advice,
		details: { line: line.number, ...details },
		cause,
	});
}

function parseJson(line: Line, row: number): unknown {
	let text: string;
	try {
		text = utf8.decode(line.bytes);
	} catch (cause) {
		throw lineFault(line, row, "the bytes are no UTF-8", "JSON in UTF-8", "Save the file as UTF-8.", {}, cause);
	}
	try {
		return JSON.parse(text);
	} catch (cause) {
		const reason = cause instanceof Error ? cause.message : String(cause);
		const advice = "Write one whole JSON object a line; a file that was cut off ends inside one.";
		throw lineFault(line, row, `not JSON (${reason})`, "a JSON object", advice, {}, cause);
	}
}

function idOf(id: unknown, line: Line, row: number, field: string): { id?: string } {
	if (id === undefined || id === null) return {};
	if (typeof id === "string") return { id };
	// Beyond that, two ids of the file could become one.
	if (Number.isSafeInteger(id)) return { id: String(id) };
	const problem = `the field "${field}" is ${describe(id)}`;
	const expected = `a string, or a whole number of at most ${Number.MAX_SAFE_INTEGER}`;
	throw lineFault(line, row, problem, expected, "Write ids as strings, or name their field with idField.");
}

function textOf(text: unknown, line: Line, row: number, field: string): { text?: string } {
	if (text === undefined || text === null) return {};
	if (typeof text === "string") return { text };
	const problem = `the field "${field}" is ${describe(text)}`;
	throw lineFault(line, row, problem, "a string", "Name the field of the text with textField.");
}
