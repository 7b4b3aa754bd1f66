import type { Metadata } from "@nigh/contract";

/** The numbers of a batch, in the type that the file keeps them in (half and double floats become `Float32Array`). */
export type VectorValues =
	| Float32Array<ArrayBuffer>
	| Uint8Array<ArrayBuffer>
	| Int8Array<ArrayBuffer>
	| Int32Array<ArrayBuffer>;

/** What a row of a JSONL file says beside its vector. */
export interface RecordFields {
	/** The id field; a whole number in the file is given as its decimal text. Absent where the row has none, or null. */
	readonly id?: string;
	/** The text field. Absent where the row has none, or null. */
	readonly text?: string;
	/** Every other field, as JSON has it. */
	readonly metadata: Metadata;
}

/**
 * Some rows of a file, one after the other. Readers give what the file says: NaN and infinity are passed on, refusing them is
 * the affair of the index that takes the rows.
 */
export interface VectorBatch<V extends VectorValues = VectorValues> {
	/** Number of the first row, counted from 0 in the file. */
	readonly row: number;
	/** How many rows, at least 1. */
	readonly count: number;
	/** Length of every row, the same in all batches of a file. */
	readonly dimensions: number;
	/** count x dimensions, row-major. It fills its own buffer, so it can be kept, changed or transferred to a worker. */
	readonly values: V;
	/** One entry for each row where the format has fields beside the vector (JSONL). */
	readonly records?: readonly RecordFields[];
}

/** How one number of a row is kept: its width in bytes and the array that holds it. */
export interface Element<V extends VectorValues> {
	readonly bytes: number;
	allocate(length: number): V;
}

export const FLOAT32: Element<Float32Array<ArrayBuffer>> = { bytes: 4, allocate: (length) => new Float32Array(length) };
export const UINT8: Element<Uint8Array<ArrayBuffer>> = { bytes: 1, allocate: (length) => new Uint8Array(length) };
export const INT8: Element<Int8Array<ArrayBuffer>> = { bytes: 1, allocate: (length) => new Int8Array(length) };
export const INT32: Element<Int32Array<ArrayBuffer>> = { bytes: 4, allocate: (length) => new Int32Array(length) };

/** How many rows a batch of at most `batchBytes` holds: at least one, however long the row is. */
export function rowsPerBatch(batchBytes: number, rowBytes: number): number {
	return Math.max(1, Math.floor(batchBytes / rowBytes));
}

/** The first `count` rows of `values` as a batch; copies only where `values` has room to spare. */
export function batchOf<V extends VectorValues>(
	row: number,
	count: number,
	dimensions: number,
	values: V,
): VectorBatch<V> {
	const length = count * dimensions;
	// slice keeps the type of the array, which the signature over the union does not say.
	return { row, count, dimensions, values: values.length === length ? values : (values.slice(0, length) as V) };
}
