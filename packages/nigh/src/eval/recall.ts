import type { Neighbor } from "@nigh/index";
import { exactDistance, type FloatMetric, type Rows } from "./exact-distance.ts";

/** Says of a hit whether it is among the k nearest; equally near ones all are. */
export type IsNearest = (query: number, hit: Neighbor) => boolean;

/**
 * Mean recall@k: the share of the k nearest that was found, over all queries. A label counts once, however often it is answered.
 *
 * @param answers The hits of each query; those after the k-th do not count.
 */
export function meanRecall(answers: readonly (readonly Neighbor[])[], k: number, isNearest: IsNearest): number {
	let found = 0;
	answers.forEach((hits, query) => {
		const seen = new Set<number>();
		for (const hit of hits.slice(0, k)) {
			if (!seen.has(hit.label) && isNearest(query, hit)) found++;
			seen.add(hit.label);
		}
	});
	return found / (answers.length * k);
}

/** By the distance of the k-th exact neighbour of each query, as the same arithmetic gives it. */
export function nearestByDistance(kthDistances: ArrayLike<number>): IsNearest {
	return (query, hit) => hit.distance <= (kthDistances[query] as number);
}

/** Ids of the exact neighbours, `width` for each query, nearest first. */
export interface TruthTable {
	readonly width: number;
	readonly ids: ArrayLike<number>;
}

/**
 * By a table of ids from elsewhere: its first k ids are nearest, and so is whatever is no farther than the k-th of them. Distances
 * are computed anew in double precision, since whoever made the table may have broken ties otherwise.
 */
export function nearestByIds(truth: TruthTable, k: number, metric: FloatMetric, base: Rows, queries: Rows): IsNearest {
	const { ids, width } = truth;
	let lastQuery = -1;
	let lastIds = new Set<number>();
	let kthDistance = 0;
	return (query, hit) => {
		if (query !== lastQuery) {
			lastQuery = query;
			lastIds = new Set(Array.from({ length: k }, (_, rank) => ids[query * width + rank] as number));
			kthDistance = exactDistance(metric, base, ids[query * width + k - 1] as number, queries, query);
		}
		return lastIds.has(hit.label) || exactDistance(metric, base, hit.label, queries, query) <= kthDistance;
	};
}
