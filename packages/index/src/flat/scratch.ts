import { BOUND_QUERY, ELIGIBILITY } from "@nigh/kernels";
import type { FlatRows } from "./rows.ts";

/** Rows that are looked at in one kernel call: their codes or vectors stay in the second-level cache while several queries pass. */
export const CHUNK_ROWS = 512;

const PAIR = 8;

/** The working memory of a search for up to `queries` vectors at once. */
export class FlatScratch {
	readonly queries: number;
	readonly queryStride: number;
	readonly eligibility: number;
	/** f32 a row of the chunk, for each query. */
	readonly keys: number;
	/** u32 a row of the chunk. */
	readonly ids: number;
	readonly #rows: FlatRows;
	readonly #queryAt: number;
	readonly #planes: number;
	readonly #structs: number;
	readonly #kept: number;
	readonly #pools: number;
	readonly #k: number;

	constructor(rows: FlatRows, queries: number, k: number) {
		const { arena, format, codes } = rows;
		this.#rows = rows;
		this.#k = k;
		this.queries = queries;
		this.queryStride = format.bytes;
		this.#queryAt = arena.alloc(queries * format.bytes);
		this.#planes = codes === undefined ? 0 : arena.alloc(queries * 2 * codes.bytes);
		this.#structs = codes === undefined ? 0 : arena.alloc(queries * BOUND_QUERY.bytes);
		this.#kept = codes === undefined ? 0 : arena.alloc(CHUNK_ROWS * PAIR);
		this.#pools = arena.alloc(queries * k * PAIR);
		this.keys = arena.alloc(queries * CHUNK_ROWS * 4);
		this.ids = arena.alloc(CHUNK_ROWS * 4);
		this.eligibility = arena.alloc(ELIGIBILITY.bytes);
	}

	query(i: number): number {
		return this.#queryAt + i * this.queryStride;
	}

	/** The high plane of a coded query; the low one lies behind it. */
	planes(i: number): number {
		return this.#planes + i * 2 * (this.#rows.codes?.bytes ?? 0);
	}

	struct(i: number): number {
		return this.#structs + i * BOUND_QUERY.bytes;
	}

	pool(i: number): number {
		return this.#pools + i * this.#k * PAIR;
	}

	get keptRows(): number {
		return this.#kept;
	}

	get keptBounds(): number {
		return this.#kept + CHUNK_ROWS * 4;
	}

	dispose(): void {
		const { arena } = this.#rows;
		const all = [
			this.#queryAt,
			this.#planes,
			this.#structs,
			this.#kept,
			this.#pools,
			this.keys,
			this.ids,
			this.eligibility,
		];
		for (const address of all) arena.free(address);
	}
}
