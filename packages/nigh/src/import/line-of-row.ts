import { createReadStream } from "node:fs";

const NEWLINE = 0x0a;
/** Blank, tab, carriage return: a line of nothing else is no row. */
const BLANKS: ReadonlySet<number> = new Set([0x20, 0x09, 0x0d]);

/** The line, counted from 1, that a row of a JSONL file stands in; `undefined` where there is none. */
export async function lineOfRow(file: string, row: number): Promise<number | undefined> {
	let line = 1;
	let rows = 0;
	let isBlank = true;
	for await (const chunk of createReadStream(file) as AsyncIterable<Uint8Array>) {
		for (const byte of chunk) {
			if (byte === NEWLINE) {
				line++;
				isBlank = true;
			} else if (isBlank && !BLANKS.has(byte)) {
				if (rows++ === row) return line;
				isBlank = false;
			}
		}
	}
	return undefined;
}
