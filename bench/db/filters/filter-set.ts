import { seeded } from "../../sets/random.ts";
import { exactNeighbors } from "../../sets/truth.ts";
import { METRIC } from "../collection.ts";
import { DIMENSIONS, K, SEED } from "../measurement.ts";
import { rowOf, vectors } from "../records.ts";

/** `lot`: has nothing to do with the vectors. `side`: how far the vector lies in one direction, so that clusters are in or out as a whole. */
export const FIELDS = ["lot", "side"] as const;

export type Field = (typeof FIELDS)[number];

/** Records whose `field` is below `below` match: as many as that. */
export interface FilterCase {
	readonly field: Field;
	readonly below: number;
	/** Share of the records that match. */
	readonly share: number;
}

export const SHARES = [0.001, 0.01, 0.1, 0.5] as const;

/** Vectors with two fields, each of them a permutation of 0 to n - 1. */
export interface FilterSet {
	readonly n: number;
	readonly base: Float32Array;
	readonly queries: readonly Float32Array[];
	/** Further queries, which are not timed: an engine may get ready by them. */
	readonly others: readonly Float32Array[];
	readonly fields: Readonly<Record<Field, Uint32Array>>;
}

/** Enough to certify a recall of 0.95 that is not at the edge. */
const OTHERS = 1_000;

export function filterSet(n: number, queryCount: number): FilterSet {
	const { base, queries } = vectors(n, queryCount + OTHERS);
	const random = seeded(SEED + 1);
	const direction = Float64Array.from({ length: DIMENSIONS }, () => random.gaussian());
	const along = (at: number) => direction.reduce((sum, x, d) => sum + x * (base[at * DIMENSIONS + d] as number), 0);
	return {
		n,
		base,
		queries: Array.from({ length: queryCount }, (_, i) => rowOf(queries, i)),
		others: Array.from({ length: OTHERS }, (_, i) => rowOf(queries, queryCount + i)),
		fields: { lot: ranks(n, () => random.uniform()), side: ranks(n, along) },
	};
}

/** The place of each vector when they are ordered by `key`. */
export function ranks(n: number, key: (at: number) => number): Uint32Array {
	const keys = Float64Array.from({ length: n }, (_, at) => key(at));
	const order = Uint32Array.from({ length: n }, (_, at) => at).sort(
		(a, b) => (keys[a] as number) - (keys[b] as number) || a - b,
	);
	const places = new Uint32Array(n);
	order.forEach((at, place) => {
		places[at] = place;
	});
	return places;
}

export function filterCases(n: number): FilterCase[] {
	return FIELDS.flatMap((field) =>
		SHARES.map((share) => ({ field, share, below: Math.max(1, Math.round(share * n)) })),
	);
}

/** The exact nearest matches of each query, as places in the base: min(K, matches). */
export async function nearestMatches({ base, queries, fields }: FilterSet, filter: FilterCase): Promise<number[][]> {
	const places = [...fields[filter.field].keys()].filter((at) => matches(fields, filter, at));
	const matching = new Float32Array(places.length * DIMENSIONS);
	places.forEach((at, i) => {
		matching.set(rowOf(base, at), i * DIMENSIONS);
	});
	const k = Math.min(K, places.length);
	const asked = new Float32Array(queries.length * DIMENSIONS);
	queries.forEach((query, i) => {
		asked.set(query, i * DIMENSIONS);
	});
	const { ids } = await exactNeighbors({ base: matching, queries: asked, dimensions: DIMENSIONS, metric: METRIC }, k);
	return queries.map((_, i) => [...ids.subarray(i * k, (i + 1) * k)].map((label) => places[label] as number));
}

export function matches(fields: FilterSet["fields"], { field, below }: FilterCase, at: number): boolean {
	return (fields[field][at] as number) < below;
}
