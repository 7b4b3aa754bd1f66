import { checkInteger, checkOptions, NighError } from "@nigh/contract";
import type { VectorValues } from "../batch.ts";
import { fixByteOrder } from "../byte-order.ts";
import { ChunkWriter } from "../chunk-writer.ts";
import { COUNT } from "../parameters.ts";
import { checkDimensions, type RowSource, tagOf, type ValuesTag, wholeRows } from "../rows.ts";

export interface NpyWriteOptions {
	/**
	 * How many rows there will be, since the header says it. Left out, a single array is counted, and a stream of arrays is
	 * gathered whole before the first byte is given.
	 */
	readonly count?: number;
	/** The dtype of a file without rows. Default `"<f4"`. With rows it has to be theirs: `<f4` `|u1` `|i1`. */
	readonly dtype?: NpyWriteDtype;
}

export type NpyWriteDtype = "<f4" | "|u1" | "|i1";

const TAG_OF_DTYPE: ReadonlyMap<unknown, ValuesTag> = new Map([
	["<f4", "Float32Array"],
	["|u1", "Uint8Array"],
	["|i1", "Int8Array"],
]);

/**
 * The bytes of an npy file, version 1.0, in C order, of shape (rows, dimensions): float32, uint8 or int8, as the rows are.
 *
 * @throws NighError `INVALID_OPTION` (dimensions, a dtype that is not known, a count that is not that of the rows),
 * `INVALID_VECTOR` (another type of array) and `DIMENSION_MISMATCH` (an array that does not hold whole rows), the latter two with
 * the row.
 */
export function writeNpy(
	rows: RowSource<Float32Array | Uint8Array | Int8Array>,
	dimensions: number,
	options: NpyWriteOptions = {},
): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
	checkDimensions(dimensions);
	checkOptions(options, ["count", "dtype"], "writeNpy");
	if (options.count !== undefined) checkInteger("count", options.count, COUNT);
	if (options.dtype !== undefined && !TAG_OF_DTYPE.has(options.dtype)) {
		const problem = `dtype is ${JSON.stringify(options.dtype)}; it must be one of ${[...TAG_OF_DTYPE.keys()].join(" ")}.`;
		throw new NighError("INVALID_OPTION", problem, { field: "dtype", value: options.dtype });
	}
	return chunks(rows, dimensions, options);
}

async function* chunks(
	rows: RowSource<Float32Array | Uint8Array | Int8Array>,
	dimensions: number,
	{ count, dtype }: NpyWriteOptions,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
	const allowed = dtype === undefined ? [...TAG_OF_DTYPE.values()] : [TAG_OF_DTYPE.get(dtype) as ValuesTag];
	const expected = count ?? (ArrayBuffer.isView(rows) ? rows.length / dimensions : undefined);
	const writer = new ChunkWriter();
	const gathered: Uint8Array[] = [];
	let descr: string = dtype ?? "<f4";
	let written = 0;
	for await (const values of wholeRows(rows, dimensions, allowed)) {
		if (written === 0) descr = dtypeOf(values);
		const before = written;
		written += values.length / dimensions;
		const bytes = fileBytes(values);
		if (expected === undefined) {
			gathered.push(bytes);
			continue;
		}
		if (written > expected) throw wrongCount(expected, `${written} or more`);
		if (before === 0 && written > 0) yield* writer.add(header(descr, expected, dimensions));
		yield* writer.add(bytes);
	}
	if (expected !== undefined && written < expected) throw wrongCount(expected, String(written));
	if (expected === undefined || written === 0) yield* writer.add(header(descr, written, dimensions));
	for (const bytes of gathered) yield* writer.add(bytes);
	yield* writer.rest();
}

function dtypeOf(values: VectorValues): string {
	const tag = tagOf(values);
	// The type of the rows is one of those that were allowed.
	return [...TAG_OF_DTYPE].find(([, known]) => known === tag)?.[0] as string;
}

/** The values in the byte order of the file, in a copy: the source may reuse its array. */
function fileBytes(values: VectorValues): Uint8Array {
	const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength).slice();
	fixByteOrder(bytes, values.BYTES_PER_ELEMENT);
	return bytes;
}

/** The header of version 1.0, padded with blanks so that the payload starts at a multiple of 64, as NumPy aligns it. */
function header(descr: string, rows: number, dimensions: number): Uint8Array {
	const dict = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${rows}, ${dimensions}), }`;
	const start = 10;
	const length = Math.ceil((start + dict.length + 1) / 64) * 64 - start;
	const bytes = new TextEncoder().encode(`\0NUMPY\x01\0\0\0${dict.padEnd(length - 1)}\n`);
	bytes[0] = 0x93;
	new DataView(bytes.buffer).setUint16(8, length, true);
	return bytes;
}

function wrongCount(expected: number, found: string): NighError {
	return new NighError(
		"INVALID_OPTION",
		`count is ${expected}, but there are ${found} rows. Give their number, or leave count out to have them gathered and counted.`,
		{ field: "count", value: expected },
	);
}
