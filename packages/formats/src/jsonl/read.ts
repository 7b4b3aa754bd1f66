import { isNighError, type NighError } from "@nigh/contract";
import { batchOf, FLOAT32, type RecordFields, rowsPerBatch, type VectorBatch } from "../batch.ts";
import { type ByteReader, type ByteSource, checkSource, readFrom } from "../byte-reader.ts";
import { integerOption, type ReadLimits, type ReadOptions, readLimits } from "../options.ts";
import { MAX_LINE_BYTES } from "../parameters.ts";
import { FIELD_OPTIONS, fieldNames, type JsonlFieldNames } from "./fields.ts";
import { type Line, LineReader } from "./lines.ts";
import { lineFault, parseRecord, writeVector } from "./record.ts";

export interface JsonlReadOptions extends ReadOptions, JsonlFieldNames {
	/** Bytes that a line may have, 1 to 268,435,456; default 16,777,216. It bounds what a file without newlines makes the reader hold. */
	readonly maxLineBytes?: number;
}

/** Rows of a JSONL file: the vectors, and beside each its id, text and metadata. */
export interface JsonlBatch extends VectorBatch<Float32Array<ArrayBuffer>> {
	readonly records: readonly RecordFields[];
}

/**
 * Reads a JSONL file (one JSON object a line, UTF-8) as batches of rows. Numbers are rounded to the nearest float32. Blank lines
 * are passed over and are not counted as rows; a byte order mark and carriage returns are tolerated. A batch also ends when its
 * lines have `batchBytes` bytes. Rows in front of a fault are given before the error.
 *
 * @throws NighError `INVALID_FILE` with row, line and the byteOffset of the line: no JSON, no UTF-8, no object, a vector that is
 * missing, empty, above 16,384 numbers, of another length than that of row 0 or with something that is no float32, an id that is
 * neither a string nor a whole number, a text that is no string, a line above `maxLineBytes`. `INVALID_OPTION`, `ABORTED`. Errors
 * of the source are passed on as they are.
 */
export function readJsonl(source: ByteSource, options: JsonlReadOptions = {}): AsyncGenerator<JsonlBatch, void> {
	return readLines(source, options, batches);
}

/** What batches of rows are made of. */
export interface JsonlInput {
	readonly reader: ByteReader;
	readonly lines: LineReader;
	readonly names: Required<JsonlFieldNames>;
	readonly limits: ReadLimits;
}

/** Checks the options and the source, and reads it by `batches`. */
export function readLines<B>(
	source: ByteSource,
	options: JsonlReadOptions,
	batches: (input: JsonlInput) => AsyncGenerator<B, void>,
): AsyncGenerator<B, void> {
	const limits = readLimits("jsonl", options, [...FIELD_OPTIONS, "maxLineBytes"]);
	const maxLineBytes = integerOption("maxLineBytes", options.maxLineBytes, MAX_LINE_BYTES);
	const names = fieldNames(options);
	checkSource(source);
	return readFrom(source, options.signal, (reader) =>
		batches({ reader, lines: new LineReader(reader, maxLineBytes), names, limits }),
	);
}

async function* batches({ reader, lines, names, limits }: JsonlInput): AsyncGenerator<JsonlBatch, void> {
	const { limit, batchBytes } = limits;
	let row = 0;
	let dimensions = 0;
	while (row < limit) {
		reader.throwIfAborted();
		const records: RecordFields[] = [];
		let values: Float32Array<ArrayBuffer> | undefined;
		let capacity = 1;
		let lineBytes = 0;
		let stop: NighError | "end" | undefined;
		while (records.length < capacity && lineBytes < batchBytes) {
			const line = await nextRow(lines, row + records.length);
			if (line === undefined || line instanceof Error) {
				stop = line ?? "end";
				break;
			}
			try {
				const { vector, ...fields } = parseRecord(line, row + records.length, names);
				if (dimensions === 0) dimensions = vector.length;
				if (vector.length !== dimensions) throw ragged(line, row + records.length, vector.length, dimensions);
				if (values === undefined) {
					capacity = Math.min(rowsPerBatch(batchBytes, dimensions * FLOAT32.bytes), limit - row);
					values = FLOAT32.allocate(capacity * dimensions);
				}
				writeVector(vector, values, records.length * dimensions, line, row + records.length);
				records.push(fields);
				lineBytes += line.bytes.length;
			} catch (error) {
				if (!isNighError(error, "INVALID_FILE")) throw error;
				stop = error;
				break;
			}
		}
		if (records.length > 0 && values !== undefined) {
			yield { ...batchOf(row, records.length, dimensions, values), records };
			row += records.length;
		}
		if (stop === "end") return;
		if (stop !== undefined) throw stop;
	}
}

/** The next line that is not blank; the error is handed back, to be thrown after the rows before it. */
export async function nextRow(lines: LineReader, row: number): Promise<Line | undefined | NighError> {
	for (;;) {
		const line = await lines.next(row);
		if (line === undefined || line instanceof Error || !isBlank(line.bytes)) return line;
	}
}

function isBlank(bytes: Uint8Array): boolean {
	return bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d);
}

function ragged(line: Line, row: number, found: number, expected: number): NighError {
	const problem = `the vector has ${found} numbers`;
	return lineFault(line, row, problem, `${expected}, as in row 0`, "Drop the row, or write it again.", { found });
}
