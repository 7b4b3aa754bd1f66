import { binomialAtMost } from "./beta.ts";
import type { RecallCounts } from "./counts.ts";

/**
 * The p-value of "the mean recall is below the target", for a sample whose size was fixed beforehand: Hoeffding and Bentkus, whichever is smaller (Bates,
 * Angelopoulos, Lei, Malik & Jordan, "Distribution-free, risk-controlling prediction sets", J. ACM 68 (2021), section 3.1; used so by
 * "Learn then Test", arXiv 2110.01052). With the loss R = 1 - recall, its sample mean r and a = 1 - target:
 *
 *     p = min( exp(-n h(min(r, a), a)),  e P(Bin(n, a) <= ceil(n r)) ),  h(x, y) = x ln(x / y) + (1 - x) ln((1 - x) / (1 - y)).
 *
 * A cross-check of what betting says, never the test that serves: it holds at one look only.
 *
 * @param target Above 0, below 1.
 * @returns 0 to 1; 1 for an empty sample.
 *
 * @example
 * // 1,000 queries of which 20 found nothing and the others everything, against 0.95: e P(Bin(1000, 0.05) <= 20) = 2.08e-6
 * const counts = RecallCounts.of([...Array(980).fill(1), ...Array(20).fill(0)]);
 * hoeffdingBentkus(counts, 0.95); // 0.00000208
 */
export function hoeffdingBentkus(counts: RecallCounts, target: number): number {
	const n = counts.size;
	if (n === 0) return 1;
	const allowed = 1 - target;
	const loss = counts.loss / n;
	const hoeffding = Math.exp(-n * relativeEntropy(Math.min(loss, allowed), allowed));
	// A sum of decimals may lie a little above the whole number that it is. The next one above a whole number is 1 / k away, 1 / 4,000 at least.
	const misses = Math.ceil(counts.loss - 1e-6);
	const bentkus = Math.E * binomialAtMost(misses, n, allowed);
	return Math.min(1, hoeffding, bentkus);
}

function relativeEntropy(x: number, y: number): number {
	const first = x <= 0 ? 0 : x * Math.log(x / y);
	const second = x >= 1 ? 0 : (1 - x) * Math.log((1 - x) / (1 - y));
	return first + second;
}
