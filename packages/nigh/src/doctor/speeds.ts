export const PASSES = 3;

/**
 * How fast several ways to search are: each asks all queries, one after the other, before the next way does, and again in the same turns; of
 * these passes the fastest counts for each. Were a query asked in all ways before the next one is, the ways after the first would find all that
 * they read in the processor's caches. What an exact search leaves there is of use to nobody: it is the last way, and before each pass the first one asks
 * all queries without being timed, so that none stands worse than the others by coming next.
 *
 * @param ways How many; the dearest comes last.
 * @param time ms that one search takes.
 * @returns Queries a second of each way, one search at a time.
 */
export async function speeds(
	ways: number,
	queries: number,
	time: (way: number, query: number) => Promise<number>,
	onProgress: (done: number, total: number) => void,
): Promise<number[]> {
	const best = new Float64Array(ways).fill(Number.POSITIVE_INFINITY);
	const ask = async (way: number) => {
		let ms = 0;
		for (let query = 0; query < queries; query++) ms += await time(way, query);
		return ms;
	};
	for (let pass = 0; pass < PASSES; pass++) {
		await ask(0);
		for (let way = 0; way < ways; way++) {
			best[way] = Math.min(best[way] as number, await ask(way));
			onProgress(pass * ways + way + 1, PASSES * ways);
		}
	}
	return Array.from(best, (ms) => queries / (ms / 1_000));
}
