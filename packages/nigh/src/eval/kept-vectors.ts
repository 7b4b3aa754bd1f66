import { createFlat, type IvfIndex, type Neighbor } from "@nigh/index";
import type { EvalSettings, SearchParameters } from "./settings.ts";

/** Vectors by label, one after the other, as an index stores them. */
export type KeptVectors = (labels: Uint32Array) => Float32Array;

/** Keeps the vectors of an index that does not hold them; here in memory, since what is to be measured is the index. */
export async function keepVectors(
	values: Float32Array,
	{ metric, dimensions }: { readonly metric: EvalSettings["metric"]; readonly dimensions: number },
): Promise<KeptVectors> {
	const rows = createFlat({ dimensions, metric, codes: "none" });
	await rows.insertMany(values);
	return (labels) => {
		const vectors = new Float32Array(labels.length * dimensions);
		labels.forEach((label, i) => {
			vectors.set(rows.vector(label) as Float32Array, i * dimensions);
		});
		return vectors;
	};
}

/** A search in its two halves: which vectors decide, and, once they are there, which are nearest. */
export function searchKept(
	index: IvfIndex,
	vectors: KeptVectors,
	query: Float32Array,
	k: number,
	search: SearchParameters,
): Neighbor[] {
	// Estimates need no vectors.
	if (search.rerank === 0) return index.search(query, k, search);
	const { labels } = index.probe(query, k, search);
	return index.rank(query, k, labels, vectors(labels));
}
