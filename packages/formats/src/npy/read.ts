import { batchOf, rowsPerBatch, type VectorBatch, type VectorValues } from "../batch.ts";
import { type ByteReader, type ByteSource, checkSource, readFrom } from "../byte-reader.ts";
import { integerOption, type ReadLimits, type ReadOptions, readLimits } from "../options.ts";
import { MAX_BYTES } from "../parameters.ts";
import { readNumbers } from "./dtype.ts";
import { expectEnd, overflowAt, payloadEnds } from "./faults.ts";
import { fortranBatches } from "./fortran.ts";
import { type NpyHeader, readNpyHeader } from "./header.ts";

export interface NpyReadOptions extends ReadOptions {
	/**
	 * A file in Fortran order is column by column, so its first row is known only near its end: the values of all rows (up to
	 * `limit`) are held, and up to as much again while they are gathered. This bounds those values, in bytes, 1 to
	 * 17,179,869,184; default 1,073,741,824. It does not touch files in C order.
	 */
	readonly maxBytes?: number;
}

/** What a batch of an npy file holds: float32 for `<f2`, `<f4` and `<f8`, uint8 for `|u1`, int8 for `|i1`. */
export type NpyValues = Float32Array<ArrayBuffer> | Uint8Array<ArrayBuffer> | Int8Array<ArrayBuffer>;

/**
 * Reads an npy file, version 1.0 to 3.0, as batches of rows. The shape is (rows, dimensions), or (dimensions,) for one row.
 * Half floats are converted exactly, doubles are rounded to the nearest float32. Rows in front of a fault are given before the
 * error (in Fortran order there are none).
 *
 * @throws NighError `INVALID_FILE` with row and byteOffset: a header that is not understood, a big-endian or other dtype, a
 * payload that is shorter or longer than the shape says, a finite double too large for float32, a file in Fortran order above
 * `maxBytes`. `INVALID_OPTION`, `ABORTED`. Errors of the source are passed on as they are.
 */
export function readNpy(
	source: ByteSource,
	options: NpyReadOptions = {},
): AsyncGenerator<VectorBatch<NpyValues>, void> {
	const limits = readLimits("npy", options, ["maxBytes"]);
	const maxBytes = integerOption("maxBytes", options.maxBytes, MAX_BYTES);
	checkSource(source);
	return readFrom(source, options.signal, async function* (reader) {
		const header = await readNpyHeader(reader);
		// The dtypes of the table allocate no other arrays.
		yield* (
			header.fortranOrder ? fortranBatches(reader, header, limits, maxBytes) : rowBatches(reader, header, limits)
		) as AsyncGenerator<VectorBatch<NpyValues>, void>;
	});
}

async function* rowBatches(
	reader: ByteReader,
	header: NpyHeader,
	{ limit, batchBytes }: ReadLimits,
): AsyncGenerator<VectorBatch<VectorValues>, void> {
	const { dtype, dimensions } = header;
	const { element } = dtype;
	const rows = Math.min(header.rows, limit);
	let row = 0;
	while (row < rows) {
		reader.throwIfAborted();
		const capacity = Math.min(rowsPerBatch(batchBytes, dimensions * element.bytes), rows - row);
		const values = element.allocate(capacity * dimensions);
		const { numbers, overflow } = await readNumbers(reader, dtype, values, 0, capacity * dimensions);
		const count = Math.floor(numbers / dimensions);
		if (count > 0) yield batchOf(row, count, dimensions, values);
		row += count;
		if (overflow) throw overflowAt(header, row, numbers - count * dimensions);
		if (count < capacity) throw payloadEnds(header, row, reader);
	}
	if (rows === header.rows) await expectEnd(reader, header);
}
