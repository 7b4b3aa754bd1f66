export { BOUNDS, type Bound, type BoundName } from "./bounds.ts";
export { type Capabilities, FEATURES, type Feature, requireFeature } from "./capabilities.ts";
export type { Collection, Tune } from "./collection.ts";
export {
	type AnalyzeReport,
	type ArmStats,
	CELL_FILLS,
	type CellFill,
	type CellTuning,
	type CertifiedCell,
	type CertifyOptions,
	type CertifyReport,
	type CollectionStats,
	type LatencyStats,
	type MaintenanceReport,
	type MeasuredSetting,
	type MemoryPlan,
	type MemoryStats,
	type PlannedIndex,
	type ProgressOptions,
	type RebuildOptions,
	type RefreshReport,
	type TuneReport,
	type TuneStats,
	type WarmReport,
} from "./collection-reports.ts";
export {
	type CollectionSpec,
	type EffectiveSettings,
	type MemoryCap,
	PRUNE_POLICIES,
	type PrunePolicy,
	TUNER_ALGORITHMS,
	type TunerAlgorithm,
	type TunerSpec,
	type VectorType,
} from "./collection-spec.ts";
export type {
	BackupOptions,
	BackupReport,
	Database,
	RepairReport,
	RestoreOptions,
	RestoreReport,
	ShareHandle,
	VerifyProblem,
	VerifyReport,
} from "./database.ts";
export type { Embedder, EmbedderIdentity, EmbedOptions } from "./embedder.ts";
export { ERROR_CODES, type ErrorCode, type ErrorDetails, isNighError, NighError } from "./errors.ts";
export type { FieldSteps, FilterNode } from "./filter/ast.ts";
export {
	type Condition,
	FIELD_OPERATORS,
	type FieldOperator,
	type FieldPath,
	type Filter,
	LOGICAL_OPERATORS,
	type LogicalOperator,
	type Operators,
	type TypedFilter,
	type UntypedFilter,
	type ValueAt,
} from "./filter/filter.ts";
export { parseFilter } from "./filter/parse.ts";
export { type Predicate, predicateOf } from "./filter/predicate.ts";
export type { DatabaseHealth, HealthReason, HealthReport, HealthStatus } from "./health.ts";
export { checkId, compareIds, type Id } from "./ids.ts";
export {
	CELL_KINDS,
	type CellKind,
	type CellsSpec,
	type CodedCellsSpec,
	INDEX_KINDS,
	type IndexKind,
	type IndexSettings,
	type IndexSpec,
	NLIST_RULES,
	type NlistRule,
	PQ_PROFILES,
	type PqProfile,
	ROTATIONS,
	type Rotation,
	STORAGES,
	type VectorStorage,
} from "./index-spec.ts";
export { checkMetadata, type Json, type Metadata } from "./metadata.ts";
export { type Distance, METRICS, type Metric, type Score, scoreOf } from "./metric.ts";
export { checkCollectionName } from "./names.ts";
export { nearestName } from "./nearest-name.ts";
export { checkBound, checkInteger, checkOptions } from "./options.ts";
export {
	type Band,
	RECALL_STATES,
	type RecallBasis,
	type RecallCell,
	type RecallState,
	type RecallStatement,
} from "./recall.ts";
export type {
	CallOptions,
	CountOptions,
	DeleteResult,
	DeleteTarget,
	GetOptions,
	IncludeOptions,
	PruneOptions,
	PruneReport,
	RecordInput,
	RecordPatch,
	RowError,
	ScanOptions,
	StoredRecord,
	WriteOptions,
	WriteResult,
} from "./records.ts";
export type { FusionOptions, Hit, SearchPlan, SearchRequest, SearchResult } from "./search.ts";
export { compareUtf8, utf8Length } from "./utf8.ts";
export { checkBits, checkVector, checkWeights, type Vector, type VectorInput, type VectorPlace } from "./vectors.ts";
