import { batchOf, type Element, rowsPerBatch, type VectorBatch, type VectorValues } from "../batch.ts";
import type { ByteReader } from "../byte-reader.ts";
import { invalidFile } from "../invalid-file.ts";
import type { ReadLimits } from "../options.ts";
import { readNumbers } from "./dtype.ts";
import { expectEnd, overflowAt, payloadEnds } from "./faults.ts";
import type { NpyHeader } from "./header.ts";

/** Numbers that are asked for at once, so that what is allocated follows what the file has, not what its header claims. */
const PIECE = 64 * 1024;

/** The rows of a payload that is column by column: gathered whole, then turned batch by batch. */
export async function* fortranBatches(
	reader: ByteReader,
	header: NpyHeader,
	{ limit, batchBytes }: ReadLimits,
	maxBytes: number,
): AsyncGenerator<VectorBatch<VectorValues>, void> {
	const { element } = header.dtype;
	const { dimensions } = header;
	const rows = Math.min(header.rows, limit);
	const needed = rows * dimensions * element.bytes;
	if (needed > maxBytes) {
		throw invalidFile({
			format: "npy",
			row: 0,
			byteOffset: header.payloadOffset,
			problem: `the file is in Fortran order, so its ${rows} rows need ${needed} bytes at once`,
			expected: `at most ${maxBytes}, the option maxBytes`,
			advice: "Save it with numpy.ascontiguousarray(array), set limit, or raise maxBytes.",
			details: { needed, maxBytes },
		});
	}
	const columns = await gatherColumns(reader, header, rows);
	if (rows === header.rows) await expectEnd(reader, header);
	for (let row = 0; row < rows; ) {
		reader.throwIfAborted();
		const count = Math.min(rowsPerBatch(batchBytes, dimensions * element.bytes), rows - row);
		yield batchOf(row, count, dimensions, transposed(element, columns, rows, row, count, dimensions));
		row += count;
	}
}

/** The first `rows` numbers of every column, one column after the other. */
async function gatherColumns(reader: ByteReader, header: NpyHeader, rows: number): Promise<VectorValues> {
	const { dtype, dimensions } = header;
	const total = rows * dimensions;
	let values = dtype.element.allocate(Math.min(PIECE, total));
	for (let column = 0; column < dimensions; column++) {
		for (let row = 0; row < rows; ) {
			const at = column * rows + row;
			const piece = Math.min(PIECE, rows - row);
			if (at + piece > values.length) values = grown(dtype.element, values, at, at + piece, total);
			const { numbers, overflow } = await readNumbers(reader, dtype, values, at, piece);
			row += numbers;
			if (overflow) throw overflowAt(header, row, column);
			if (numbers < piece) throw payloadEnds(header, row, reader);
		}
		// Nothing behind the last wanted number is looked at where limit leaves rows out.
		if (rows === header.rows || column === dimensions - 1) continue;
		const left = (header.rows - rows) * dtype.bytes;
		const skipped = await reader.skip(left);
		if (skipped < left) throw payloadEnds(header, rows + Math.floor(skipped / dtype.bytes), reader);
	}
	return values;
}

/** `values` with room for `needed` numbers, and for twice as many as before where the total allows; the first `used` are kept. */
function grown(
	element: Element<VectorValues>,
	values: VectorValues,
	used: number,
	needed: number,
	total: number,
): VectorValues {
	const larger = element.allocate(Math.min(total, Math.max(needed, values.length * 2)));
	larger.set(values.subarray(0, used));
	return larger;
}

function transposed(
	element: Element<VectorValues>,
	columns: VectorValues,
	rows: number,
	first: number,
	count: number,
	dimensions: number,
): VectorValues {
	const values = element.allocate(count * dimensions);
	for (let column = 0; column < dimensions; column++) {
		const from = column * rows + first;
		for (let i = 0; i < count; i++) values[i * dimensions + column] = columns[from + i] as number;
	}
	return values;
}
