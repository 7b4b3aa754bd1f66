import type { BenchSet } from "../sets/load.ts";

/** What it takes to judge answers. */
export type Judged = Pick<BenchSet, "base" | "queries" | "dimensions" | "metric" | "n" | "truth">;

/**
 * Mean recall@k of the first `labels.length / k` queries: the share of the k nearest that was found. A label counts once; one that the
 * truth does not name counts where it is no farther, in double precision, than the k-th of the truth.
 */
export function recallOf(set: Judged, labels: Int32Array, k: number): number {
	const count = labels.length / k;
	const { ids, width } = set.truth;
	let found = 0;
	for (let query = 0; query < count; query++) {
		const truth = new Set(ids.subarray(query * width, query * width + k));
		const answered = new Set(labels.subarray(query * k, (query + 1) * k));
		let kth: number | undefined;
		for (const label of answered) {
			if (label < 0 || label >= set.n) continue;
			if (truth.has(label)) found++;
			else {
				kth ??= distance(set, query, ids[query * width + k - 1] as number);
				if (distance(set, query, label) <= kth) found++;
			}
		}
	}
	return found / (count * k);
}

/** The squared Euclidean distance, or the cosine distance, in double precision. */
function distance({ base, queries, dimensions, metric }: Judged, query: number, label: number): number {
	const [q, v] = [query * dimensions, label * dimensions];
	let [square, dot, normQ, normV] = [0, 0, 0, 0];
	for (let d = 0; d < dimensions; d++) {
		const x = queries[q + d] as number;
		const y = base[v + d] as number;
		square += (x - y) ** 2;
		dot += x * y;
		normQ += x * x;
		normV += y * y;
	}
	if (metric === "l2") return square;
	return normQ === 0 || normV === 0 ? 1 : 1 - dot / Math.sqrt(normQ * normV);
}
