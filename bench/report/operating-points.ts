import type { EngineResult, Point } from "../run/interleave.ts";

/** The median of an odd or even number of values. */
export function median(values: readonly number[]): number {
	const sorted = values.toSorted((a, b) => a - b);
	const middle = sorted.length >> 1;
	if (sorted.length % 2 === 1) return sorted[middle] as number;
	return ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

/** Points that no other point of the engine beats in both recall and queries a second, by rising recall. */
export function frontier(points: readonly Point[]): Point[] {
	const best: Point[] = [];
	for (const point of points.toSorted((a, b) => b.recall - a.recall || median(b.qps) - median(a.qps))) {
		const last = best.at(-1);
		if (last === undefined || median(point.qps) > median(last.qps)) best.push(point);
	}
	return best.reverse();
}

/** Queries a second at a recall. */
export interface AtRecall {
	/** `undefined` where the engine never reaches the recall. */
	readonly qps: number | undefined;
	/** The cheapest setting measured already has more recall than asked for: the figure is a lower limit. */
	readonly atLeast: boolean;
}

/**
 * Queries a second at a recall, between two neighbouring points of the frontier: linear in log(queries/s) over log(1 - recall), which
 * is nearly a straight line for graphs.
 */
export function qpsAt({ points }: EngineResult, recall: number): AtRecall {
	const edge = frontier(points);
	const above = edge.findIndex((point) => point.recall >= recall);
	if (above < 0) return { qps: undefined, atLeast: false };
	const high = edge[above] as Point;
	const low = edge[above - 1];
	if (low === undefined || high.recall === recall) return { qps: median(high.qps), atLeast: high.recall > recall };
	const [from, to] = [low, high].map((point) => ({ recall: point.recall, value: median(point.qps) })) as [Known, Known];
	return { qps: valueBetween(from, to, recall), atLeast: false };
}

interface Known {
	readonly recall: number;
	readonly value: number;
}

/** A time or a rate at a recall between two that were measured: linear in its logarithm over log(1 - recall). */
export function valueBetween(low: Known, high: Known, recall: number): number {
	const x = (of: number) => Math.log(Math.max(1e-6, 1 - of));
	const share = (x(low.recall) - x(recall)) / (x(low.recall) - x(high.recall));
	return Math.exp(Math.log(low.value) + share * (Math.log(high.value) - Math.log(low.value)));
}
