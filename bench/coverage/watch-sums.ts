import { TARGETS } from "./measure.ts";
import { median } from "./redraw.ts";
import { SHIFTS, type ShiftName } from "./shifts.ts";
import type { CollectionResult } from "./task.ts";
import type { WatchOutcome } from "./watch.ts";

/** A share of the certifications of all collections together, for one k and target. */
export interface PooledShare {
	readonly share: number;
	readonly watched: number;
	/** The collection whose own share is the least. */
	readonly worst: {
		readonly collection: string;
		readonly k: number;
		readonly target: number;
		readonly share: number;
		readonly watched: number;
	};
}

/** The watch of all collections together, for one k and target. */
export interface WatchSum {
	readonly k: number;
	readonly target: number;
	/** Certifications; 0: nothing was served approximately. */
	readonly watched: number;
	/** Left out where nothing was watched. */
	readonly silent: PooledShare | undefined;
	/** By drop; what no collection could show is left out. `delay`: the median of the collections'. */
	readonly heard: ReadonlyMap<ShiftName, PooledShare & { readonly delay: number }>;
}

export function watchSums(collections: readonly CollectionResult[]): WatchSum[] {
	const cells = collections.flatMap((each) =>
		each.cells.map((cell) => ({ ...cell, collection: each.collection.name })),
	);
	const ks = [...new Set(cells.map(({ k }) => k))].sort((a, b) => a - b);
	return ks.flatMap((k) =>
		TARGETS.map((target) => {
			const own = cells
				.filter((cell) => cell.k === k)
				.flatMap(({ collection, watched }) =>
					watched.filter((each) => each.target === target).map((each) => ({ ...each, collection })),
				);
			const pool = (countOf: (each: WatchOutcome) => { watched: number; good: number } | undefined) =>
				pooled(own.map((each) => ({ collection: each.collection, k, target, watched: 0, good: 0, ...countOf(each) })));
			const heard = (Object.keys(SHIFTS) as ShiftName[]).flatMap((name) => {
				const outcomeOf = ({ shifts }: WatchOutcome) => shifts.find(({ shift }) => shift === name);
				const share = pool((each) => {
					const outcome = outcomeOf(each);
					return outcome && { watched: outcome.watched, good: outcome.heard };
				});
				const delays = own.flatMap((each) => {
					const outcome = outcomeOf(each);
					return outcome === undefined || outcome.watched === 0 ? [] : [outcome.delay];
				});
				return share === undefined ? [] : [[name, { ...share, delay: median(Float64Array.from(delays)) }] as const];
			});
			const silent = pool(({ watched, silent: good }) => ({ watched, good }));
			return { k, target, watched: silent?.watched ?? 0, silent, heard: new Map(heard) };
		}),
	);
}

function pooled(
	counts: readonly {
		readonly collection: string;
		readonly k: number;
		readonly target: number;
		readonly watched: number;
		readonly good: number;
	}[],
): PooledShare | undefined {
	const own = counts
		.filter(({ watched }) => watched > 0)
		.map(({ good, ...each }) => ({ ...each, good, share: good / each.watched }));
	const [worst] = own.toSorted((a, b) => a.share - b.share);
	if (worst === undefined) return undefined;
	const watched = own.reduce((sum, each) => sum + each.watched, 0);
	const { good: _, ...least } = worst;
	return { share: own.reduce((sum, { good }) => sum + good, 0) / watched, watched, worst: least };
}
