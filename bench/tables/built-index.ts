import { createHnsw, type HnswIndex, type HnswOptions } from "@nigh/index";
import type { BenchSet } from "../sets/load.ts";

export interface BuiltIndex {
	readonly index: HnswIndex;
	/** Seconds of `insertMany` and `optimize` on this thread. */
	readonly seconds: number;
}

/** Builds over the whole base of a set. */
export async function buildIndex(
	{ dimensions, metric, base }: BenchSet,
	parameters: Omit<HnswOptions, "dimensions" | "metric">,
	onProgress: (done: number, total: number) => void,
): Promise<BuiltIndex> {
	const index = createHnsw({ dimensions, metric, ...parameters });
	const start = performance.now();
	await index.insertMany(base, { onProgress });
	index.optimize();
	return { index, seconds: (performance.now() - start) / 1_000 };
}
