// The front door: what a newcomer needs, from the packages that hold it.
export {
	type Distance,
	type Embedder,
	type ErrorCode,
	isNighError,
	type Metric,
	NighError,
	type Score,
	scoreOf,
} from "@nigh/contract";
export { hashedNgrams, openAICompatible } from "@nigh/embed";
export {
	AbortFlag,
	createFlat,
	createHnsw,
	type HnswIndex,
	type Label,
	LabelSet,
	loadIndex,
	type Neighbor,
	PRESETS,
	type SearchOptions,
	type VectorIndex,
} from "@nigh/index";
export { createPool, type ThreadPool } from "@nigh/threads";
