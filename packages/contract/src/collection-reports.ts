import type { EffectiveSettings, TunerAlgorithm } from "./collection-spec.ts";
import type { Filter } from "./filter/filter.ts";
import type { HealthReason } from "./health.ts";
import type { IndexKind, IndexSettings, NlistRule, PqProfile, Rotation, VectorStorage } from "./index-spec.ts";
import type { RecallCell, RecallStatement } from "./recall.ts";
import type { CallOptions } from "./records.ts";
import type { VectorInput } from "./vectors.ts";

/** Bytes of memory in use. Room that is reserved and has not been written to takes none. */
export interface MemoryStats {
	/** Quantised codes with their norms. */
	readonly codes: number;
	/** Everything that exists for searching, codes included. */
	readonly index: number;
	/** The exact vectors. */
	readonly vectors: number;
	/** index + vectors. */
	readonly total: number;
	/** What the layout needs for the vectors there are, without spare capacity. */
	readonly formula: number;
	/** Parts of `index`, where the back end can tell them apart: numbers by which vectors are known, */
	readonly ids?: number;
	/** centroids of cells with what turns a vector before it is compared with them, */
	readonly centroids?: number;
	/** the codebooks of a product quantiser, */
	readonly codebooks?: number;
	/** and the links of a graph. */
	readonly links?: number;
	/** Bytes of code alone for each vector: what figures of compression are made of. All that stands beside it is in `total`. */
	readonly codeBytesPerVector?: number;
	/** Bytes of exact vectors in files, which searches read by position and which are in no other number here; 0 or absent: all are in memory. */
	readonly onDisk?: number;
}

/** An index that was looked at for a cap on memory. */
export interface PlannedIndex {
	readonly index: IndexSettings;
	/** Bytes of memory at most, whatever goes on: while the next index is built there are two. */
	readonly bytes: number;
	/** The same for a quarter more vectors. */
	readonly bytesAhead: number;
	/** Bytes of vectors in files. */
	readonly onDisk: number;
	/** Whether `bytes` are within the cap, and the vectors not more than one index can hold. */
	readonly fits: boolean;
}

/** What was chosen for the `memory` of a spec, and why. */
export interface MemoryPlan extends Omit<PlannedIndex, "fits"> {
	/** The cap. */
	readonly maxBytes: number;
	/** Vectors that it was chosen for. */
	readonly vectors: number;
	/** The choice in a sentence, with the numbers. */
	readonly reason: string;
	/** All that was looked at, the most wanted first. */
	readonly considered: readonly PlannedIndex[];
}

/** How long calls took, in ms. */
export interface LatencyStats {
	/** Calls since the collection was opened. */
	readonly count: number;
	readonly p50: number;
	readonly p95: number;
	readonly p99: number;
	readonly max: number;
}

export interface CollectionStats {
	readonly name: string;
	/** The settings in force. */
	readonly effective: EffectiveSettings;
	/** Records that are there and have not expired. */
	readonly records: number;
	readonly changeNumber: number;
	readonly index: {
		readonly kind: IndexKind;
		/** Vectors in the main index. */
		readonly main: number;
		/** Vectors written since, which are searched exactly until they are taken in. */
		readonly tail: number;
		/** Deleted vectors whose place is not free yet. */
		readonly tombstones: number;
	};
	/**
	 * Share of `maxRecords`, of `memoryLimit`, of what fits into `memory` or of the most that one collection can hold, whichever is most, and
	 * whether it has come to `warnAt`.
	 */
	readonly fill: { readonly share: number; readonly nearLimit: boolean };
	/** Times of the last searches and writes, in ms; `null` before the first. */
	readonly latency: { readonly search: LatencyStats | null; readonly write: LatencyStats | null };
	/** ms since the tail was last taken in, and since the last snapshot; `null` where that has not happened since opening. */
	readonly ages: { readonly fold: number | null; readonly snapshot: number | null };
	/** `null` where the back end cannot tell. */
	readonly memory: MemoryStats | null;
	/** What was chosen for the `memory` of the spec; absent where nothing is chosen by it. */
	readonly plan?: MemoryPlan;
	/** Bytes on disk, `null` where the back end cannot tell. */
	readonly diskBytes: number | null;
	/** One for each cell that has a certificate. */
	readonly recall: readonly RecallStatement[];
}

/** How well the number of cells suits the number of vectors. */
export const CELL_FILLS = ["DEGRADED", "INEFFICIENT", "OPTIMAL", "GOOD"] as const;

export type CellFill = (typeof CELL_FILLS)[number];

/** How well an index is built. */
export interface AnalyzeReport {
	readonly index: IndexKind;
	/** Of an HNSW graph. */
	readonly graph?: {
		/** Nodes of each layer, layer 0 first. */
		readonly layers: readonly number[];
		/** Links of a node on layer 0. */
		readonly degree: { readonly min: number; readonly mean: number; readonly max: number };
		/** Share of the nodes that can be reached from the entry point, 0 to 1. */
		readonly reachable: number;
		/** Mean number of links on the way from the entry point. */
		readonly meanPathLength: number;
	};
	/** Of the cells of an `ivf`, `ivfpq` or `ivfrabitq` index; absent as long as nothing is trained. */
	readonly cells?: {
		readonly count: number;
		readonly empty: number;
		/** Vectors of a cell. */
		readonly size: { readonly min: number; readonly mean: number; readonly max: number };
		/** size.max / size.mean: 1 where all cells are as large as each other. A search that meets the largest takes so many times as long. */
		readonly imbalance: number;
		/** Centroids that differ from all others: fewer than `count` tell of a training that has collapsed. */
		readonly distinctCentroids: number;
		/**
		 * `DEGRADED`: more vectors a cell than 100, or than two and a half times what the rule `adaptive` gives at this size, so that a probe scans
		 * too much. `INEFFICIENT`: fewer than 10. `OPTIMAL`: between. `GOOD`: there are no cells to speak of.
		 */
		readonly fill: CellFill;
		/** What has chosen the number of cells. */
		readonly rule: NlistRule | "given";
		/** Vectors that it was chosen for. */
		readonly trainedFor: number;
	};
	readonly issues: readonly HealthReason[];
}

export interface ProgressOptions extends CallOptions {
	/**
	 * Called now and then while the work goes on, with a `done` that grows, and at the end, once, with done = total. It is not called any more
	 * where the work fails. What it throws is ignored.
	 */
	readonly onProgress?: (done: number, total: number) => void;
}

/**
 * Parameters of the kind of index that there is; what belongs to another kind is refused. What is left out is as it was. Their bounds and
 * meanings are those of `IndexSpec`.
 */
export interface RebuildOptions extends ProgressOptions {
	/** Links of a node of an HNSW graph, 2 to 200; sub-quantisers of `ivfpq`, 1 to 512, a divisor of the dimensions. */
	readonly M?: number;
	/** Beam width of the build of an HNSW graph, max(4, 2M) to 4,000. */
	readonly efConstruction?: number;
	/** Cells of `ivf`, `ivfpq` and `ivfrabitq`: 1 to 1,000,000, or the name of a rule. */
	readonly nlist?: number | NlistRule;
	/** Cells that a search of `ivf`, `ivfpq` or `ivfrabitq` looks into, 1 to nlist. */
	readonly nprobe?: number;
	/** Where the vectors of `ivf`, `ivfpq` or `ivfrabitq` are. */
	readonly storage?: VectorStorage;
	/** Candidates of `ivfpq` or `ivfrabitq` that are compared by their vectors, 0 to 16,000. */
	readonly rerank?: number;
	/** Bits of a code: 4 to 8 for each sub-quantiser of `ivfpq`, 1 to 8 for each dimension of `ivfrabitq`. */
	readonly bits?: number;
	/** Of `ivfpq`. */
	readonly rotation?: Rotation;
	/** Of `ivfpq`. */
	readonly residual?: boolean;
	/** Of `ivfpq`. Takes the place of the M, bits, nlist and nprobe that there were. */
	readonly profile?: PqProfile;
	/** Half-width of the error bound of `ivfrabitq`, 0.1 to 10. */
	readonly epsilon?: number;
}

/** What `optimize`, `rebuild` and `convert` did. */
export interface MaintenanceReport {
	readonly index: IndexKind;
	/** Vectors in the main index now. */
	readonly vectors: number;
	/** Tombstones given up. */
	readonly removed: number;
	/**
	 * Bytes on disk before and after, counted as `diskBytes` of `stats()` is: what was deleted or replaced has given its space back. `null`
	 * where the back end cannot tell.
	 */
	readonly bytes: { readonly before: number; readonly after: number } | null;
	readonly durationMs: number;
	readonly changeNumber: number;
}

export interface CertifyOptions extends ProgressOptions {
	/** 0.5 to 1, rounded up to the grid. Default: the collection's, and those that searches have asked for. */
	readonly target?: number;
	/** k of the searches to certify for, 1 to 4,000 (above, every search is exact). Default: every k band that has been asked for; before any, 1, 10 and 100. */
	readonly k?: number;
	/** 1 - delta, 0.5 to 0.9999, default 0.95. Higher: needs more queries. */
	readonly confidence?: number;
	/** Let the confidence hold for all cells together rather than for each. Needs more queries. Default: false. */
	readonly familyWise?: boolean;
	/**
	 * Queries of your own, at most 10,000, that are used as if they had been searched for: vectors such as searches will have, and not vectors that
	 * are stored. They join what was searched for, and the certificates speak of what all of these were drawn from. They are asked with the `filter`, and
	 * for `k` (default 10). None at all are refused: left out, the searches there were are used.
	 */
	readonly queries?: readonly VectorInput[];
	/** Of the {@link queries}. Needs them. */
	readonly filter?: Filter;
	/** Queries to compare with exact answers, for each band, 1 to 10,000, default 5,000. More: certifies settings that are nearer to the target; takes longer. */
	readonly maxQueries?: number;
	/** ms after which it ends with what is certified by then, 1 to 86,400,000. The next call goes on from there. Default: no limit. */
	readonly maxMs?: number;
}

/** What was measured of one setting while certifying. */
export interface MeasuredSetting {
	/** By the names that a search has for it, `ef`, `nprobe`, `rerank` and `budget`: `search({ ...request, ...setting })` asks for it. */
	readonly setting: Readonly<Record<string, number>>;
	/**
	 * Whether walks of a graph end early where their best have settled. It belongs to what was measured; searches do so where a certificate has it, and nobody
	 * can ask for it: with the setting alone a walk goes on to its end, which finds no less.
	 */
	readonly endsEarly: boolean;
	readonly queries: number;
	/** Plain mean recall. */
	readonly mean: number;
	/** The means of all settings are above their lower bounds, all together, with the confidence of the statement. */
	readonly lowerBound: number;
	/** Whether it is certified for the statement's target. */
	readonly certified: boolean;
}

/** A cell that was looked at. */
export interface CertifiedCell {
	/** `uncertified`: too few queries, or no setting short of exact keeps the target. */
	readonly statement: RecallStatement;
	/**
	 * What searches of the cell use from now on, as long as `tune()` prefers none of the next dearer ones: the cheapest certified setting whose measured mean
	 * has some headroom above the target, or where none has, the cheapest. `null`: they are exact.
	 */
	readonly setting: Readonly<Record<string, number>> | null;
	/** Whether their walks end early; see {@link MeasuredSetting}. */
	readonly endsEarly: boolean;
	/** Every setting that was measured, the dearest first. */
	readonly measured: readonly MeasuredSetting[];
}

export interface CertifyReport {
	/** One for each cell that was looked at. `uncertified`: too few queries, or no setting short of exact keeps the target. */
	readonly statements: readonly RecallStatement[];
	/** The same cells, with what was measured. */
	readonly cells: readonly CertifiedCell[];
	/**
	 * Whether every test has come to its end. False where time or queries ran out before, and where none could begin for want of queries: a call with more
	 * of them goes on.
	 */
	readonly isComplete: boolean;
	readonly durationMs: number;
}

export interface TuneReport {
	/** Cells for which a faster certified setting is now in use. */
	readonly changed: number;
	/** Mean time of a search before and after, in ms. `null` without searches to measure by. */
	readonly before: number | null;
	readonly after: number | null;
	/** Cells whose recall is kept only by searches that take longer than `latencyMs` of the spec, with the mean time of the fastest. */
	readonly tooSlow: readonly { readonly cell: RecallCell; readonly meanMs: number }[];
}

/** What the tuner knows of one setting. */
export interface ArmStats {
	/** `flat`, `ivf_conservative`, `ivf_balanced`, `ivf_aggressive`, or the setting: `ef 40`. */
	readonly arm: string;
	/** `null`: the exact search. */
	readonly setting: Readonly<Record<string, number>> | null;
	/** Whether its walks end early; see {@link MeasuredSetting}. */
	readonly endsEarly: boolean;
	/** Searches that it has answered as labelled: one that fell back to another way is not counted. */
	readonly pulls: number;
	/** Sum of 1000 / latency in ms, and that by pulls; 0 before the first. */
	readonly totalReward: number;
	readonly averageReward: number;
	/** 1000 / averageReward: the harmonic mean of the latencies, in ms; `null` before the first. */
	readonly averageLatencyMs: number | null;
}

/** What the tuner knows of one cell. */
export interface CellTuning {
	readonly cell: RecallCell;
	/**
	 * The settings that it chooses from, the dearest first: of a graph the cheapest certified one whose measured mean has some headroom above the target, and
	 * the next two dearer ones; of cells that one, the next dearer one, the certified ones that have a name, and the exact search.
	 */
	readonly arms: readonly ArmStats[];
	/** The arm that is the fastest by what is known. */
	readonly serving: string;
	/** Whether it keeps the `latencyMs` of the spec; `null` without one, or before the first search. */
	readonly keepsLatency: boolean | null;
}

export interface TuneStats {
	/** How searches explore, if they do: see `live`. */
	readonly algorithm: TunerAlgorithm;
	/** Share of the searches that try another arm (`epsilon-greedy`), if they explore. */
	readonly epsilon: number;
	/** Factor by which that share falls with every search; 1: it stays. */
	readonly decay: number;
	/** Whether searches explore, or `tune()` alone does: the three above have no effect then. */
	readonly live: boolean;
	readonly totalPulls: number;
	readonly latencyMs: number | null;
	readonly cells: readonly CellTuning[];
}

export interface WarmReport {
	/** Bytes read into memory. */
	readonly bytes: number;
	/** Bytes of files that were read once, so that they are in the system's cache: vectors that are on disk. Absent where there are none. */
	readonly bytesRead?: number;
	readonly durationMs: number;
}

export interface RefreshReport {
	/** The state that reads see now. */
	readonly changeNumber: number;
	/** Whether it is newer than before. */
	readonly changed: boolean;
}
