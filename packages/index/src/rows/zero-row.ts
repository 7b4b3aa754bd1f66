import { METRIC_CODES } from "@nigh/kernels";
import type { ArenaView } from "../arena-view.ts";

/**
 * Rows of length 1 have half their squared distance |a - b|^2 for a cosine distance. A zero row has no direction: it is 1 from every row, where
 * |a - b|^2 says 1/2 or 0. What is computed by squared distances adds this for either of the two: 1 for a zero row under cosine, else 0.
 */
export function zeroRowTerm(arena: ArenaView, metricCode: number, row: number, bytes: number): number {
	return metricCode === METRIC_CODES.cosine && arena.kernels.sumOfSquares(row, bytes) === 0 ? 1 : 0;
}
