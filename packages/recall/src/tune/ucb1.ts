import type { ArmRecord } from "./arm-record.ts";

/**
 * UCB1 (Auer, Cesa-Bianchi & Fischer, "Finite-time analysis of the multiarmed bandit problem", Machine Learning 47 (2002), figure 1): each arm once,
 * the cheapest first, and from then on the one with the largest
 *
 *     x + sqrt(2 ln N / n),  x its mean reward, n its tries, N those of all arms.
 *
 * That supposes rewards of 0 to 1, and ours are 10 to 10,000: as they are, the second term would mean nothing. So means are divided by the largest of
 * them: the best arm has 1, one that takes twice as long 0.5. Not by the largest reward ever seen, which one lucky search would set for all: every
 * arm would look equally bad, and be tried equally often. A slow arm needs no rule of its own: it is tried about 2 ln N / (1 - x)^2 times.
 *
 * @param records The dearest arm first. At least one.
 * @returns The place of the arm.
 */
export function ucb1(records: readonly ArmRecord[]): number {
	let all = 0;
	let most = 0;
	for (let at = records.length - 1; at >= 0; at--) {
		const record = records[at] as ArmRecord;
		const tries = record.tries + record.pending;
		if (tries === 0) return at;
		all += tries;
		most = Math.max(most, record.worth);
	}
	const scale = most === 0 ? 0 : 1 / most;
	const log = 2 * Math.log(all);
	let best = 0;
	let highest = Number.NEGATIVE_INFINITY;
	for (let at = records.length - 1; at >= 0; at--) {
		const record = records[at] as ArmRecord;
		const bound = record.worth * scale + Math.sqrt(log / (record.tries + record.pending));
		if (bound > highest) {
			best = at;
			highest = bound;
		}
	}
	return best;
}
