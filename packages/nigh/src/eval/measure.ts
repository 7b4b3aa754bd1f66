/** Milliseconds from some moment on, with fractions. */
export type Clock = () => number;

/** How fast searches were answered, one at a time on one thread. */
export interface Speed {
	/** Queries a second. */
	readonly qps: number;
	/** Median time of a query, in microseconds. */
	readonly p50_us: number;
	/** Time that 99 of 100 queries stay within, in microseconds. */
	readonly p99_us: number;
}

const PASSES = 3;

/**
 * Asks every query once to warm up (the answers are kept), then in three timed passes, of which the fastest counts: what makes a
 * pass slower is the rest of the machine.
 */
export function measure<Q, A>(
	queries: readonly Q[],
	search: (query: Q) => A,
	clock: Clock = () => performance.now(),
): { readonly answers: A[]; readonly speed: Speed } {
	const answers = queries.map((query) => search(query));
	let best = timedPass(queries, search, clock);
	for (let pass = 1; pass < PASSES; pass++) {
		const speed = timedPass(queries, search, clock);
		if (speed.qps > best.qps) best = speed;
	}
	return { answers, speed: best };
}

function timedPass<Q>(queries: readonly Q[], search: (query: Q) => unknown, clock: Clock): Speed {
	const times = new Float64Array(queries.length);
	const start = clock();
	let before = start;
	for (let at = 0; at < queries.length; at++) {
		search(queries[at] as Q);
		const after = clock();
		times[at] = after - before;
		before = after;
	}
	times.sort();
	return {
		qps: queries.length / ((before - start) / 1_000),
		p50_us: percentile(times, 0.5) * 1_000,
		p99_us: percentile(times, 0.99) * 1_000,
	};
}

/** The smallest of the values (ascending, at least one) that a share of them, 0 to 1, does not exceed: nearest rank, no interpolation. */
export function percentile(sorted: ArrayLike<number>, share: number): number {
	// The product can lie a rounding above the whole number that is meant: 0.07 x 100 is 7.000000000000001.
	const rank = Math.ceil(share * sorted.length - 1e-9);
	return sorted[Math.max(0, rank - 1)] as number;
}
