import { isNighError, type NighError } from "@nigh/contract";
import type { RecordFields } from "../batch.ts";
import type { ByteSource } from "../byte-reader.ts";
import type { JsonlFieldNames } from "./fields.ts";
import type { Line } from "./lines.ts";
import { type JsonlInput, type JsonlReadOptions, nextRow, readLines } from "./read.ts";
import { checkVector, parseFields, writeVector } from "./record.ts";

/** A row of a JSONL file that need not have a vector. */
export interface JsonlRecordFields extends RecordFields {
	/** Absent where the row has none, or null. */
	readonly vector?: Float32Array<ArrayBuffer>;
}

/** Some rows, one after the other. */
export interface JsonlRecordBatch {
	/** Number of the first row, counted from 0 in the file. */
	readonly row: number;
	/** At least one. */
	readonly records: readonly JsonlRecordFields[];
}

/**
 * Reads a JSONL file as `readJsonl` does, of which not every row has a vector: for who makes them from the texts. Vectors that are there
 * may differ in length. A batch ends when its lines have `batchBytes` bytes. Rows in front of a fault are given before the error.
 *
 * @throws NighError as `readJsonl` does, but for a vector that is missing or of another length than that of row 0.
 */
export function readJsonlRecords(
	source: ByteSource,
	options: JsonlReadOptions = {},
): AsyncGenerator<JsonlRecordBatch, void> {
	return readLines(source, options, batches);
}

async function* batches({ reader, lines, names, limits }: JsonlInput): AsyncGenerator<JsonlRecordBatch, void> {
	const { limit, batchBytes } = limits;
	let row = 0;
	while (row < limit) {
		reader.throwIfAborted();
		const records: JsonlRecordFields[] = [];
		let lineBytes = 0;
		let stop: NighError | "end" | undefined;
		while (row + records.length < limit && lineBytes < batchBytes && stop === undefined) {
			const line = await nextRow(lines, row + records.length);
			if (line === undefined || line instanceof Error) {
				stop = line ?? "end";
				break;
			}
			lineBytes += line.bytes.length;
			const record = recordOf(line, row + records.length, names);
			if (record instanceof Error) stop = record;
			else records.push(record);
		}
		if (records.length > 0) yield { row, records };
		row += records.length;
		if (stop === "end") return;
		if (stop !== undefined) throw stop;
	}
}

/** The row of a line; a fault is handed back, to be thrown after the rows before it. */
function recordOf(line: Line, row: number, names: Required<JsonlFieldNames>): JsonlRecordFields | NighError {
	try {
		const fields = parseFields(line, row, names);
		const { vector: found, ...rest } = fields;
		if (found === undefined || found === null) return rest;
		checkVector(fields, line, row, names.vectorField);
		const vector = new Float32Array(fields.vector.length);
		writeVector(fields.vector, vector, 0, line, row);
		return { ...rest, vector };
	} catch (error) {
		if (isNighError(error, "INVALID_FILE")) return error;
		throw error;
	}
}
