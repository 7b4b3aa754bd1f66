import { BOUND_QUERY, CODE_FORMS } from "@nigh/kernels";
import type { FlatRows } from "./rows.ts";
import type { FlatScratch } from "./scratch.ts";

/** Spacing of float32 at 1. */
const ULP = 2 ** -23;

/**
 * One query's scan over codes that loses nothing: keeps every row that its code and its residual cannot exclude from the k nearest by the
 * float keys. How the bounds come about is told in the kernels' assembly/bounds.ts; here are the constants, with a generous allowance for
 * the rounding of the float keys (a sum of d products in 8 lanes errs by at most about d / 8 + 3 half-ulps of the sum of their sizes).
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
		this.#writeQuery(i);
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

	#writeQuery(i: number): void {
		const { arena, codes, format, longestCode, longestRow } = this.#rows;
		if (codes === undefined) return;
		const query = this.#scratch.query(i);
		const high = this.#scratch.planes(i);
		const low = high + codes.bytes;
		const words = arena.u32(this.#struct, BOUND_QUERY.bytes / 4);
		const doubles = arena.f64(this.#struct, BOUND_QUERY.bytes / 8);
		words.fill(0);
		words[BOUND_QUERY.high / 4] = high;
		words[BOUND_QUERY.low / 4] = low;
		words[BOUND_QUERY.k / 4] = this.#k;
		words[BOUND_QUERY.pool / 4] = this.#pool;
		words[BOUND_QUERY.keptRows / 4] = this.#scratch.keptRows;
		words[BOUND_QUERY.keptBounds / 4] = this.#scratch.keptBounds;
		const rounding = (format.dimensions / 8 + 8) * ULP;
		// Squares below 2^-149 vanish in float32.
		const vanished = Math.sqrt(format.dimensions) * 2 ** -74;
		// encodePlanes leaves its two float64 results where the struct's own two begin, which are written after.
		const left = this.#struct + BOUND_QUERY.constant;
		const set = (field: "constant" | "factor" | "slack" | "perResidual" | "rounding", value: number) => {
			doubles[BOUND_QUERY[field] / 8] = value;
		};
		if (format.metric === "l2") {
			words[BOUND_QUERY.form / 4] = CODE_FORMS.l2;
			arena.kernels.encodePlanes(query, codes.origin, codes.unit, format.bytes, high, low, codes.bytes, left);
			const [error, norm] = [
				doubles[BOUND_QUERY.constant / 8] as number,
				doubles[BOUND_QUERY.constant / 8 + 1] as number,
			];
			set("constant", norm);
			set("factor", codes.unit ** 2);
			set("slack", error + vanished + ULP * codes.unit * (Math.sqrt(norm) + longestCode));
			set("perResidual", 1);
			set("rounding", rounding);
			return;
		}
		words[BOUND_QUERY.form / 4] = CODE_FORMS.dot;
		const floats = arena.f32(query, format.dimensions);
		const origin = arena.f32(codes.origin, format.dimensions);
		let largest = 0;
		let atOrigin = 0;
		for (let j = 0; j < floats.length; j++) {
			largest = Math.max(largest, Math.abs(floats[j] as number));
			atOrigin += (floats[j] as number) * (origin[j] as number);
		}
		const unit = largest / 127;
		arena.kernels.encodePlanes(query, this.#rows.zeroRow, unit, format.bytes, high, low, codes.bytes, left);
		const error = doubles[BOUND_QUERY.constant / 8] as number;
		const length = Math.sqrt(arena.kernels.sumOfSquares(query, format.bytes));
		set("constant", (format.metric === "cosine" ? 1 : 0) - atOrigin);
		set("factor", (-codes.unit * unit) / 128);
		set("slack", error * codes.unit * longestCode + (rounding + 16 * ULP) * (length * longestRow + 1) + vanished);
		set("perResidual", length);
		set("rounding", rounding);
	}
}
