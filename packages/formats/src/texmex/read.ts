// The vector files of the TEXMEX corpora (http://corpus-texmex.irisa.fr): every row is its dimension as a little-endian int32,
// then that many float32 (fvecs), uint8 (bvecs) or int32 (ivecs). There is no header and no count.

import { BOUNDS, type NighError } from "@nigh/contract";
import {
	batchOf,
	type Element,
	FLOAT32,
	INT32,
	rowsPerBatch,
	UINT8,
	type VectorBatch,
	type VectorValues,
} from "../batch.ts";
import { fixByteOrder } from "../byte-order.ts";
import { type ByteReader, type ByteSource, checkSource, readFrom } from "../byte-reader.ts";
import { type FileFault, invalidFile } from "../invalid-file.ts";
import { type ReadLimits, type ReadOptions, readLimits } from "../options.ts";

type TexmexFormat = "fvecs" | "bvecs" | "ivecs";

/** A layout of the family: the name of the format and how it keeps one number. */
interface TexmexLayout<V extends VectorValues> {
	readonly format: TexmexFormat;
	readonly element: Element<V>;
}

const PREFIX_BYTES = 4;

/**
 * Reads an fvecs file (float32) as batches of rows. An empty file has no rows. Rows in front of a fault are given before the
 * error, whatever the size of a batch.
 *
 * @throws NighError `INVALID_FILE` with row and byteOffset: a file that is cut off, a dimension outside 1 to 16,384, or one that
 * differs from that of row 0. `INVALID_OPTION`, `ABORTED`. Errors of the source are passed on as they are.
 */
export function readFvecs(
	source: ByteSource,
	options: ReadOptions = {},
): AsyncGenerator<VectorBatch<Float32Array<ArrayBuffer>>, void> {
	return readTexmex({ format: "fvecs", element: FLOAT32 }, source, options);
}

/** Reads a bvecs file (uint8); otherwise as {@link readFvecs}. */
export function readBvecs(
	source: ByteSource,
	options: ReadOptions = {},
): AsyncGenerator<VectorBatch<Uint8Array<ArrayBuffer>>, void> {
	return readTexmex({ format: "bvecs", element: UINT8 }, source, options);
}

/** Reads an ivecs file (int32, as ground truth is kept); otherwise as {@link readFvecs}. */
export function readIvecs(
	source: ByteSource,
	options: ReadOptions = {},
): AsyncGenerator<VectorBatch<Int32Array<ArrayBuffer>>, void> {
	return readTexmex({ format: "ivecs", element: INT32 }, source, options);
}

function readTexmex<V extends VectorValues>(layout: TexmexLayout<V>, source: ByteSource, options: ReadOptions) {
	const limits = readLimits(layout.format, options);
	checkSource(source);
	return readFrom(source, options.signal, (reader) => batches(layout, reader, limits));
}

async function* batches<V extends VectorValues>(
	layout: TexmexLayout<V>,
	reader: ByteReader,
	{ limit, batchBytes }: ReadLimits,
): AsyncGenerator<VectorBatch<V>, void> {
	const { element, format } = layout;
	let row = 0;
	let dimensions: number | undefined;
	while (row < limit) {
		reader.throwIfAborted();
		const first = await readDimension(format, reader, row, dimensions);
		if (first === undefined) return;
		if (typeof first !== "number") throw first;
		dimensions = first;
		const rowBytes = dimensions * element.bytes;
		const capacity = Math.min(rowsPerBatch(batchBytes, rowBytes), limit - row);
		const values = element.allocate(capacity * dimensions);
		const bytes = new Uint8Array(values.buffer);
		let count = 0;
		let stop: NighError | undefined;
		while (true) {
			const got = await reader.readInto(bytes, count * rowBytes, rowBytes);
			if (got < rowBytes) {
				stop = cutOff(
					format,
					row + count,
					reader,
					`${dimensions} numbers in ${rowBytes} bytes`,
					`${got} bytes of them`,
				);
				break;
			}
			count += 1;
			count += copyWholeRows(reader, dimensions, bytes, count, capacity);
			if (count === capacity) break;
			const following = await readDimension(format, reader, row + count, dimensions);
			if (typeof following === "number") continue;
			stop = following;
			break;
		}
		if (count > 0) {
			fixByteOrder(bytes.subarray(0, count * rowBytes), element.bytes);
			yield batchOf(row, count, dimensions, values);
			row += count;
		}
		if (stop !== undefined) throw stop;
	}
}

/**
 * Copies the rows that lie whole in the chunk at hand, up to `capacity`, into `bytes`. Stops at a row of another dimension, which
 * is then read and refused like the first one of a chunk. Gives how many rows it copied.
 */
function copyWholeRows(
	reader: ByteReader,
	dimensions: number,
	bytes: Uint8Array,
	count: number,
	capacity: number,
): number {
	const { chunk } = reader;
	const rowBytes = bytes.length / capacity;
	const stride = PREFIX_BYTES + rowBytes;
	let position = reader.position;
	let copied = 0;
	while (count + copied < capacity && chunk.length - position >= stride) {
		if (int32At(chunk, position) !== dimensions) break;
		bytes.set(chunk.subarray(position + PREFIX_BYTES, position + stride), (count + copied) * rowBytes);
		position += stride;
		copied += 1;
	}
	reader.position = position;
	return copied;
}

/** The dimension in front of a row; undefined at the end of the file; the error, to be thrown after the rows before it. */
async function readDimension(
	format: TexmexFormat,
	reader: ByteReader,
	row: number,
	sameAs: number | undefined,
): Promise<number | undefined | NighError> {
	const byteOffset = reader.offset;
	const prefix = new Uint8Array(PREFIX_BYTES);
	const got = await reader.readInto(prefix, 0, PREFIX_BYTES);
	if (got === 0) return undefined;
	if (got < PREFIX_BYTES) return cutOff(format, row, reader, "4 bytes of dimension", `${got} of them`);
	const dimensions = int32At(prefix, 0);
	const fault = { format, row, byteOffset, problem: `the row states dimension ${dimensions}` };
	if (sameAs !== undefined && dimensions !== sameAs) {
		return refused(fault, `${sameAs}, as in row 0`, dimensions);
	}
	if (dimensions < BOUNDS.dimensions.min || dimensions > BOUNDS.dimensions.max) {
		return refused(fault, `${BOUNDS.dimensions.min} to ${BOUNDS.dimensions.max}`, dimensions);
	}
	return dimensions;
}

function refused(
	fault: Pick<FileFault, "format" | "row" | "byteOffset" | "problem">,
	expected: string,
	found: number,
): NighError {
	const advice = `Check that the file is ${fault.format} (each row an int32 dimension, then its numbers) and write it again.`;
	return invalidFile({ ...fault, expected, advice, details: { found } });
}

function cutOff(format: TexmexFormat, row: number, reader: ByteReader, expected: string, found: string): NighError {
	return invalidFile({
		format,
		row,
		byteOffset: reader.offset,
		problem: `the file ends inside the row, after ${found}`,
		expected,
		advice: "Fetch or write the file again, or set limit to the rows before.",
	});
}

function int32At(bytes: Uint8Array, at: number): number {
	const low = (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
	return low | ((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 24);
}
