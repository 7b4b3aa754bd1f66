import { createFlat } from "@nigh/index";
import type { OnProgress } from "./build.ts";
import type { FloatMetric } from "./exact-distance.ts";
import type { Vectors } from "./load.ts";
import type { TruthTable } from "./recall.ts";

/** Queries of one call: some of them share the reading of the base, and the bar moves in between. */
const QUERIES_PER_CALL = 64;

/** The k nearest of each query, and the distance of the last of them. */
export interface ExactNeighbors extends TruthTable {
	readonly kthDistances: Float64Array;
}

/** The nearest k vectors of the base to each query, by an exact scan without codes. */
export async function exactNeighbors(
	base: Vectors,
	queries: Vectors,
	metric: FloatMetric,
	k: number,
	onProgress: OnProgress,
): Promise<ExactNeighbors> {
	const index = createFlat({ dimensions: base.dimensions, metric, codes: "none" });
	await index.insertMany(base.values);
	const kthDistances = new Float64Array(queries.count);
	const ids = new Int32Array(queries.count * k);
	for (let from = 0; from < queries.count; from += QUERIES_PER_CALL) {
		const to = Math.min(queries.count, from + QUERIES_PER_CALL);
		const rows = queries.values.subarray(from * base.dimensions, to * base.dimensions);
		index.searchMany(rows, k).forEach((hits, at) => {
			kthDistances[from + at] = hits.at(-1)?.distance ?? Number.POSITIVE_INFINITY;
			ids.set(
				hits.map(({ label }) => label),
				(from + at) * k,
			);
		});
		onProgress(to, queries.count);
	}
	index.dispose();
	return { width: k, ids, kthDistances };
}
