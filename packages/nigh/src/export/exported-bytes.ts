import { type Collection, type Filter, isNighError, NighError, type StoredRecord, type Vector } from "@nigh/contract";
import { type JsonlFieldNames, type JsonlRow, writeBvecs, writeFvecs, writeJsonl, writeNpy } from "@nigh/formats";
import { checkFits, type ExportFormat } from "./export-format.ts";
import { recordLines } from "./record-lines.ts";

export interface ExportOptions {
	readonly format: ExportFormat;
	readonly fields: JsonlFieldNames;
	/** Of jsonl: the vectors too. */
	readonly vectors: boolean;
	readonly filter?: Filter;
	readonly signal: AbortSignal;
	/** Told how many of how many records have been read, now and then. */
	readonly onProgress: (done: number, total: number) => void;
}

/** The bytes of a file, made as they are asked for, and how many records have gone into it by then. */
export interface Exported {
	readonly bytes: AsyncGenerator<Uint8Array, void>;
	readonly records: () => number;
}

/** Records between two words about progress. */
const STEP = 1_024;

export async function exported(collection: Collection, options: ExportOptions): Promise<Exported> {
	const { format, filter, signal, onProgress } = options;
	const { type, dimensions } = (await collection.stats()).effective;
	checkFits(format, type);
	const total = await collection.count(filter === undefined ? {} : { filter });
	let count = 0;
	const wantsVectors = format !== "jsonl" || options.vectors;
	async function* records(): AsyncGenerator<StoredRecord, void> {
		const include = { vector: wantsVectors, metadata: format === "jsonl", text: format === "jsonl" };
		for await (const record of collection.scan({ include, signal, ...(filter !== undefined && { filter }) })) {
			// What a writer adds meanwhile would make a header that says the number of rows wrong.
			if (format === "npy" && count === total) return;
			if (++count % STEP === 0) onProgress(count, total);
			yield record;
		}
	}
	if (format === "jsonl") return { bytes: jsonl(records(), options), records: () => count };
	if (dimensions === null) {
		const name = JSON.stringify(collection.name);
		throw new NighError("NOT_FOUND", `The collection ${name} has no vectors yet: there is nothing to be written.`);
	}
	const width = type === "bit" ? dimensions / 8 : dimensions;
	return { bytes: vectorFile(format, vectorsOf(records()), width, total), records: () => count };
}

function jsonl(records: AsyncIterable<StoredRecord>, { vectors, fields }: ExportOptions) {
	if (!vectors) return recordLines(records, fields);
	return writeJsonl(rowsOf(records), fields);
}

async function* rowsOf(records: AsyncIterable<StoredRecord>): AsyncGenerator<JsonlRow, void> {
	for await (const { id, vector, text, metadata } of records) {
		const numbers = vector instanceof Float32Array ? vector : Array.from(vector as Vector);
		yield { id, vector: numbers, ...(text !== undefined && { text }), ...(metadata !== undefined && { metadata }) };
	}
}

async function* vectorsOf(records: AsyncIterable<StoredRecord>): AsyncGenerator<Vector, void> {
	for await (const { vector } of records) yield vector as Vector;
}

/** `vectors` are of the type that fits the format. */
function vectorFile(
	format: Exclude<ExportFormat, "jsonl">,
	vectors: AsyncIterable<Vector>,
	width: number,
	count: number,
): AsyncGenerator<Uint8Array, void> {
	if (format === "fvecs") return writeFvecs(vectors as AsyncIterable<Float32Array>, width);
	if (format === "bvecs") return writeBvecs(vectors as AsyncIterable<Uint8Array>, width);
	return counted(writeNpy(vectors, width, { count }));
}

async function* counted(bytes: AsyncGenerator<Uint8Array, void>): AsyncGenerator<Uint8Array, void> {
	try {
		yield* bytes;
	} catch (error) {
		if (!isNighError(error, "INVALID_OPTION") || error.details.field !== "count") throw error;
		const message = "Records were deleted while they were being written, and the header of npy says their number";
		throw new NighError("UNAVAILABLE", `${message}: run it again.`, {}, { cause: error });
	}
}
