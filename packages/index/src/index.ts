export { AbortFlag, Arena, type ArenaOptions, LabelSet } from "@nigh/kernels";
export { type ArenaView, AttachedArena } from "./arena-view.ts";
export type { Eligibility } from "./eligibility.ts";
export { type EstimateOptions, estimateMemory, type MemoryEstimate } from "./estimate.ts";
export type { FlatEstimateOptions } from "./flat/estimate.ts";
export { createFlat, FlatIndex, type FlatOptions } from "./flat/flat.ts";
export type { GraphAnalysis } from "./hnsw/analyze.ts";
export type { HnswEstimateOptions } from "./hnsw/estimate.ts";
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
	type ReaderSearchOptions,
} from "./hnsw/reader.ts";
export type { ReaderOptions, ReaderSpec } from "./hnsw/reader-spec.ts";
export type { RebalanceReport } from "./hnsw/rebalance.ts";
export type { CellAnalysis } from "./ivf/analyze.ts";
export type { IvfOptions } from "./ivf/create-file.ts";
export { cellBytesPerVector, type IvfEstimateOptions } from "./ivf/estimate.ts";
export { createIvf, IvfIndex, type IvfTrainOptions } from "./ivf/ivf.ts";
export type { IvfMemoryReport } from "./ivf/memory.ts";
export {
	type CellFill,
	cellFill,
	chooseNlist,
	hasDrifted,
	NLIST_RULES,
	type NlistChoice,
	type NlistRule,
	nlistCeiling,
} from "./ivf/nlist.ts";
export {
	defaultNprobe,
	defaultRerank,
	IVF_BOUNDS,
	IVF_KINDS,
	IVF_STORAGES,
	type IvfKind,
	type IvfParameterOptions,
	type IvfStorage,
	PQ_PROFILES,
	type PqProfile,
	ROTATIONS,
	type Rotation,
	resolveIvfParameters,
} from "./ivf/parameters.ts";
export type { IvfParts, IvfSource } from "./ivf/parts.ts";
export type { Probed } from "./ivf/probe-rows.ts";
export type { ReadRows } from "./ivf/rank-rows.ts";
export { IvfReader, type IvfReaderReport, type IvfReaderSearchOptions, openIvfReader } from "./ivf/reader.ts";
export type { IvfReaderOptions, IvfReaderSpec } from "./ivf/reader-spec.ts";
export type { IvfAnswer, IvfSearchOptions, IvfSearchReport } from "./ivf/search.ts";
export type { IvfWarning, TrainingReport } from "./ivf/train.ts";
export type { ProductReport } from "./ivf/train-product.ts";
export {
	aroundReal,
	planTraining,
	TRAINING_SOURCES,
	type TrainingPlan,
	type TrainingSource,
	trainingRows,
	type VectorGenerator,
} from "./ivf/training-source.ts";
export type { StoredRows, Validation } from "./ivf/validate.ts";
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
export { type LoadOptions, loadIndex, restoreHnsw, restoreIvf } from "./load.ts";
export { MANY_BOUNDS } from "./many/parameters.ts";
export type { ManyOptions, ManySpec } from "./many/room.ts";
export { type Parallel, serial } from "./parallel.ts";
export type { ReaderScanOptions } from "./reader-call.ts";
export { longestOf } from "./rows/bound-query.ts";
export { type BoundScratch, BoundSearch, type CodedRows } from "./rows/bound-search.ts";
export type { LabelRange } from "./rows/label-table.ts";
export { codeStride, RowCoder } from "./rows/row-coder.ts";
export { RowFormat, type RowFormatOptions } from "./rows/row-format.ts";
export type { IndexSpec } from "./spec.ts";
export type {
	CompactReport,
	CustomMetric,
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
