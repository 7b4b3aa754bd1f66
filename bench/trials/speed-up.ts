interface Timed {
	readonly recall: number;
	readonly us: number;
}

/** How many times as fast `after` is as `before` at a recall; `undefined` where one of them was not measured on both sides of it. */
export function speedUpAt(before: readonly Timed[], after: readonly Timed[], recall: number): number | undefined {
	const [a, b] = [timeAt(before, recall), timeAt(after, recall)];
	return a === undefined || b === undefined ? undefined : a / b;
}

/** Microseconds at a recall between two points: linear in log(time) over log(1 - recall). */
function timeAt(points: readonly Timed[], recall: number): number | undefined {
	for (let at = 1; at < points.length; at++) {
		const [low, high] = [points[at - 1] as Timed, points[at] as Timed];
		if (low.recall >= recall || high.recall < recall) continue;
		const x = (value: number) => Math.log(Math.max(1e-6, 1 - value));
		const share = (x(low.recall) - x(recall)) / (x(low.recall) - x(high.recall));
		return Math.exp(Math.log(low.us) + share * (Math.log(high.us) - Math.log(low.us)));
	}
	return undefined;
}
