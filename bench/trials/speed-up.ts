import { valueBetween } from "../report/operating-points.ts";

interface Timed {
	readonly recall: number;
	readonly us: number;
}

/** How many times as fast `after` is as `before` at a recall; `undefined` where one of them was not measured on both sides of it. */
export function speedUpAt(before: readonly Timed[], after: readonly Timed[], recall: number): number | undefined {
	const [a, b] = [timeAt(before, recall), timeAt(after, recall)];
	return a === undefined || b === undefined ? undefined : a / b;
}

/** Microseconds at a recall between two points. */
function timeAt(points: readonly Timed[], recall: number): number | undefined {
	for (let at = 1; at < points.length; at++) {
		const [low, high] = [points[at - 1] as Timed, points[at] as Timed];
		if (low.recall >= recall || high.recall < recall) continue;
		const known = ({ recall: at, us }: Timed) => ({ recall: at, value: us });
		return valueBetween(known(low), known(high), recall);
	}
	return undefined;
}
