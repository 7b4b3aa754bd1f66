/** The sum of (count - expected)^2 / expected: about the number of bins less one where all are equally likely, +- the root of twice that. */
export function chiSquare(counts: Iterable<number>, expected: number): number {
	let sum = 0;
	for (const count of counts) sum += (count - expected) ** 2 / expected;
	return sum;
}
