import { logWealth, RecallCounts } from "@nigh/recall";

/**
 * Whether the mean recall is below the target, by the same bet on the misses: wrong with probability at most delta. For a sample whose size was
 * fixed beforehand.
 *
 * @param target Above 0, below 1.
 */
export function isBelow(counts: RecallCounts, target: number, delta: number): boolean {
	const misses = new RecallCounts();
	for (const [recall, times] of counts) misses.add(1 - recall, times);
	return logWealth(misses, 1 - target) >= -Math.log(delta);
}

/** More queries than anybody has. */
const NEVER = 1e9;

/**
 * About how many queries it would take to see the mean reach the target, if more of them were as these.
 *
 * @returns `undefined` where more will hardly do: what these have found is below the target, or too near to it.
 *
 * @example
 * // Were everything found each time: 1 / 0.05 is reached at the 83rd
 * queriesNeeded(RecallCounts.of([1]), 0.95, 0.05); // 83
 */
export function queriesNeeded(counts: RecallCounts, target: number, delta: number): number | undefined {
	const enough = -Math.log(delta);
	const isEnough = (queries: number) => logWealth(scaled(counts, queries / counts.size), target) >= enough;
	let most = 1;
	while (!isEnough(most)) {
		most *= 2;
		if (most > NEVER) return undefined;
	}
	let least = Math.floor(most / 2);
	while (most - least > 1) {
		const queries = Math.floor((least + most) / 2);
		if (isEnough(queries)) most = queries;
		else least = queries;
	}
	return most;
}

/** The same shares of another number of queries. */
function scaled(counts: RecallCounts, factor: number): RecallCounts {
	const more = new RecallCounts();
	for (const [recall, times] of counts) more.add(recall, times * factor);
	return more;
}
