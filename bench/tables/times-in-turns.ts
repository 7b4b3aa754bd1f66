import { setTimeout as pause } from "node:timers/promises";
import type { Clock } from "../../packages/nigh/src/eval/measure.ts";

export interface TurnTimes<T> {
	/** Milliseconds of each round. */
	readonly times: readonly number[];
	/** What the last round returned. */
	readonly last: T;
}

export interface TurnOptions {
	/** At least 1. */
	readonly rounds: number;
	/** Rounds before, which do not count; after each the runtime gets the time to compile for speed. Default 8. */
	readonly warmUps?: number;
	readonly clock?: Clock;
}

/** Runs the tasks in turns, round after round, so that what else the machine does hits all alike. One entry for each task. */
export async function timesInTurns<T>(
	tasks: readonly (() => T | Promise<T>)[],
	{ rounds, warmUps = 8, clock = () => performance.now() }: TurnOptions,
): Promise<TurnTimes<T>[]> {
	if (!(rounds >= 1)) throw new RangeError(`rounds is ${rounds}; at least one has to be timed`);
	for (let round = 0; round < warmUps; round++) {
		for (const task of tasks) await task();
		await pause(1);
	}
	const times = tasks.map((): number[] => []);
	const last: T[] = [];
	for (let round = 0; round < rounds; round++) {
		for (const [at, task] of tasks.entries()) {
			const start = clock();
			last[at] = await task();
			times[at]?.push(clock() - start);
		}
	}
	return times.map((each, at) => ({ times: each, last: last[at] as T }));
}
