import { BOUND_QUERY, NO_PLACE } from "@nigh/kernels";
import { longestOf, writeBoundQuery } from "../rows/bound-query.ts";
import type { IvfScratch } from "./scratch.ts";
import type { CellQuery } from "./search-cells.ts";
import type { IvfView, ScalarView } from "./view.ts";

/** What the 7-bit codes of rows tell of how near they can be to the query in the scratch, and so which cannot be among the k nearest. */
export class CodeBounds {
	readonly #view: IvfView;
	readonly #scalar: ScalarView;
	readonly #scratch: IvfScratch;
	readonly #query: Pick<CellQuery, "k" | "eligibility">;
	isOpen = false;

	constructor(view: IvfView, scalar: ScalarView, scratch: IvfScratch, query: Pick<CellQuery, "k" | "eligibility">) {
		this.#view = view;
		this.#scalar = scalar;
		this.#scratch = scratch;
		this.#query = query;
	}

	/** Rows that may be answered and have been judged by now, up to k. */
	get found(): number {
		if (!this.isOpen) return 0;
		return this.#view.arena.u32(this.#scratch.bounds, BOUND_QUERY.bytes / 4)[BOUND_QUERY.poolSize / 4] as number;
	}

	/** What no lower bound of the k nearest is above, by all that has been judged. */
	get most(): number {
		const { k } = this.#query;
		if (this.found < k) return Number.POSITIVE_INFINITY;
		return this.#view.arena.f32(this.#scratch.boundPool + 8 * (k - 1), 1)[0] as number;
	}

	/** Judges the `n` places that are listed in the scratch, with their labels; returns how many {@link CodeBounds.forEach} may go over. */
	judge(n: number): number {
		const { arena } = this.#view;
		const { bounds, places, labels } = this.#scratch;
		const { codes, codeRows, errors } = this.#scalar;
		this.#open();
		const { bytes } = codes;
		arena.kernels.boundMany(bounds, codeRows, bytes, bytes, errors, places, n, labels, this.#query.eligibility);
		const words = arena.u32(bounds, BOUND_QUERY.bytes / 4);
		const kept = words[BOUND_QUERY.kept / 4] as number;
		words[BOUND_QUERY.kept / 4] = 0;
		return kept;
	}

	/** Goes over those of the rows judged last that may be among the k nearest and may be answered. */
	forEach(kept: number, visit: (place: number, label: number, lower: number) => void): void {
		const { arena } = this.#view;
		const { keptRows, keptBounds } = this.#scratch;
		const { most } = this;
		const rows = arena.u32(keptRows, kept);
		const least = arena.f32(keptBounds, kept);
		const labelOf = arena.u32(this.#view.labels, this.#view.slots());
		for (let i = 0; i < kept; i++) {
			const lower = least[i] as number;
			if (lower > most) continue;
			const place = rows[i] as number;
			const label = labelOf[place] as number;
			if (label !== NO_PLACE) visit(place, label, lower);
		}
	}

	#open(): void {
		if (this.isOpen) return;
		this.isOpen = true;
		const { arena, rows } = this.#view;
		const { codes } = this.#scalar;
		const { bounds, query, boundPool, keptRows, keptBounds } = this.#scratch;
		const planes = bounds + BOUND_QUERY.bytes;
		writeBoundQuery(arena, rows, codes, {
			struct: bounds,
			row: query,
			planes,
			zeroRow: planes + 2 * codes.bytes,
			k: this.#query.k,
			pool: boundPool,
			keptRows,
			keptBounds,
			...longestOf(arena, codes, rows.dimensions),
		});
	}
}
