import { BOUND_QUERY } from "@nigh/kernels";
import { writeBoundQuery } from "../rows/bound-query.ts";
import type { FlatRows } from "./rows.ts";
import type { FlatScratch } from "./scratch.ts";

/**
 * One query's scan over codes that loses nothing: keeps every row that its code and its residual cannot exclude from the k nearest by the
 * float keys. How the bounds come about is told in the kernels' assembly/bounds.ts.
 */
export class BoundSearch {
	readonly #rows: FlatRows;
	readonly #scratch: FlatScratch;
	readonly #struct: number;
	readonly #pool: number;
	readonly #k: number;
	readonly #kept: number[] = [];
	readonly #bounds: number[] = [];

	constructor(rows: FlatRows, scratch: FlatScratch, i: number, k: number) {
		this.#rows = rows;
		this.#scratch = scratch;
		this.#struct = scratch.struct(i);
		this.#pool = scratch.pool(i);
		this.#k = k;
		const { arena, codes, format, longestCode, longestRow, zeroRow } = rows;
		if (codes === undefined) return;
		writeBoundQuery(arena, format, codes, {
			...{ struct: this.#struct, row: scratch.query(i), planes: scratch.planes(i), zeroRow },
			...{ k, pool: this.#pool, keptRows: scratch.keptRows, keptBounds: scratch.keptBounds },
			...{ longestCode, longestRow },
		});
	}

	/** Judges `n` rows from row `first` on. */
	scan(first: number, n: number, eligibility: number): void {
		const { arena, codes } = this.#rows;
		if (codes === undefined) return;
		const labels = this.#rows.labels + first * 4;
		arena.kernels.boundScan(
			this.#struct,
			this.#rows.codeOf(first),
			this.#rows.codeStride,
			codes.bytes,
			first,
			n,
			labels,
			eligibility,
		);
		const words = arena.u32(this.#struct, BOUND_QUERY.bytes / 4);
		const kept = words[BOUND_QUERY.kept / 4] as number;
		words[BOUND_QUERY.kept / 4] = 0;
		const rows = arena.u32(this.#scratch.keptRows, kept);
		const bounds = arena.f32(this.#scratch.keptBounds, kept);
		for (let i = 0; i < kept; i++) {
			this.#kept.push(rows[i] as number);
			this.#bounds.push(bounds[i] as number);
		}
	}

	/** The rows that may be among the k nearest, once all have been judged. */
	survivors(): number[] {
		const size = this.#rows.arena.u32(this.#struct, BOUND_QUERY.bytes / 4)[BOUND_QUERY.poolSize / 4] as number;
		if (size < this.#k) return this.#kept;
		const most = this.#rows.arena.f32(this.#pool, 2 * size)[2 * (size - 1)] as number;
		return this.#kept.filter((_, i) => (this.#bounds[i] as number) <= most);
	}
}
