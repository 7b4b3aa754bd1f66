import type { Label } from "../vector-index.ts";
import type { LabelRange, LabelTable } from "./label-table.ts";

/** Labels that a caller has asked for to be found by readers. */
export interface ReservedLabels {
	readonly range: LabelRange;
	/** Vectors in all that labels were counted for, where the caller named none. */
	readonly vectors: number | undefined;
}

export const NO_LABELS: LabelRange = { from: 0, count: 0 };

/**
 * The labels that readers can find when the first of them comes: those that were named. Where none were, all there are and those that are `coming`, and
 * behind them as many as were counted, unless what was reserved has them all.
 */
export function sharedLabels(table: LabelTable, reserved: ReservedLabels | undefined, coming: LabelRange): LabelRange {
	if (reserved !== undefined && reserved.vectors === undefined) return reserved.range;
	const all = spanning(table.range(0), coming);
	if (reserved?.vectors === undefined) return all;
	if (spanning(reserved.range, all).count === reserved.range.count) return reserved.range;
	return spanning(table.range(Math.max(0, reserved.vectors - table.size)), coming);
}

/** The range from the smallest to the largest of some labels. */
export function extentOf(labels: Iterable<Label>): LabelRange {
	let [from, end] = [Number.POSITIVE_INFINITY, 0];
	for (const label of labels) {
		from = Math.min(from, label);
		end = Math.max(end, label + 1);
	}
	return end === 0 ? NO_LABELS : { from, count: end - from };
}

/** The least range that both are in. */
function spanning(a: LabelRange, b: LabelRange): LabelRange {
	if (a.count === 0) return b;
	if (b.count === 0) return a;
	const from = Math.min(a.from, b.from);
	return { from, count: Math.max(a.from + a.count, b.from + b.count) - from };
}
