import { type Projection, projectRows } from "../projection/projection.ts";
import type { InvertedFile } from "./inverted-file.ts";

/** Rows as cells and codes see them, some at a time. */
export class Projector {
	readonly #file: InvertedFile;
	readonly #projection: Projection;
	/** Rows as they are, where they are turned. */
	readonly #raw: number;
	readonly #projected: number;

	constructor(file: InvertedFile, projection: Projection, most: number) {
		this.#file = file;
		this.#projection = projection;
		const { arena, rows } = file;
		this.#projected = arena.alloc(most * projection.bytes);
		try {
			this.#raw = projection.matrix === 0 ? 0 : arena.alloc(most * rows.bytes);
		} catch (error) {
			arena.free(this.#projected);
			throw error;
		}
	}

	/** The address of `n` projected rows, those in the places that `placeOf` tells; good until the next call. */
	project(placeOf: (i: number) => number, n: number): number {
		const { arena, rows } = this.#file;
		const isTurned = this.#projection.matrix !== 0;
		const to = isTurned ? this.#raw : this.#projected;
		for (let i = 0; i < n; i++) {
			arena.u8(to + i * rows.bytes, rows.bytes).set(arena.u8(this.#file.vectorOf(placeOf(i)), rows.bytes));
		}
		if (isTurned) projectRows(arena, this.#projection, this.#raw, rows.bytes, n, this.#projected);
		return this.#projected;
	}

	dispose(): void {
		const { arena } = this.#file;
		arena.free(this.#raw);
		arena.free(this.#projected);
	}
}
