import type { Metric } from "@nigh/contract";
import { BLOCK_TAIL, GRAPH, rowBytes } from "@nigh/kernels";
import { type MemoryParts, TABLE_BYTES } from "../memory-parts.ts";
import { blockStride } from "./graph.ts";
import { type HnswOptions, isCoded } from "./hnsw.ts";
import { efConstructionFor, type HnswParameterOptions, resolveParameters } from "./parameters.ts";
import { recordsOfNode } from "./reserve.ts";

const LABEL_BYTES = 4;
/** The level of a node, and where its upper links are. */
const LEVEL_BYTES = 5;

export interface HnswEstimateOptions extends HnswParameterOptions, Pick<HnswOptions, "codes"> {
	readonly kind: "hnsw";
}

/** What {@link HnswGraph} takes; upper links as many as the levels of so many nodes have on average. */
export function hnswParts(
	options: HnswEstimateOptions & { readonly dimensions: number; readonly metric: Metric },
	n: number,
): MemoryParts {
	const { dimensions, metric } = options;
	const parameters = resolveParameters(options);
	const { M } = parameters;
	const coded = isCoded(metric, options.codes);
	const row = rowBytes(metric === "hamming" ? dimensions / 8 : 4 * dimensions);
	// Without codes the vectors themselves are in the blocks.
	const payload = coded ? rowBytes(dimensions) : row;
	const beside = blockStride(payload, M) - payload - LABEL_BYTES - (coded ? BLOCK_TAIL.label : 0);
	const upper = recordsOfNode(parameters).mean * 4 * (1 + M);
	return {
		codeBytesPerVector: coded ? payload : 0,
		codes: coded ? n * (payload + BLOCK_TAIL.label) : 0,
		ids: n * (LABEL_BYTES + LEVEL_BYTES + TABLE_BYTES) + GRAPH.bytes,
		centroids: 0,
		codebooks: 0,
		links: Math.round(n * (beside + upper)),
		slack: 0,
		vectors: n * row,
		onDisk: 0,
		settings: { M, efConstruction: efConstructionFor(n, parameters), codes: coded ? "sq7" : "none" },
	};
}
