import { BLOCK_TAIL } from "@nigh/kernels";
import type { MemoryReport } from "../vector-index.ts";
import type { HnswGraph } from "./graph.ts";

/** Bytes of the index, measured and by the formula: block + row + level + number of the upper record + (1 + M) links a level, for each vector. */
export function memoryOf(graph: HnswGraph): MemoryReport {
	const { blocks, vectors, upper, tables, scratch, sharing } = graph.bytes();
	const coded = graph.codes !== undefined;
	// Without codes the exact rows are the payload of the blocks.
	const rows = coded ? vectors : graph.capacity * graph.payloadBytes;
	const total = blocks + vectors + upper + tables + scratch + sharing;
	const perVector = graph.blockStride + (coded ? graph.vectorStride : 0) + 5 + 4;
	return {
		codes: coded ? graph.capacity * (graph.payloadBytes + BLOCK_TAIL.label) : 0,
		index: total - rows,
		vectors: rows,
		total,
		formula: graph.size * perVector + graph.upper.used * graph.upper.stride,
	};
}
