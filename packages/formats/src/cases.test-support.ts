// One case for every way that rows can stand in a file. The encoders are written anew here, number by number through a DataView,
// so that they are an oracle for the readers and for the writers.

import type { VectorFormat } from "./format.ts";
import { concatenated } from "./sources.test-support.ts";

/** What the first `length` bytes of a file must give: so many rows, and an error of this place where the end is not allowed there. */
export interface PrefixModel {
	readonly rows: number;
	readonly fault?: { readonly row: number; readonly byteOffset: number };
}

export interface FormatCase {
	readonly name: string;
	readonly format: VectorFormat;
	readonly tag: "Float32Array" | "Uint8Array" | "Int8Array" | "Int32Array";
	/** Whether the file can end after any row. */
	readonly endsAnywhere: boolean;
	/** Whether rows can be given before the end of the file is seen. */
	readonly streams: boolean;
	/** Bytes that a row takes at the least. */
	readonly leastRowBytes: number;
	/** Rows of whole numbers from 0 to 100, which all types hold. */
	encode(rows: readonly (readonly number[])[], dimensions: number): Uint8Array;
	prefix(rows: readonly (readonly number[])[], dimensions: number, length: number): PrefixModel;
}

type WriteNumber = (view: DataView, at: number, value: number) => void;

const writeFloat: WriteNumber = (view, at, value) => view.setFloat32(at, value, true);
const writeDouble: WriteNumber = (view, at, value) => view.setFloat64(at, value, true);
const writeInt: WriteNumber = (view, at, value) => view.setInt32(at, value, true);
const writeByte: WriteNumber = (view, at, value) => view.setUint8(at, value);
/** A whole number from 0 to 2,048 as a half float. */
const writeHalf: WriteNumber = (view, at, value) => {
	const exponent = value === 0 ? 0 : Math.floor(Math.log2(value));
	view.setUint16(at, value === 0 ? 0 : ((exponent + 15) << 10) | ((value / 2 ** exponent - 1) * 1024), true);
};

/** The bytes of numbers, each of `width` bytes. */
export function numbers(values: readonly number[], width: number, write: WriteNumber): Uint8Array {
	const bytes = new Uint8Array(values.length * width);
	const view = new DataView(bytes.buffer);
	values.forEach((value, i) => {
		write(view, i * width, value);
	});
	return bytes;
}

export const int32s = (...values: number[]) => numbers(values, 4, writeInt);
export const float32s = (...values: number[]) => numbers(values, 4, writeFloat);
export const float64s = (...values: number[]) => numbers(values, 8, writeDouble);
export const ascii = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));

function texmex(format: VectorFormat, tag: FormatCase["tag"], width: number, write: WriteNumber): FormatCase {
	return {
		name: format,
		format,
		tag,
		endsAnywhere: true,
		streams: true,
		leastRowBytes: 4 + width,
		encode: (rows, dimensions) => concatenated(rows.flatMap((row) => [int32s(dimensions), numbers(row, width, write)])),
		prefix(_, dimensions, length) {
			const stride = 4 + dimensions * width;
			const rows = Math.floor(length / stride);
			return length % stride === 0 ? { rows } : { rows, fault: { row: rows, byteOffset: length } };
		},
	};
}

/** An npy file around a payload; the dict is given as it shall stand there. */
export function npyFile(dict: string, payload: Uint8Array, version: 1 | 2 | 3 = 1): Uint8Array {
	const length = new Uint8Array(version === 1 ? 2 : 4);
	const view = new DataView(length.buffer);
	if (version === 1) view.setUint16(0, dict.length, true);
	else view.setUint32(0, dict.length, true);
	return concatenated([ascii("\x93NUMPY"), Uint8Array.of(version, 0), length, ascii(dict), payload]);
}

export function npyDict(descr: string, fortran: boolean, shape: readonly number[]): string {
	const tuple = `(${shape.join(", ")}${shape.length === 1 ? "," : ""})`;
	return `{'descr': '${descr}', 'fortran_order': ${fortran ? "True" : "False"}, 'shape': ${tuple}, }\n`;
}

function npy(
	descr: string,
	tag: FormatCase["tag"],
	width: number,
	write: WriteNumber,
	{ fortran = false, version = 1 as 1 | 2 | 3 } = {},
): FormatCase {
	const headerOf = (rows: readonly unknown[], dimensions: number) =>
		npyFile(npyDict(descr, fortran, [rows.length, dimensions]), new Uint8Array(0), version);
	return {
		name: `npy ${version}.0 ${descr} in ${fortran ? "Fortran" : "C"} order`,
		format: "npy",
		tag,
		endsAnywhere: false,
		streams: !fortran,
		leastRowBytes: width,
		encode(rows, dimensions) {
			const columns = Array.from({ length: dimensions }, (_, column) => rows.map((row) => row[column] as number));
			return concatenated([headerOf(rows, dimensions), numbers((fortran ? columns : rows).flat(), width, write)]);
		},
		prefix(rows, dimensions, length) {
			const payload = length - headerOf(rows, dimensions).length;
			if (payload < 0) return { rows: 0, fault: { row: 0, byteOffset: length } };
			if (payload === rows.length * dimensions * width) return { rows: rows.length };
			const whole = Math.floor(payload / (dimensions * width));
			const row = fortran ? Math.floor(payload / width) % rows.length : whole;
			return { rows: fortran ? 0 : whole, fault: { row, byteOffset: length } };
		},
	};
}

function jsonl(name: string, { mark = false, newline = "\n", lastNewline = true, blank = "" } = {}): FormatCase {
	const bom = mark ? "\xef\xbb\xbf" : "";
	const objects = (rows: readonly (readonly number[])[]) =>
		rows.map((row, i) => JSON.stringify({ id: `r${i}`, vector: row, text: "t", n: i }));
	return {
		name,
		format: "jsonl",
		tag: "Float32Array",
		endsAnywhere: true,
		streams: true,
		leastRowBytes: '{"vector":[0]}'.length,
		encode(rows) {
			const lines = objects(rows).join(newline + blank + newline);
			return ascii(bom + lines + (lastNewline ? newline : ""));
		},
		prefix(rows, _, length) {
			let start = 0;
			const gap = 2 * newline.length + blank.length;
			for (const [row, object] of objects(rows).entries()) {
				const skipped = row === 0 ? bom.length : 0;
				const end = start + skipped + object.length;
				const isPartOfMark = row === 0 && length > 0 && length < skipped;
				if (length < end) {
					const inside = isPartOfMark || length > start + skipped;
					return inside ? { rows: row, fault: { row, byteOffset: start } } : { rows: row };
				}
				start = end + gap;
			}
			return { rows: rows.length };
		},
	};
}

export const CASES: readonly FormatCase[] = [
	texmex("fvecs", "Float32Array", 4, writeFloat),
	texmex("bvecs", "Uint8Array", 1, writeByte),
	texmex("ivecs", "Int32Array", 4, writeInt),
	npy("<f4", "Float32Array", 4, writeFloat),
	npy("<f2", "Float32Array", 2, writeHalf, { version: 2 }),
	npy("<f8", "Float32Array", 8, writeDouble, { version: 3 }),
	npy("|u1", "Uint8Array", 1, writeByte),
	npy("|i1", "Int8Array", 1, writeByte),
	npy("<f4", "Float32Array", 4, writeFloat, { fortran: true }),
	npy("<f8", "Float32Array", 8, writeDouble, { fortran: true }),
	npy("|u1", "Uint8Array", 1, writeByte, { fortran: true, version: 2 }),
	jsonl("jsonl"),
	jsonl("jsonl with a byte order mark, CRLF and blank lines", { mark: true, newline: "\r\n", blank: " \t" }),
	jsonl("jsonl without a newline at the end", { lastNewline: false }),
];
