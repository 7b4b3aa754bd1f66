import { type Arena, BOUND_QUERY, ELIGIBILITY } from "@nigh/kernels";
import type { Generation, GenerationHandle } from "./generation.ts";
import type { MainSpec } from "./main-search.ts";
import { tailCodeBytes } from "./tail-codes.ts";

/** Rows of the tail that are compared at a time. */
export const CHUNK_ROWS = 4_096;
/** Hits of one search at most (`BOUNDS.k.max`). */
const MOST_HITS = 10_000;
/** Filters whose matches are kept at the same time. */
export const BITMAPS = 16;

/** What one reading thread needs inside a generation, allocated by the indexer. */
export interface ReaderArea {
	/** Its number among the readers of the generation. */
	readonly reader: number;
	/** A row: the query. */
	readonly query: number;
	/** f32 keys of a chunk of rows, then u32 slots. */
	readonly keys: number;
	/** Pairs {f32 key, u32 slot} of the nearest so far. */
	readonly pool: number;
	readonly eligibility: number;
	/** {@link BOUND_QUERY}, the two planes of a coded query, a row of zeros; 0 where the tail has no codes. */
	readonly bounds: number;
	/** Pairs: upper bounds of the nearest so far. */
	readonly boundPool: number;
	/** u32, then f32, for each row of a chunk. */
	readonly kept: number;
	/** {@link BITMAPS} bitmaps, or one, a bit for each slot. */
	readonly bitmaps: number;
	readonly bitmapBytes: number;
	/** For the main index; `null` where everything is in the tail. */
	readonly main: MainSpec | null;
}

/**
 * What reading threads have in each generation. The next thread of a number gets what the one before had, which nobody gives back: threads
 * come and go, and the memory of a generation is not given back in parts.
 */
export class ReaderAreas {
	readonly #given = new WeakMap<Generation, Map<number, ReaderArea>>();
	/** Why those had none who were not to try again. */
	readonly #refused = new WeakMap<Generation, Map<number, unknown>>();

	of(generation: Generation, reader: number, allocate: () => ReaderArea): ReaderArea {
		const given = this.#given.get(generation) ?? new Map<number, ReaderArea>();
		this.#given.set(generation, given);
		const area = given.get(reader) ?? allocate();
		given.set(reader, area);
		return area;
	}

	/**
	 * As {@link of}, for one that asks again and again: what it is refused in a generation it is refused from then on. Each try takes what there is until
	 * something does not fit, and gives nothing back.
	 */
	ofOnce(generation: Generation, reader: number, allocate: () => ReaderArea): ReaderArea {
		const refused = this.#refused.get(generation) ?? new Map<number, unknown>();
		if (refused.has(reader)) throw refused.get(reader);
		try {
			return this.of(generation, reader, allocate);
		} catch (error) {
			this.#refused.set(generation, refused.set(reader, error));
			throw error;
		}
	}
}

export function allocateArea(
	arena: Arena,
	reader: number,
	{ size, format, tailCodes }: Pick<GenerationHandle, "size" | "format" | "tailCodes">,
	main: MainSpec | null,
	bitmapCount = BITMAPS,
): ReaderArea {
	const { capacity, rowBytes } = size;
	const ofCodes = (bytes: number) => (tailCodes === null ? 0 : arena.alloc(bytes));
	const bitmapBytes = Math.ceil(capacity / 32) * 4;
	return {
		reader,
		query: arena.alloc(rowBytes),
		keys: arena.alloc(CHUNK_ROWS * 8),
		pool: arena.alloc((MOST_HITS + 1) * 8),
		eligibility: arena.alloc(ELIGIBILITY.bytes),
		bounds: ofCodes(BOUND_QUERY.bytes + 2 * tailCodeBytes(format).code + rowBytes),
		boundPool: ofCodes((MOST_HITS + 1) * 8),
		kept: ofCodes(CHUNK_ROWS * 8),
		bitmaps: arena.alloc(bitmapCount * bitmapBytes),
		bitmapBytes,
		main,
	};
}
