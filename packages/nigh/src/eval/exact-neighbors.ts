import { createFlat } from "@nigh/index";
import type { OnProgress } from "./build.ts";
import type { FloatMetric } from "./exact-distance.ts";
import type { Vectors } from "./load.ts";

/** Queries of one call: some of them share the reading of the base, and the bar moves in between. */
const QUERIES_PER_CALL = 64;

/** The distance of the k-th nearest vector of the base to each query, by an exact scan without codes. */
export async function kthDistances(
	base: Vectors,
	queries: Vectors,
	metric: FloatMetric,
	k: number,
	onProgress: OnProgress,
): Promise<Float64Array> {
	const index = createFlat({ dimensions: base.dimensions, metric, codes: "none" });
	await index.insertMany(base.values);
	const distances = new Float64Array(queries.count);
	for (let from = 0; from < queries.count; from += QUERIES_PER_CALL) {
		const to = Math.min(queries.count, from + QUERIES_PER_CALL);
		const rows = queries.values.subarray(from * base.dimensions, to * base.dimensions);
		index.searchMany(rows, k).forEach((hits, at) => {
			distances[from + at] = hits.at(-1)?.distance ?? Number.POSITIVE_INFINITY;
		});
		onProgress(to, queries.count);
	}
	index.dispose();
	return distances;
}
