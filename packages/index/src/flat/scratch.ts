import { BOUND_QUERY, ELIGIBILITY } from "@nigh/kernels";
import { withinArena } from "../memory-limit.ts";
import type { BoundScratch } from "../rows/bound-search.ts";
import type { FlatRows } from "./rows.ts";

/** Rows that are looked at in one kernel call: their codes or vectors stay in the second-level cache while several queries pass. */
export const CHUNK_ROWS = 512;

const PAIR = 8;
const CACHE_LINE = 64;

/** The working memory of a search for up to `queries` vectors at once: one piece of the arena, so that it is taken whole or not at all. */
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
		const parts = {
			query: queries * format.bytes,
			planes: codes === undefined ? 0 : queries * 2 * codes.bytes,
			structs: codes === undefined ? 0 : queries * BOUND_QUERY.bytes,
			kept: codes === undefined ? 0 : CHUNK_ROWS * PAIR,
			pools: queries * k * PAIR,
			keys: queries * CHUNK_ROWS * 4,
			ids: CHUNK_ROWS * 4,
			eligibility: ELIGIBILITY.bytes,
		};
		const lines = (bytes: number) => Math.ceil(bytes / CACHE_LINE) * CACHE_LINE;
		const whole = Object.values(parts).reduce((sum, bytes) => sum + lines(bytes), 0);
		let at = withinArena("a search", () => arena.alloc(whole));
		const next = (part: keyof typeof parts): number => {
			const address = at;
			at += lines(parts[part]);
			return address;
		};
		this.#queryAt = next("query");
		this.#planes = next("planes");
		this.#structs = next("structs");
		this.#kept = next("kept");
		this.#pools = next("pools");
		this.keys = next("keys");
		this.ids = next("ids");
		this.eligibility = next("eligibility");
	}

	query(i: number): number {
		return this.#queryAt + i * this.queryStride;
	}

	pool(i: number): number {
		return this.#pools + i * this.#k * PAIR;
	}

	/** What query i needs for a scan of codes. */
	ofBounds(i: number): BoundScratch {
		return {
			struct: this.#structs + i * BOUND_QUERY.bytes,
			row: this.query(i),
			// The high plane of the coded query; the low one lies behind it.
			planes: this.#planes + i * 2 * (this.#rows.codes?.bytes ?? 0),
			pool: this.pool(i),
			keptRows: this.#kept,
			keptBounds: this.#kept + CHUNK_ROWS * 4,
		};
	}

	dispose(): void {
		this.#rows.arena.free(this.#queryAt);
	}
}
