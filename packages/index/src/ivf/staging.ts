import type { Arena } from "@nigh/kernels";

const STAGED = { bytes: 4 * 2 ** 20, least: 64, most: 4_096 } as const;

/**
 * Vectors that are on their way through an index that does not keep them: those of rows whose places follow one another. Whatever needs one,
 * needs it before the next are staged.
 */
export class Staging {
	/** Rows that may be staged at a time. */
	readonly most: number;
	readonly #arena: Arena;
	readonly #rowBytes: number;
	#vectors = 0;
	#first = 0;
	#room = 0;

	constructor(arena: Arena, rowBytes: number) {
		this.#arena = arena;
		this.#rowBytes = rowBytes;
		this.most = Math.min(STAGED.most, Math.max(STAGED.least, Math.floor(STAGED.bytes / rowBytes)));
	}

	get bytes(): number {
		return this.#room * this.#rowBytes;
	}

	/** Takes room for the vectors of so many rows, whose places begin with `first`. */
	begin(first: number, rows: number): void {
		if (rows > this.#room) {
			this.end();
			this.#vectors = this.#arena.alloc(rows * this.#rowBytes);
			this.#room = rows;
		}
		this.#first = first;
	}

	/** Gives up the vectors that were staged. */
	end(): void {
		this.#arena.free(this.#vectors);
		this.#vectors = 0;
		this.#room = 0;
	}

	vectorOf(place: number): number {
		return this.#vectors + (place - this.#first) * this.#rowBytes;
	}
}
