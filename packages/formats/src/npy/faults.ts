import type { NighError } from "@nigh/contract";
import type { ByteReader } from "../byte-reader.ts";
import { invalidFile } from "../invalid-file.ts";
import type { NpyHeader } from "./header.ts";

/** The fault of a double that float32 cannot hold, `column` numbers into its row. */
export function overflowAt(header: NpyHeader, row: number, column: number): NighError {
	const { dtype, fortranOrder, rows, dimensions, payloadOffset } = header;
	const index = fortranOrder ? column * rows + row : row * dimensions + column;
	return invalidFile({
		format: "npy",
		row,
		byteOffset: payloadOffset + index * dtype.bytes,
		problem: `number ${column} of the row is too large for float32`,
		expected: "a magnitude of at most 3.4028235e38",
		advice: "Scale the vectors, or drop the row.",
		details: { column },
	});
}

/** The fault of a file that ends before its payload does. */
export function payloadEnds(header: NpyHeader, row: number, reader: ByteReader): NighError {
	const { dtype, rows, dimensions, payloadOffset } = header;
	const end = payloadOffset + rows * dimensions * dtype.bytes;
	return invalidFile({
		format: "npy",
		row,
		byteOffset: reader.offset,
		problem: `the file ends inside the payload`,
		expected: `${rows} rows of ${dimensions} numbers up to byte ${end}, as the header says`,
		advice: "Fetch or write the file again.",
		details: { expectedBytes: end },
	});
}

/** Refuses bytes behind the payload: the header has kept rows back, or two arrays were saved into one file. */
export async function expectEnd(reader: ByteReader, header: NpyHeader): Promise<void> {
	if (!(await reader.more())) return;
	throw invalidFile({
		format: "npy",
		row: header.rows,
		byteOffset: reader.offset,
		problem: "the file goes on after the payload",
		expected: `its end after the ${header.rows} rows that the header says`,
		advice: "Save one array a file; set limit to read only the rows of the first.",
	});
}
