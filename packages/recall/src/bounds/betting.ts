// Bounds on a mean by betting: Waudby-Smith & Ramdas, "Estimating means of bounded random variables by betting", JRSS B 86 (2024) 1-27;
// Stark, "Sets of half-average nulls generate risk-limiting audits", FC 2020, for the mixture over fixed bets.
import type { RecallCounts } from "./counts.ts";

/** What is bet, as shares of the most that may be: large ones win soon where nearly every recall is 1, small ones where recalls spread. */
export const BETS: readonly number[] = [0.1, 0.3, 0.6, 0.97];

/**
 * Whether the mean of recalls that come one after the other is at least a target.
 *
 * A gambler who believes so begins with 1 and bets against "the mean m is below the target t". After n recalls he has
 *
 *     K_n(t) = sum_j w_j prod_i (1 - c_j + c_j X_i / t),  c in {.1, .3, .6, .97}, w_j = 1/4.
 *
 * Were the mean below t (given all that came before), each factor would be at most 1 on average, so that K is a nonnegative supermartingale,
 * and by Ville's inequality it would ever reach 1 / delta with probability at most delta. So one may look after every recall, stop at any
 * time, and go on later: the test has passed when K has once reached 1 / delta.
 *
 * Assumes that each recall has, given those before it, the mean that is asked about: draws from one distribution, or from a finite pool with
 * replacement. It assumes nothing of their spread.
 *
 * @example
 * // 99 recalls of 1 at the target 0.95 and delta 0.05: the boldest gambler has (1 - .97 + .97 / .95)^99 = 1.05105^99 = 138.3, the
 * // others 1.7, 4.7 and 21.7: on average 41.6, more than 1 / 0.05 = 20. It had passed after the 83rd.
 * const test = new BettingTest(0.95, 0.05);
 * for (let i = 0; i < 99; i++) test.add(1);
 * test.passed; // true
 */
export class BettingTest {
	readonly target: number;
	readonly delta: number;
	/** Recalls so far. */
	size = 0;
	/** Natural logarithm of the most that K has ever been. */
	highest = 0;
	readonly #logs = new Float64Array(BETS.length);

	/**
	 * @param target Above 0, at most 1.
	 * @param delta How likely a false pass may be: above 0, below 1.
	 */
	constructor(target: number, delta: number) {
		this.target = target;
		this.delta = delta;
	}

	/** Takes in the next recall, 0 to 1. Returns whether the test has passed by now. */
	add(recall: number): boolean {
		this.size++;
		const excess = recall / this.target - 1;
		for (let j = 0; j < BETS.length; j++)
			this.#logs[j] = (this.#logs[j] as number) + Math.log1p((BETS[j] as number) * excess);
		this.highest = Math.max(this.highest, logMean(this.#logs));
		return this.passed;
	}

	/** Whether K has reached 1 / delta at any time. */
	get passed(): boolean {
		return this.highest >= -Math.log(this.delta);
	}
}

/** Natural logarithm of K_n(m) of a sample: decreasing in m. */
export function logWealth(counts: RecallCounts, m: number): number {
	const logs = new Float64Array(BETS.length);
	for (const [recall, times] of counts) {
		const excess = recall / m - 1;
		for (let j = 0; j < BETS.length; j++)
			logs[j] = (logs[j] as number) + times * Math.log1p((BETS[j] as number) * excess);
	}
	return logMean(logs);
}

/**
 * The lower confidence bound on the mean of a sample whose size was fixed beforehand: the smallest m that K_n(m) does not refute at delta, found by
 * bisection to 1e-9. With probability at least 1 - delta the mean is above it. It is of this one look: to look again after more recalls, use
 * {@link BettingTest}.
 *
 * @returns 0 to 1; 0 for an empty sample.
 *
 * @example
 * // 1,000 queries with recall@10 of 1 (800), 0.9 (150) and 0.7 (50): mean 0.97
 * const counts = new RecallCounts();
 * for (const [recall, times] of [[1, 800], [0.9, 150], [0.7, 50]]) counts.add(recall, times);
 * bettingLowerBound(counts, 0.05); // 0.96318
 */
export function bettingLowerBound(counts: RecallCounts, delta: number): number {
	if (counts.size === 0) return 0;
	const enough = -Math.log(delta);
	let [low, high] = [0, Math.max(0, counts.mean)];
	while (high - low > 1e-9) {
		const m = (low + high) / 2;
		if (logWealth(counts, m) >= enough) low = m;
		else high = m;
	}
	return low;
}

/** Logarithm of the mean of exponentials. */
function logMean(logs: Float64Array): number {
	let most = Number.NEGATIVE_INFINITY;
	for (const log of logs) if (log > most) most = log;
	let sum = 0;
	for (const log of logs) sum += Math.exp(log - most);
	return most + Math.log(sum / logs.length);
}
