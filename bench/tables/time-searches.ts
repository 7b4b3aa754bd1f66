import type { Neighbor } from "@nigh/index";
import { type Clock, percentile } from "../../packages/nigh/src/eval/measure.ts";

/** How one setting answered all queries, one at a time. */
export interface SearchTimes {
	/** The hits of each query, of the pass that warmed up. */
	readonly answers: readonly (readonly Neighbor[])[];
	/** Of the median pass: all queries together, and microseconds of a query. */
	readonly seconds: number;
	readonly p50Us: number;
	readonly p95Us: number;
}

export interface SearchPasses<S> {
	readonly settings: readonly S[];
	readonly queries: readonly Float32Array[];
	readonly search: (query: Float32Array, setting: S) => readonly Neighbor[];
	/** Timed passes of each setting, an odd number. Default 5. */
	readonly passes?: number;
	readonly onStep?: (text: string) => void;
	readonly clock?: Clock;
}

interface Pass {
	readonly milliseconds: number;
	/** Milliseconds of each query, ascending. */
	readonly times: Float64Array;
}

/**
 * Asks every query under every setting once to warm up, then in timed passes, setting after setting, so that what else the machine
 * does hits all alike. Of each setting the median pass is told.
 */
export function timeSearches<S>({
	settings,
	queries,
	search,
	passes = 5,
	onStep,
	clock = () => performance.now(),
}: SearchPasses<S>): SearchTimes[] {
	onStep?.("warming up");
	const answers = settings.map((setting) => queries.map((query) => search(query, setting)));
	const done = settings.map((): Pass[] => []);
	for (let pass = 0; pass < passes; pass++) {
		onStep?.(`pass ${pass + 1} of ${passes}`);
		settings.forEach((setting, at) => {
			done[at]?.push(timedPass(queries, (query) => search(query, setting), clock));
		});
	}
	return done.map((ofSetting, at) => {
		const bySpeed = ofSetting.toSorted((a, b) => a.milliseconds - b.milliseconds);
		const { milliseconds, times } = bySpeed[bySpeed.length >> 1] as Pass;
		return {
			answers: answers[at] ?? [],
			seconds: milliseconds / 1_000,
			p50Us: percentile(times, 0.5) * 1_000,
			p95Us: percentile(times, 0.95) * 1_000,
		};
	});
}

function timedPass(queries: readonly Float32Array[], search: (query: Float32Array) => unknown, clock: Clock): Pass {
	const times = new Float64Array(queries.length);
	const start = clock();
	let before = start;
	queries.forEach((query, at) => {
		search(query);
		const after = clock();
		times[at] = after - before;
		before = after;
	});
	return { milliseconds: before - start, times: times.sort() };
}

/** Each query as a view of its own. */
export function eachRow(rows: Float32Array, dimensions: number): Float32Array[] {
	return Array.from({ length: rows.length / dimensions }, (_, at) =>
		rows.subarray(at * dimensions, (at + 1) * dimensions),
	);
}

/** The labels of the answers, `k` for each query and -1 where there is none, as `recallOf` takes them. */
export function labelsOf(answers: readonly (readonly Neighbor[])[], k: number): Int32Array {
	const labels = new Int32Array(answers.length * k).fill(-1);
	answers.forEach((hits, query) => {
		labels.set(
			hits.slice(0, k).map(({ label }) => label),
			query * k,
		);
	});
	return labels;
}
