import { incompleteBeta } from "./beta.ts";

/**
 * The upper confidence bound on a share of which `x` of `n` draws had it (Clopper & Pearson, Biometrika 26 (1934) 404-413), one-sided: with
 * probability at least 1 - delta the share is at most this. For the share of queries whose own recall is below a floor, of which a mean
 * says nothing.
 *
 * @returns 0 to 1.
 *
 * @example
 * // 3 of 500 queries were below the floor: at most 1.54 % of all are, at 95 % confidence
 * clopperPearson(3, 500, 0.05); // 0.01543
 */
export function clopperPearson(x: number, n: number, delta: number): number {
	if (n === 0 || x >= n) return 1;
	// The share p at which as few as x would be seen with probability delta alone: P(Bin(n, p) <= x) = delta.
	let [low, high] = [x / n, 1];
	while (high - low > 1e-12) {
		const p = (low + high) / 2;
		if (incompleteBeta(1 - p, n - x, x + 1) > delta) low = p;
		else high = p;
	}
	return high;
}
