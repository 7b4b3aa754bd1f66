export { AbortFlag, Arena, type ArenaOptions, LabelSet } from "@nigh/kernels";
export { createFlat, FlatIndex, type FlatOptions } from "./flat/flat.ts";
export type { GraphAnalysis } from "./hnsw/analyze.ts";
export { createHnsw, HnswIndex, type HnswOptions } from "./hnsw/hnsw.ts";
export type { OptimizeReport } from "./hnsw/optimize.ts";
export {
	adaptiveEf,
	EF_CONSTRUCTION_BY_SIZE,
	HNSW_BOUNDS,
	type HnswParameterOptions,
	M_BY_SIZE,
	mForSize,
	PRESETS,
	type PresetName,
} from "./hnsw/parameters.ts";
export type { RebalanceReport } from "./hnsw/rebalance.ts";
export { type LoadOptions, loadIndex } from "./load.ts";
export { type Parallel, serial } from "./parallel.ts";
export type { IndexSpec } from "./spec.ts";
export type {
	BlockRange,
	CompactReport,
	CustomMetric,
	DiskIndex,
	InsertManyOptions,
	Label,
	MemoryReport,
	Neighbor,
	ParallelSearchOptions,
	SearchOptions,
	Vector,
	VectorIndex,
	VectorRows,
} from "./vector-index.ts";
