import { type Element, FLOAT32, INT8, UINT8, type VectorValues } from "../batch.ts";
import { fixByteOrder } from "../byte-order.ts";
import type { ByteReader } from "../byte-reader.ts";
import { halfTable } from "./half.ts";

/** A type of number that npy files keep, and the array it is read into. */
export interface Dtype {
	/** Bytes of one number in the file. */
	readonly bytes: number;
	readonly element: Element<VectorValues>;
	/** Turns numbers of the file into those of the array; absent where the bytes are the same. */
	readonly convert?: Convert;
}

/** Turns `count` numbers from `source` on into `target` from `at` on. Gives how many: it stops at one that float32 cannot hold. */
type Convert = (source: DataView, target: VectorValues, at: number, count: number) => number;

const HALF: Dtype = {
	bytes: 2,
	element: FLOAT32,
	convert(source, target, at, count) {
		const half = halfTable();
		for (let i = 0; i < count; i++) target[at + i] = half[source.getUint16(2 * i, true)] as number;
		return count;
	},
};

const DOUBLE: Dtype = {
	bytes: 8,
	element: FLOAT32,
	convert(source, target, at, count) {
		for (let i = 0; i < count; i++) {
			const value = source.getFloat64(8 * i, true);
			const rounded = Math.fround(value);
			if (Math.abs(rounded) === Number.POSITIVE_INFINITY && rounded !== value) return i;
			target[at + i] = rounded;
		}
		return count;
	},
};

/** The dtypes that can be read, as NumPy writes them on little-endian machines. */
export const DTYPES: ReadonlyMap<string, Dtype> = new Map([
	["<f2", HALF],
	["<f4", { bytes: 4, element: FLOAT32 }],
	["<f8", DOUBLE],
	["|u1", { bytes: 1, element: UINT8 }],
	["|i1", { bytes: 1, element: INT8 }],
]);

/**
 * Reads `count` numbers to `target` from `at` on. Gives how many it could read: fewer where the source has ended, or, with
 * `overflow`, where the next one is finite and too large for float32.
 */
export async function readNumbers(
	reader: ByteReader,
	dtype: Dtype,
	target: VectorValues,
	at: number,
	count: number,
): Promise<{ readonly numbers: number; readonly overflow: boolean }> {
	if (dtype.convert === undefined) {
		const bytes = new Uint8Array(target.buffer);
		const got = await reader.readInto(bytes, at * dtype.bytes, count * dtype.bytes);
		const numbers = Math.floor(got / dtype.bytes);
		fixByteOrder(bytes.subarray(at * dtype.bytes, (at + numbers) * dtype.bytes), dtype.bytes);
		return { numbers, overflow: false };
	}
	const straddling = new Uint8Array(dtype.bytes);
	let numbers = 0;
	while (numbers < count) {
		const whole = Math.min(count - numbers, Math.floor(reader.available / dtype.bytes));
		let source: DataView;
		if (whole > 0) {
			source = new DataView(reader.chunk.buffer, reader.chunk.byteOffset + reader.position);
			reader.position += whole * dtype.bytes;
		} else {
			const got = await reader.readInto(straddling, 0, dtype.bytes);
			if (got < dtype.bytes) return { numbers, overflow: false };
			source = new DataView(straddling.buffer);
		}
		const wanted = Math.max(1, whole);
		const converted = dtype.convert(source, target, at + numbers, wanted);
		numbers += converted;
		if (converted < wanted) return { numbers, overflow: true };
	}
	return { numbers, overflow: false };
}
