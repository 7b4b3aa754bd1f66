/**
 * The least number that Bin(draws, delta) exceeds with probability of at most `alarm`: so many wrong ones show nothing yet. Added up from the
 * far end, term by term.
 *
 * @example
 * mostWrong(2_000, 0.05, 0.001); // 131
 */
export function mostWrong(draws: number, delta: number, alarm: number): number {
	// P(Bin = draws), P(Bin = draws - 1), ... as logarithms: the first underflow.
	const odds = Math.log(delta) - Math.log1p(-delta);
	let log = draws * Math.log(delta);
	let beyond = 0;
	for (let wrong = draws; wrong > 0; wrong--) {
		beyond += Math.exp(log);
		if (beyond > alarm) return wrong;
		log += Math.log(wrong) - Math.log(draws - wrong + 1) - odds;
	}
	return 0;
}
