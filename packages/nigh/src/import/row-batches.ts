import { createReadStream, type ReadStream } from "node:fs";
import { type Metadata, NighError, type RecordInput, type VectorType } from "@nigh/contract";
import { type RecordFields, readJsonlRecords, readVectors, type VectorBatch, type VectorValues } from "@nigh/formats";
import type { ReadingSettings } from "./settings.ts";

/** Records from consecutive rows of a file. */
export interface RowBatch {
	/** Number of the first row, counted from 0 in the file. */
	readonly row: number;
	readonly records: readonly RecordInput[];
	/** Length of the vectors: floats, or bits. `undefined` where a row may have a text instead. */
	readonly dimensions: number | undefined;
	/** Bytes of the file up to its last row, about: the file is read ahead. */
	readonly bytesRead: number;
	/** Whether the ids are row numbers, so that none comes twice. */
	readonly idsAreRows: boolean;
}

export interface RowBatchOptions {
	/** What the collection holds. */
	readonly type: VectorType;
	/** Whether rows of jsonl may have a text instead of a vector. */
	readonly embeds: boolean;
	/** Rows to pass over. */
	readonly skip: number;
	/** Records of a batch. */
	readonly size: number;
	readonly signal?: AbortSignal | undefined;
}

/**
 * Reads a file as records. Rows in front of a fault are given before the error.
 *
 * @throws NighError as `readVectors` does; `INVALID_VECTOR` with the row for values that are no bytes where the collection holds bits.
 */
export async function* rowBatches(
	file: string,
	reading: ReadingSettings,
	{ type, embeds, skip, size, signal }: RowBatchOptions,
): AsyncGenerator<RowBatch, void> {
	const source = createReadStream(file, { highWaterMark: 1 << 20 });
	const read = embeds ? textRows(source, reading, signal) : vectorRows(source, reading, type, signal);
	let records: RecordInput[] = [];
	let next = skip;
	let dimensions: number | undefined;
	let idsAreRows = true;
	let bytesBefore = 0;
	const gathered = (bytesRead: number): RowBatch => {
		const batch = { row: next, records, dimensions, bytesRead, idsAreRows };
		next += records.length;
		records = [];
		idsAreRows = true;
		return batch;
	};
	try {
		for await (const rows of read) {
			const { bytesRead } = source;
			if (rows.row + rows.count <= skip) {
				bytesBefore = bytesRead;
				continue;
			}
			const rowBytes = (bytesRead - bytesBefore) / rows.count;
			dimensions = rows.dimensions;
			for (let i = Math.max(0, skip - rows.row); i < rows.count; i++) {
				const fields = rows.fieldsOf(i);
				if (fields?.id !== undefined) idsAreRows = false;
				records.push(recordOf(reading, rows.vectorOf(i), fields, rows.row + i));
				if (records.length < size) continue;
				yield gathered(bytesBefore + (i + 1) * rowBytes);
				// The reader itself looks only when it asks for more of the file.
				if (signal?.aborted) throw new NighError("ABORTED", "The import was interrupted.", { row: next });
			}
			bytesBefore = bytesRead;
		}
	} catch (error) {
		if (records.length > 0 && signal?.aborted !== true) yield gathered(source.bytesRead);
		throw error;
	}
	if (records.length > 0) yield gathered(source.bytesRead);
}

/** Some rows, as the reader of the format gives them. */
interface ReadRows {
	readonly row: number;
	readonly count: number;
	readonly dimensions: number | undefined;
	readonly vectorOf: (i: number) => Float32Array | Uint8Array | undefined;
	readonly fieldsOf: (i: number) => RecordFields | undefined;
}

async function* vectorRows(
	source: ReadStream,
	{ format, fields }: ReadingSettings,
	type: VectorType,
	signal: AbortSignal | undefined,
): AsyncGenerator<ReadRows, void> {
	const options = { ...(format === "jsonl" && fields), ...(signal !== undefined && { signal }) };
	for await (const batch of readVectors(format, source, options) as AsyncIterable<VectorBatch>) {
		const { row, count } = batch;
		const { values, width } = valuesFor(type, batch);
		yield {
			row,
			count,
			dimensions: type === "bit" ? width * 8 : width,
			vectorOf: (i) => values.subarray(i * width, (i + 1) * width),
			fieldsOf: (i) => batch.records?.[i],
		};
	}
}

async function* textRows(
	source: ReadStream,
	{ fields }: ReadingSettings,
	signal: AbortSignal | undefined,
): AsyncGenerator<ReadRows, void> {
	const options = { ...fields, ...(signal !== undefined && { signal }) };
	for await (const { row, records } of readJsonlRecords(source, options)) {
		yield {
			row,
			count: records.length,
			dimensions: undefined,
			vectorOf: (i) => records[i]?.vector,
			fieldsOf: (i) => records[i],
		};
	}
}

function recordOf(
	{ idPrefix, metadata: wanted }: ReadingSettings,
	vector: Float32Array | Uint8Array | undefined,
	fields: RecordFields | undefined,
	row: number,
): RecordInput {
	const id = fields?.id ?? `${idPrefix}${row}`;
	const given = vector === undefined ? { id } : { id, vector };
	if (fields === undefined) return given;
	const { text } = fields;
	const metadata = wanted === undefined ? fields.metadata : picked(fields.metadata, wanted);
	const hasMetadata = Object.keys(metadata).length > 0;
	return { ...given, ...(text !== undefined && { text }), ...(hasMetadata && { metadata }) };
}

function picked(metadata: Metadata, names: readonly string[]): Metadata {
	return Object.fromEntries(
		names.filter((name) => Object.hasOwn(metadata, name)).map((name) => [name, metadata[name]]),
	);
}

/** The numbers of a batch in the type that the collection takes, and how many a row has. */
function valuesFor(
	type: VectorType,
	{ row, dimensions: width, values }: VectorBatch,
): { values: Float32Array | Uint8Array; width: number } {
	if (type === "bit") return { values: bytesOf(values, row, width), width };
	return { values: values instanceof Float32Array ? values : Float32Array.from(values), width };
}

/** Packed bits come as bytes, eight dimensions in each; JSONL has them as numbers. */
function bytesOf(values: VectorValues, row: number, width: number): Uint8Array {
	if (values instanceof Uint8Array) return values;
	const bytes = Uint8Array.from(values);
	const wrong = values.findIndex((value, at) => value !== bytes[at]);
	if (wrong === -1) return bytes;
	const at = row + Math.floor(wrong / width);
	throw new NighError(
		"INVALID_VECTOR",
		`row ${at} has the number ${values[wrong]}; a collection of bits takes bytes, 0 to 255, eight dimensions in each.`,
		{ field: "vector", row: at, value: values[wrong] },
	);
}
