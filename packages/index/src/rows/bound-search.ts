import { BOUND_QUERY } from "@nigh/kernels";
import type { ArenaView } from "../arena-view.ts";
import { type BoundQuery, writeBoundQuery } from "./bound-query.ts";
import type { RowCoder } from "./row-coder.ts";
import type { RowWriter } from "./row-writer.ts";

/** Rows that follow each other, and their codes beside them. Addresses are bytes of the arena. */
export interface CodedRows extends Pick<BoundQuery, "zeroRow" | "longestCode" | "longestRow"> {
	readonly arena: ArenaView;
	readonly format: Pick<RowWriter, "metric" | "dimensions" | "bytes">;
	readonly codes: Pick<RowCoder, "origin" | "unit" | "bytes">;
	/** The first code, and bytes from each to the next, which are those of {@link codeStride}. */
	readonly codeRows: number;
	readonly codeStride: number;
	/** u32 a row: its label. */
	readonly labels: number;
}

/** The working memory of one query. Addresses are bytes of the arena. */
export type BoundScratch = Pick<BoundQuery, "struct" | "row" | "planes" | "pool" | "keptRows" | "keptBounds">;

/**
 * One query's scan over codes that loses nothing: keeps every row that its code and its residual cannot exclude from the k nearest by the
 * float keys. How the bounds come about is told in the kernels' assembly/bounds.ts.
 */
export class BoundSearch {
	readonly #rows: CodedRows;
	readonly #scratch: BoundScratch;
	readonly #k: number;
	#kept: number[] = [];
	#bounds: number[] = [];

	constructor(rows: CodedRows, scratch: BoundScratch, k: number) {
		this.#rows = rows;
		this.#scratch = scratch;
		this.#k = k;
		const { arena, format, codes, zeroRow, longestCode, longestRow } = rows;
		writeBoundQuery(arena, format, codes, { ...scratch, zeroRow, longestCode, longestRow, k });
	}

	/** Judges `n` rows from row `first` on, as many as there is room to keep. */
	scan(first: number, n: number, eligibility: number): void {
		const { arena, codes, codeRows, codeStride, labels } = this.#rows;
		const { struct, keptRows, keptBounds } = this.#scratch;
		const code = codeRows + first * codeStride;
		arena.kernels.boundScan(struct, code, codeStride, codes.bytes, first, n, labels + first * 4, eligibility);
		const words = arena.u32(struct, BOUND_QUERY.bytes / 4);
		const kept = words[BOUND_QUERY.kept / 4] as number;
		words[BOUND_QUERY.kept / 4] = 0;
		const rows = arena.u32(keptRows, kept);
		const bounds = arena.f32(keptBounds, kept);
		for (let i = 0; i < kept; i++) {
			this.#kept.push(rows[i] as number);
			this.#bounds.push(bounds[i] as number);
		}
	}

	/** Those of the rows judged since the last call that may be among the k nearest of all that have been judged. */
	survivors(): number[] {
		const [kept, bounds] = [this.#kept, this.#bounds];
		this.#kept = [];
		this.#bounds = [];
		const { arena } = this.#rows;
		const { struct, pool } = this.#scratch;
		const size = arena.u32(struct, BOUND_QUERY.bytes / 4)[BOUND_QUERY.poolSize / 4] as number;
		if (size < this.#k) return kept;
		const most = arena.f32(pool, 2 * size)[2 * (size - 1)] as number;
		return kept.filter((_, i) => (bounds[i] as number) <= most);
	}
}
