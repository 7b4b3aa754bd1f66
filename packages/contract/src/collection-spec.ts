import type { Embedder, EmbedderIdentity } from "./embedder.ts";
import type { IndexKind, IndexSpec } from "./index-spec.ts";
import type { Metric } from "./metric.ts";

/** Floats (`Float32Array`), or bits packed eight to a byte (`Uint8Array`). */
export type VectorType = "float" | "bit";

/** What a collection gives up by itself when it is nearly full. */
export const PRUNE_POLICIES = ["expired", "oldest"] as const;

export type PrunePolicy = (typeof PRUNE_POLICIES)[number];

/**
 * What the index of a collection may take. What the process needs besides (Node, the threads of the database, SQLite, and up to 64 bytes a vector to
 * work in while an index is laid out anew) is not in it.
 */
export interface MemoryCap {
	/** Megabytes of 2^20 bytes, 0.01 to 4,294,967,296; fractions are allowed. */
	readonly maxMB: number;
}

/** How the tuner chooses between trying and using what it knows: Sutton & Barto 2.2, and UCB1 (Auer, Cesa-Bianchi & Fischer 2002). */
export const TUNER_ALGORITHMS = ["epsilon-greedy", "ucb1"] as const;

export type TunerAlgorithm = (typeof TUNER_ALGORITHMS)[number];

/** How the fastest of the certified settings is looked for. None that is not certified is ever tried. */
export interface TunerSpec {
	/** How searches explore: it is without effect unless they are {@link live}, and so are `epsilon` and `decay`. Default: `"epsilon-greedy"`. */
	readonly algorithm?: TunerAlgorithm;
	/** Share of the searches that try another setting, 0 to 1, default 0.1. Of `epsilon-greedy` that is {@link live}. */
	readonly epsilon?: number;
	/** Factor by which that share falls with every search, 0.9 to 1, default 1: it stays. Of `epsilon-greedy` that is {@link live}. */
	readonly decay?: number;
	/**
	 * Let searches explore by themselves. Default: false, so that only `tune()` does, which measures every setting equally often, and no search is slower for it.
	 */
	readonly live?: boolean;
}

/**
 * What a collection is. Needed once, to create it; reopening with another one is `SPEC_CONFLICT` (only `recall`, `logQueries`,
 * `tuner`, `latencyMs`, `filterable`, `memory` and the limits, from `maxRecords` on, may change). Where the database is open for reading only, a change holds for this
 * reader and is not stored. What is left out stays as it is stored; `null`, where a type allows it, takes what is stored away.
 */
export interface CollectionSpec {
	/** Length of every vector: 1 to 16,384 floats, or 8 to 131,072 bits (a multiple of 8). Left out: as the embedder says, or as the first vector has. */
	readonly dimensions?: number;
	/** Default: `"float"`. */
	readonly type?: VectorType;
	/** Default: `"cosine"` for floats; `"hamming"` for bits, which have no other. */
	readonly metric?: Metric;
	/**
	 * One factor for each dimension, 0 to 1,000,000, not all 0: what the dimension adds to the metric's sum is multiplied by it. So `l2` is
	 * sqrt(sum w (a - b)^2), `l1` is sum w |a - b|, `ip` is -(sum w a b), and `cosine` uses the weighted products. Not for bits. The
	 * bound on the norm of a vector applies to the weighted vector too.
	 */
	readonly weights?: Float32Array | readonly number[];
	/** Mean recall that searches keep, 0.5 to 1, default 0.95; 1 is exact. Higher: slower. A search may ask for another. */
	readonly recall?: number;
	/** Default: `"auto"`. */
	readonly index?: IndexSpec;
	/**
	 * Memory that the index may take at any moment, also while the next one is built beside the one that serves.
	 *
	 * - With `index: "auto"` an index is chosen that fits, the quickest first: a graph; cells with their vectors in memory; cells of 7-bit codes
	 *   with their vectors on disk (see `storage` of an index of cells); product codes, and then codes of one bit a dimension, both with vectors on
	 *   disk. Metrics without codes have a graph, `l1` also cells in memory, and then nothing but the vectors, which are all compared. As the collection grows it is left for a smaller kind in time, and stays there. `stats()` tells what was chosen, and why.
	 * - Any other index is as it was asked for.
	 *
	 * What nothing that may be chosen can hold is refused with `MEMORY_LIMIT` before it is written; the details tell what it would take and how many
	 * vectors would fit. The smaller the cap, the slower searches and writes: estimates take the place of distances, vectors are read from disk, and
	 * writers wait sooner for the index. `memoryLimit` is something else: a limit on the records by what the index that there is takes at rest,
	 * which chooses nothing. Both may be given.
	 */
	readonly memory?: MemoryCap;
	/** Turns text into vectors, for records and searches that have no vector. Its identity is stored; another one is `SPEC_CONFLICT`. */
	readonly embedder?: Embedder;
	/** Whether query vectors may be kept to certify the recall. Default: true. Without them, audits keep counts only. */
	readonly logQueries?: boolean;
	/** How the fastest of the certified settings is looked for. What is given here goes before what was stored. */
	readonly tuner?: TunerSpec;
	/**
	 * Mean time that a search should take at most, above 0 to 86,400,000 ms. It stands beside the recall and never goes before it: where both cannot be
	 * kept, `tune()` and `health()` say so. Default, and `null` where one was stored: none.
	 */
	readonly latencyMs?: number | null;
	/**
	 * Paths of the metadata (`"type"`, `"author.name"`) that filters often name: they get an index. At most 32. Faster filters, slower writes.
	 * What is only read keeps the indexes there are.
	 */
	readonly filterable?: readonly string[];
	/** More records are refused with `COLLECTION_FULL`. 1 to 4,294,967,295, default: that. */
	readonly maxRecords?: number;
	/**
	 * More bytes of memory for the index are refused with `MEMORY_LIMIT`. From 1 MiB. Default, and `null` where one was stored: what the machine gives. It
	 * refuses writes and changes nothing else; {@link memory} has an index chosen that fits.
	 */
	readonly memoryLimit?: number | null;
	/**
	 * `health()` warns from this share of `maxRecords`, `memoryLimit`, what fits into `memory` or the most that one collection can hold on, 0 to 1,
	 * default 0.8.
	 */
	readonly warnAt?: number;
	/**
	 * From this share of the same on, a write prunes by itself, 0 to 1, default 0.9. What it prunes is told by {@link prunePolicy}; with
	 * `"expired"` nothing but what had expired goes.
	 */
	readonly pruneAt?: number;
	/**
	 * What may go where `pruneAt` is reached: `"expired"` (default): records that have expired or are older than `maxAgeMs`; `"oldest"`: those,
	 * and then the longest not updated until `warnAt` is reached again. A batch that is larger than the limit by itself is refused as a whole.
	 */
	readonly prunePolicy?: PrunePolicy;
	/**
	 * Records whose `updatedAt` is longer ago are pruned now and then, and are there until they are. Default, and `null` where one was stored: records have no
	 * age to go at.
	 */
	readonly maxAgeMs?: number | null;
}

/** The settings in force, every default filled in. What is left to the back end's choice is `null`. */
export interface EffectiveSettings {
	/** `null` until the first vector has told it. */
	readonly dimensions: number | null;
	readonly type: VectorType;
	readonly metric: Metric;
	readonly weights: readonly number[] | null;
	readonly recall: number;
	/** The index in use (never `auto`) with its parameters. */
	readonly index: {
		readonly kind: IndexKind;
		readonly parameters: Readonly<Record<string, number | string | boolean>>;
	};
	readonly embedder: EmbedderIdentity | null;
	readonly logQueries: boolean;
	readonly tuner: Required<TunerSpec>;
	readonly latencyMs: number | null;
	readonly filterable: readonly string[];
	readonly memory: MemoryCap | null;
	readonly maxRecords: number;
	readonly memoryLimit: number | null;
	readonly warnAt: number;
	readonly pruneAt: number;
	readonly prunePolicy: PrunePolicy;
	readonly maxAgeMs: number | null;
	/** What the database was opened with, by the names of the back end's own options. */
	readonly database: Readonly<Record<string, number | string | boolean>>;
}
