/**
 * The recall of one query: the share of the answers there should have been, min(k, matches), that are as near as the exact k-th answer.
 * Whichever of several equally distant records is returned counts; what is missing is a miss.
 *
 * @param returned Distances of the hits that were returned, in any order; at most k.
 * @param kth Distance of the last of the exact answers.
 * @param wanted min(k, matches), at least 1: a query that nothing matches has no recall, and is to be left out.
 * @returns 0 to 1.
 *
 * @example
 * recallOf([0.1, 0.2, 0.4], 0.3, 3); // 2 / 3: the third is farther away than what an exact search finds
 */
export function recallOf(returned: ArrayLike<number>, kth: number, wanted: number): number {
	let found = 0;
	for (let i = 0; i < returned.length; i++) if ((returned[i] as number) <= kth) found++;
	return Math.min(found, wanted) / wanted;
}

/**
 * The same number, where it is a recall. Bounds hold for numbers from 0 to 1 alone: one above would certify what is not so, and one NaN would
 * silence a watch for good.
 *
 * @throws RangeError
 */
export function checkRecall(recall: number): number {
	if (typeof recall === "number" && recall >= 0 && recall <= 1) return recall;
	throw new RangeError(`${recall} is no recall: that is a number from 0 to 1`);
}
