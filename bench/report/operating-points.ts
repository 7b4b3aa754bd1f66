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
	const x = (point: Point) => Math.log(Math.max(1e-6, 1 - point.recall));
	const share = (x(low) - Math.log(1 - recall)) / (x(low) - x(high));
	const [from, to] = [Math.log(median(low.qps)), Math.log(median(high.qps))];
	return { qps: Math.exp(from + share * (to - from)), atLeast: false };
}
