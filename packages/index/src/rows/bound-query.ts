import { BOUND_QUERY, CODE_FORMS } from "@nigh/kernels";
import type { ArenaView } from "../arena-view.ts";
import type { RowCoder } from "./row-coder.ts";
import type { RowWriter } from "./row-writer.ts";

/** The largest code. */
const MOST_CODE = 127;
/** Spacing of float32 at 1. */
const ULP = 2 ** -23;

/** Where a query's struct and what belongs to it lie, and what is known of all rows. Addresses are bytes of the arena. */
export interface BoundQuery {
	readonly struct: number;
	/** The query as a row. */
	readonly row: number;
	/** Room for its two coded planes. */
	readonly planes: number;
	/** A row of zeros. */
	readonly zeroRow: number;
	readonly k: number;
	/** Pairs: the `k` least upper bounds. */
	readonly pool: number;
	/** u32 and f32 for each row that one call may keep. */
	readonly keptRows: number;
	readonly keptBounds: number;
	/** No code is longer than this, as codes; no row longer than that, but for what its code leaves out. */
	readonly longestCode: number;
	readonly longestRow: number;
}

/** Bounds of the lengths of codes and coded rows, whatever the rows: for those whose lengths nobody has noted. */
export function longestOf(
	arena: ArenaView,
	{ origin, unit, bytes }: Pick<RowCoder, "origin" | "unit" | "bytes">,
	dimensions: number,
): Pick<BoundQuery, "longestCode" | "longestRow"> {
	const longestCode = MOST_CODE * Math.sqrt(bytes);
	const floats = arena.f32(origin, dimensions);
	let squares = 0;
	for (let i = 0; i < floats.length; i++) squares += (floats[i] as number) ** 2;
	return { longestCode, longestRow: Math.sqrt(squares) + unit * longestCode };
}

/**
 * Writes the struct of a scan by bounds ({@link Kernels.boundScan}), empty. How the bounds come about is told in the kernels'
 * assembly/bounds.ts; here are the constants, with a generous allowance for the rounding of the float keys (a sum of d products in 8 lanes
 * errs by at most about d / 8 + 3 half-ulps of the sum of their sizes).
 */
export function writeBoundQuery(
	arena: ArenaView,
	rows: Pick<RowWriter, "metric" | "dimensions" | "bytes">,
	codes: Pick<RowCoder, "origin" | "unit" | "bytes">,
	query: BoundQuery,
): void {
	const { struct, row, planes, longestCode, longestRow } = query;
	const low = planes + codes.bytes;
	const words = arena.u32(struct, BOUND_QUERY.bytes / 4);
	const doubles = arena.f64(struct, BOUND_QUERY.bytes / 8);
	words.fill(0);
	words[BOUND_QUERY.high / 4] = planes;
	words[BOUND_QUERY.low / 4] = low;
	words[BOUND_QUERY.k / 4] = query.k;
	words[BOUND_QUERY.pool / 4] = query.pool;
	words[BOUND_QUERY.keptRows / 4] = query.keptRows;
	words[BOUND_QUERY.keptBounds / 4] = query.keptBounds;
	const rounding = (rows.dimensions / 8 + 8) * ULP;
	// Squares below 2^-149 vanish in float32.
	const vanished = Math.sqrt(rows.dimensions) * 2 ** -74;
	// encodePlanes leaves its two float64 results where the struct's own two begin, which are written after.
	const left = struct + BOUND_QUERY.constant;
	const set = (field: "constant" | "factor" | "slack" | "perResidual" | "rounding", value: number) => {
		doubles[BOUND_QUERY[field] / 8] = value;
	};
	if (rows.metric === "l2") {
		words[BOUND_QUERY.form / 4] = CODE_FORMS.l2;
		arena.kernels.encodePlanes(row, codes.origin, codes.unit, rows.bytes, planes, low, codes.bytes, left);
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
	const floats = arena.f32(row, rows.dimensions);
	const origin = arena.f32(codes.origin, rows.dimensions);
	let largest = 0;
	let atOrigin = 0;
	for (let j = 0; j < floats.length; j++) {
		largest = Math.max(largest, Math.abs(floats[j] as number));
		atOrigin += (floats[j] as number) * (origin[j] as number);
	}
	const unit = largest / 127;
	arena.kernels.encodePlanes(row, query.zeroRow, unit, rows.bytes, planes, low, codes.bytes, left);
	const error = doubles[BOUND_QUERY.constant / 8] as number;
	const length = Math.sqrt(arena.kernels.sumOfSquares(row, rows.bytes));
	set("constant", (rows.metric === "cosine" ? 1 : 0) - atOrigin);
	set("factor", (-codes.unit * unit) / 128);
	set("slack", error * codes.unit * longestCode + (rounding + 16 * ULP) * (length * longestRow + 1) + vanished);
	// The float keys round what a code leaves out as well.
	set("perResidual", length * (1 + rounding + 16 * ULP));
	set("rounding", rounding);
}
