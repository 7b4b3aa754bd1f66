import type { ArmRecord } from "./arm-record.ts";

/**
 * The arm that is the best by what is known: the one whose tries have earned the most on average.
 *
 * The cheapest goes before it as long as it has not been tried, since a ladder's order is a guess at times that is seldom wrong: what would otherwise
 * serve is whichever arm happened to be tried first, and were it the exact search, it would serve until chance tried another.
 *
 * @param records The dearest arm first. At least one.
 * @returns Its place.
 */
export function greedy(records: readonly ArmRecord[]): number {
	const cheapest = records.length - 1;
	if ((records[cheapest] as ArmRecord).tries === 0) return cheapest;
	let best = -1;
	let most = 0;
	for (let at = cheapest; at >= 0; at--) {
		const { worth } = records[at] as ArmRecord;
		if (worth > most) {
			best = at;
			most = worth;
		}
	}
	if (best >= 0) return best;
	// All that was tried has fallen back.
	for (let at = cheapest; at >= 0; at--) if ((records[at] as ArmRecord).tries === 0) return at;
	return cheapest;
}
