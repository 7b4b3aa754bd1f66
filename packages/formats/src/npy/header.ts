// The header of an npy file (numpy.lib.format): the magic, a version, a length, and a Python dict literal with the keys descr,
// fortran_order and shape. It is parsed, never evaluated, and nothing but these three keys is taken.

import { BOUNDS } from "@nigh/contract";
import type { ByteReader } from "../byte-reader.ts";
import { describe } from "../describe.ts";
import { invalidFile } from "../invalid-file.ts";
import { MAX_NPY_HEADER_BYTES } from "../parameters.ts";
import { DTYPES, type Dtype } from "./dtype.ts";
import { parseDict } from "./python-dict.ts";

/** What an npy file says about its rows. */
export interface NpyHeader {
	readonly dtype: Dtype;
	/** Whether the payload is column by column. False wherever that makes no difference. */
	readonly fortranOrder: boolean;
	readonly rows: number;
	readonly dimensions: number;
	/** Where the first number stands. */
	readonly payloadOffset: number;
}

const MAGIC = Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59);
const AGAIN = "Write it with numpy.save(file, array.astype('float32')).";

/** Reads the header and leaves the reader at the first number. Every fault is `INVALID_FILE` at its byte, as row 0. */
export async function readNpyHeader(reader: ByteReader): Promise<NpyHeader> {
	const prologue = await need(reader, 8, "the 6 bytes of the npy magic and 2 of the version");
	const wrong = MAGIC.findIndex((byte, i) => prologue[i] !== byte);
	if (wrong >= 0)
		throw headerFault(wrong, "the file does not start as npy does", "\\x93NUMPY", `Check the format. ${AGAIN}`);
	const [major, minor] = [prologue[6] as number, prologue[7] as number];
	if (major < 1 || major > 3 || minor !== 0) {
		throw headerFault(6, `the version is ${major}.${minor}`, "1.0, 2.0 or 3.0", AGAIN);
	}
	const length = littleEndian(await need(reader, major === 1 ? 2 : 4, "the length of the header"));
	const start = reader.offset;
	if (length > MAX_NPY_HEADER_BYTES) {
		const problem = `the header claims ${length} bytes`;
		throw headerFault(
			8,
			problem,
			`at most ${MAX_NPY_HEADER_BYTES}`,
			`The file is damaged, or of a structured dtype. ${AGAIN}`,
		);
	}
	const bytes = await need(reader, length, `${length} bytes of header`);
	// One character a byte, so that a place in the text is a place in the file. What is not ASCII is refused by the parser.
	const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
	return interpret(text, start);
}

function interpret(text: string, start: number): NpyHeader {
	const dict = parseDict(text, (at, problem, expected) => headerFault(start + at, problem, expected, AGAIN));
	const dtype = DTYPES.get(dict.descr.value);
	if (dtype === undefined) throw unsupportedDtype(dict.descr.value, start + dict.descr.at);
	const shapeAt = start + dict.shape.at;
	const shape = dict.shape.value;
	const shown = `(${shape.join(", ")}${shape.length === 1 ? "," : ""})`;
	if (shape.length !== 1 && shape.length !== 2) {
		throw headerFault(
			shapeAt,
			`the shape is ${shown}`,
			"(rows, dimensions), or (dimensions,)",
			"Reshape the array to two axes.",
		);
	}
	const rows = shape.length === 1 ? 1 : (shape[0] as number);
	const dimensions = shape.at(-1) as number;
	if (dimensions < BOUNDS.dimensions.min || dimensions > BOUNDS.dimensions.max) {
		const expected = `${BOUNDS.dimensions.min} to ${BOUNDS.dimensions.max}`;
		const advice = "An array of one axis is one vector; several vectors need the shape (rows, dimensions).";
		throw headerFault(shapeAt, `the shape is ${shown}, so the dimension is ${dimensions}`, expected, advice);
	}
	const payloadOffset = start + text.length;
	if (!Number.isSafeInteger(payloadOffset + rows * dimensions * dtype.bytes)) {
		throw headerFault(shapeAt, `the shape ${shown} claims more bytes than a file can have`, "a count of rows", AGAIN);
	}
	const fortranOrder = dict.fortran_order.value && rows > 1 && dimensions > 1;
	return { dtype, fortranOrder, rows, dimensions, payloadOffset };
}

function unsupportedDtype(descr: string, byteOffset: number) {
	const known = [...DTYPES.keys()].join(" ");
	const bigEndian = descr.startsWith(">");
	const problem = `the dtype is ${describe(descr)}${bigEndian ? ", which is big-endian" : ""}`;
	const advice = bigEndian
		? "Write it with array.astype(array.dtype.newbyteorder('<'))."
		: "Write it with array.astype('float32').";
	return headerFault(byteOffset, problem, `one of ${known}`, advice);
}

async function need(reader: ByteReader, length: number, what: string): Promise<Uint8Array> {
	const bytes = new Uint8Array(length);
	const got = await reader.readInto(bytes, 0, length);
	if (got === length) return bytes;
	throw headerFault(reader.offset, "the file ends inside the header", what, "Fetch or write the file again.");
}

function headerFault(byteOffset: number, problem: string, expected: string, advice: string) {
	return invalidFile({ format: "npy", row: 0, byteOffset, problem, expected, advice });
}

function littleEndian(bytes: Uint8Array): number {
	return bytes.reduceRight((value, byte) => value * 256 + byte, 0);
}
