import { fixByteOrder } from "../byte-order.ts";
import { WRITE_CHUNK_BYTES } from "../parameters.ts";
import { checkDimensions, type RowSource, type ValuesTag, wholeRows } from "../rows.ts";

/**
 * The bytes of an fvecs file: of each row its dimension as int32, then its float32 numbers, all little-endian.
 *
 * @throws NighError `INVALID_OPTION` (dimensions outside 1 to 16,384), `INVALID_VECTOR` (another type of array) and
 * `DIMENSION_MISMATCH` (an array that does not hold whole rows), both with the row.
 */
export function writeFvecs(
	rows: RowSource<Float32Array>,
	dimensions: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
	return writeTexmex("Float32Array", rows, dimensions);
}

/** The bytes of a bvecs file (uint8); otherwise as {@link writeFvecs}. */
export function writeBvecs(
	rows: RowSource<Uint8Array>,
	dimensions: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
	return writeTexmex("Uint8Array", rows, dimensions);
}

/** The bytes of an ivecs file (int32); otherwise as {@link writeFvecs}. */
export function writeIvecs(
	rows: RowSource<Int32Array>,
	dimensions: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
	return writeTexmex("Int32Array", rows, dimensions);
}

function writeTexmex(tag: ValuesTag, rows: RowSource<unknown>, dimensions: number) {
	checkDimensions(dimensions);
	return chunks(tag, rows, dimensions);
}

async function* chunks(
	tag: ValuesTag,
	rows: RowSource<unknown>,
	dimensions: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
	const prefix = new Uint8Array(4);
	new DataView(prefix.buffer).setInt32(0, dimensions, true);
	let chunk: Uint8Array<ArrayBuffer> | undefined;
	let used = 0;
	for await (const values of wholeRows(rows, dimensions, [tag])) {
		const rowBytes = dimensions * values.BYTES_PER_ELEMENT;
		const stride = prefix.length + rowBytes;
		const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
		for (let at = 0; at < bytes.length; at += rowBytes) {
			chunk ??= new Uint8Array(Math.max(1, Math.floor(WRITE_CHUNK_BYTES / stride)) * stride);
			chunk.set(prefix, used);
			chunk.set(bytes.subarray(at, at + rowBytes), used + prefix.length);
			fixByteOrder(chunk.subarray(used + prefix.length, used + stride), values.BYTES_PER_ELEMENT);
			used += stride;
			if (used < chunk.length) continue;
			yield chunk;
			chunk = undefined;
			used = 0;
		}
	}
	if (chunk !== undefined) yield chunk.slice(0, used);
}
