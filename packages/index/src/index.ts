export { AbortFlag, Arena, type ArenaOptions, LabelSet } from "@nigh/kernels";
export { type ArenaView, AttachedArena } from "./arena-view.ts";
export type { Eligibility } from "./eligibility.ts";
export { createFlat, FlatIndex, type FlatOptions } from "./flat/flat.ts";
export type { GraphAnalysis } from "./hnsw/analyze.ts";
export { type ArrangeOptions, createHnsw, HnswIndex, type HnswOptions } from "./hnsw/hnsw.ts";
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
export type { HnswParts, HnswSource } from "./hnsw/parts.ts";
export {
	type AllowedWidths,
	GraphReader,
	openReader,
	type ReaderScanOptions,
	type ReaderSearchOptions,
} from "./hnsw/reader.ts";
export type { ReaderOptions, ReaderSpec } from "./hnsw/reader-spec.ts";
export type { RebalanceReport } from "./hnsw/rebalance.ts";
export type { LabelRange } from "./hnsw/sharing.ts";
export { type Assigned, type AssignOptions, assignPoints } from "./kmeans/assign.ts";
export { CentroidPanels, packCentroids } from "./kmeans/panels.ts";
export {
	KMEANS_BOUNDS,
	KMEANS_PRESETS,
	type KMeansInit,
	type KMeansOptions,
	type KMeansPreset,
	type KMeansRepair,
	LEAST_POINTS_PER_CENTROID,
} from "./kmeans/parameters.ts";
export type { PointRows } from "./kmeans/points.ts";
export {
	isCollapsed,
	type KMeansReport,
	type KMeansWarning,
	type KMeansWarningCode,
	type Occupancy,
} from "./kmeans/report.ts";
export { type KMeansResult, trainKMeans } from "./kmeans/train.ts";
export { type LoadOptions, loadIndex, restoreHnsw } from "./load.ts";
export { type Parallel, serial } from "./parallel.ts";
export { longestOf } from "./rows/bound-query.ts";
export { type BoundScratch, BoundSearch, type CodedRows } from "./rows/bound-search.ts";
export { codeStride, RowCoder } from "./rows/row-coder.ts";
export { RowFormat, type RowFormatOptions } from "./rows/row-format.ts";
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
