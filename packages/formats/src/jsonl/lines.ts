import type { NighError } from "@nigh/contract";
import type { ByteReader } from "../byte-reader.ts";
import { invalidFile } from "../invalid-file.ts";

const NEWLINE = 0x0a;
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];

/** One line of a text file, without its newline (a carriage return before it is still there). */
export interface Line {
	readonly bytes: Uint8Array;
	/** Counted from 1. */
	readonly number: number;
	/** Where the line begins in the file. */
	readonly byteOffset: number;
}

/** Cuts a byte stream into lines. A line is valid until the next one is asked for. */
export class LineReader {
	readonly #reader: ByteReader;
	readonly #maxLineBytes: number;
	#number = 0;
	/** The start of a line that goes on in the next chunk. */
	#buffer = new Uint8Array(4_096);
	#kept = 0;

	constructor(reader: ByteReader, maxLineBytes: number) {
		this.#reader = reader;
		this.#maxLineBytes = maxLineBytes;
	}

	/** The next line; undefined at the end. `row` is for the error of a line above the bound. */
	async next(row: number): Promise<Line | undefined | NighError> {
		const reader = this.#reader;
		if (reader.available === 0 && !(await reader.more())) return undefined;
		this.#number += 1;
		const byteOffset = reader.offset;
		this.#kept = 0;
		for (;;) {
			const { chunk, position } = reader;
			const newline = chunk.indexOf(NEWLINE, position);
			const part = chunk.subarray(position, newline < 0 ? chunk.length : newline);
			if (this.#kept + part.length > this.#maxLineBytes) return this.#tooLong(row, byteOffset);
			reader.position += part.length + (newline < 0 ? 0 : 1);
			// The usual line lies whole in a chunk and needs no copy.
			if (newline >= 0 && this.#kept === 0) return this.#line(part, byteOffset);
			this.#keep(part);
			if (newline >= 0 || !(await reader.more())) return this.#line(this.#buffer.subarray(0, this.#kept), byteOffset);
		}
	}

	/** Appends to the line that is being gathered; a copy, since the source may overwrite its chunk. */
	#keep(part: Uint8Array): void {
		const needed = this.#kept + part.length;
		if (needed > this.#buffer.length) {
			const larger = new Uint8Array(Math.max(needed, Math.min(2 * this.#buffer.length, this.#maxLineBytes)));
			larger.set(this.#buffer.subarray(0, this.#kept));
			this.#buffer = larger;
		}
		this.#buffer.set(part, this.#kept);
		this.#kept = needed;
	}

	#line(bytes: Uint8Array, byteOffset: number): Line {
		const marked = byteOffset === 0 && BYTE_ORDER_MARK.every((byte, i) => bytes[i] === byte);
		return { bytes: marked ? bytes.subarray(BYTE_ORDER_MARK.length) : bytes, number: this.#number, byteOffset };
	}

	#tooLong(row: number, byteOffset: number): NighError {
		return invalidFile({
			format: "jsonl",
			row,
			byteOffset,
			problem: `line ${this.#number} has more than ${this.#maxLineBytes} bytes`,
			expected: "a newline before that, or at most so many bytes as the option maxLineBytes says",
			advice: "Write one JSON object a line, or raise maxLineBytes.",
			details: { line: this.#number, maxLineBytes: this.#maxLineBytes },
		});
	}
}
