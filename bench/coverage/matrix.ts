/** What one ladder finds for every query of a pool. The pool is the distribution of queries, so that means over it are the true means. */
export interface RecallMatrix {
	/** Hits that are wanted of a query. */
	readonly k: number;
	/** Rungs as they read, the dearest first. */
	readonly rungs: readonly string[];
	/** By rung: hits of each query, 0 to k. */
	readonly hits: readonly Uint8Array[];
	/** By rung: distances computed for a query, on average. */
	readonly costs: readonly number[];
	/** Distances of the exact search. */
	readonly exactCost: number;
}

/** By rung: the mean recall over the pool, exactly, as a whole number of hits over a whole number. */
export function trueMeans({ k, hits }: RecallMatrix): number[] {
	return hits.map((each) => each.reduce((sum, hit) => sum + hit, 0) / (k * each.length));
}

/** The cost of a rung; -1 is the exact search. */
export function costOf({ costs, exactCost }: RecallMatrix, rung: number): number {
	return rung < 0 ? exactCost : (costs[rung] as number);
}

/** The cheapest rung whose true mean reaches a target; -1: none. */
export function cheapestOf(matrix: RecallMatrix, target: number): number {
	let cheapest = -1;
	for (const [rung, mean] of trueMeans(matrix).entries()) {
		if (mean >= target && costOf(matrix, rung) < costOf(matrix, cheapest)) cheapest = rung;
	}
	return cheapest;
}
