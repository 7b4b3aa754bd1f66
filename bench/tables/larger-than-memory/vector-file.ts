import { closeSync, openSync, readSync, writeSync } from "node:fs";

/** Rows of float32 numbers in a file, nothing else in it, in the machine's order of bytes: for sets that are not to be in memory as a whole. */
export class VectorFile {
	readonly #file: number;
	readonly #dimensions: number;

	constructor(path: string, dimensions: number, mode: "r" | "w") {
		this.#file = openSync(path, mode);
		this.#dimensions = dimensions;
	}

	/** Adds whole rows at the end. */
	append(rows: Float32Array): void {
		for (let at = 0; at < rows.byteLength; ) {
			at += writeSync(this.#file, new Uint8Array(rows.buffer, rows.byteOffset + at, rows.byteLength - at));
		}
	}

	/** The rows `from` to `to`, in memory of their own. */
	read(from: number, to: number): Float32Array {
		const rows = new Float32Array((to - from) * this.#dimensions);
		const start = from * this.#dimensions * rows.BYTES_PER_ELEMENT;
		for (let at = 0; at < rows.byteLength; ) {
			const read = readSync(this.#file, new Uint8Array(rows.buffer, at), 0, rows.byteLength - at, start + at);
			if (read === 0) throw new RangeError(`the file of vectors ends before row ${to}`);
			at += read;
		}
		return rows;
	}

	close(): void {
		closeSync(this.#file);
	}
}
