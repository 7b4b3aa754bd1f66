import { createFlat } from "@nigh/index";

/** The exact nearest of each query: `width` labels for each, nearest first. */
export interface Truth {
	readonly width: number;
	readonly ids: Int32Array;
}

/** Queries of one call: enough to share the reading of the base. */
const QUERIES_PER_CALL = 64;

/** The nearest k of every query by a scan of all vectors as they are (no codes), itself tested against double precision. */
export async function exactNeighbors(
	set: { base: Float32Array; queries: Float32Array; dimensions: number; metric: "l2" | "cosine" },
	k: number,
): Promise<Truth> {
	const { base, queries, dimensions, metric } = set;
	const index = createFlat({ dimensions, metric, codes: "none" });
	await index.insertMany(base);
	const count = queries.length / dimensions;
	const ids = new Int32Array(count * k);
	for (let from = 0; from < count; from += QUERIES_PER_CALL) {
		const to = Math.min(count, from + QUERIES_PER_CALL);
		index.searchMany(queries.subarray(from * dimensions, to * dimensions), k).forEach((hits, at) => {
			ids.set(
				hits.map(({ label }) => label),
				(from + at) * k,
			);
		});
	}
	index.dispose();
	return { width: k, ids };
}
