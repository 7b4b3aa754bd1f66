import type { NighError } from "./errors.ts";
import type { Filter } from "./filter/filter.ts";
import type { Id } from "./ids.ts";
import type { IndexKind } from "./index-spec.ts";
import type { Metadata } from "./metadata.ts";
import type { Distance, Score } from "./metric.ts";
import type { RecallStatement } from "./recall.ts";
import type { CallOptions, IncludeOptions, StoredRecord } from "./records.ts";
import type { VectorInput } from "./vectors.ts";

/** How the two legs of a hybrid search become one order: reciprocal rank fusion (Cormack, Clarke & Buettcher, SIGIR 2009). */
export interface FusionOptions {
	/** A leg adds weight / (rrfK + rank) to a hit's fused score, ranks counted from 1. 1 to 10,000, default 60. Larger: the top ranks count less. */
	readonly rrfK?: number;
	/** 0 to 1,000 each, default 1. Needs the feature `fusionWeights`. */
	readonly weights?: { readonly vector?: number; readonly text?: number };
}

/** A question: exactly one of `vector`, `embed` and `id`, and what else is known. */
export interface SearchRequest<M extends Metadata = Metadata> extends CallOptions {
	/** What the hits are to be near to. */
	readonly vector?: VectorInput;
	/** Text that the collection's embedder turns into the vector. */
	readonly embed?: string;
	/** The record whose vector is searched for; it is among the hits itself. `NOT_FOUND` where there is none. */
	readonly id?: Id;
	/**
	 * Makes the search hybrid: words for the full-text index. They are words and never its query language: quotes and operators in them
	 * have no meaning. The hits are those of both legs, ordered by `fusedScore`.
	 */
	readonly text?: string;
	readonly fusion?: FusionOptions;
	/** Number of hits, 1 to 10,000, default 10. Above 4,000 the answer is exact. */
	readonly k?: number;
	/** Only records that match. The search still gives min(k, matches) hits. */
	readonly filter?: Filter<M>;
	/** Only hits with at least this score; the others do not count as matches. Any finite number. */
	readonly minScore?: number;
	/** Only hits that are at most so far away; the others do not count as matches. Any finite number. */
	readonly maxDistance?: number;
	/** Mean recall to keep, 0.5 to 1. Higher: slower. Default: the collection's. */
	readonly recall?: number;
	/** Compare everything: recall 1, time in proportion to the number of vectors. Default: false. */
	readonly exact?: boolean;
	/** Beam width of HNSW, k to 10,000, instead of what the recall asks for. Wider: finds more, takes longer. The answer is `uncertified`. */
	readonly ef?: number;
	/**
	 * Cells that an `ivf`, `ivfpq` or `ivfrabitq` index looks into, 1 to nlist, instead of what the recall asks for. More: finds more, takes
	 * longer, about in proportion. The answer is `uncertified`.
	 */
	readonly nprobe?: number;
	/**
	 * Candidates of an `ivfpq` or `ivfrabitq` index that are compared by their vectors, k to 16,000. More: finds more, takes a little longer.
	 * 0: none, distances are estimates. The answer is `uncertified`.
	 */
	readonly rerank?: number;
	/**
	 * Rows that an `ivf`, `ivfpq` or `ivfrabitq` index may scan, 1 to 2,147,483,647: a bound on the time, whatever the cells hold. The cell in which
	 * they run out is finished, the ones after it are left out. The answer is `uncertified`. Default: no limit.
	 */
	readonly budget?: number;
	/** 1 to 86,400,000 ms for all of it, the embedder too; running out of it is `SEARCH_TIMEOUT`. Default: no limit. */
	readonly timeoutMs?: number;
	/** When the time runs out, answer with what was found, `uncertified`, instead of failing. Default: false. */
	readonly partial?: boolean;
	/** Default: metadata only. */
	readonly include?: IncludeOptions;
}

/**
 * One answer: a record, and how near it is. Where neither metadata nor text nor vector are included the record itself is not read, and
 * `insertedAt`, `updatedAt` and `expiresAt` are absent.
 */
export interface Hit<M extends Metadata = Metadata>
	extends Omit<StoredRecord<M>, "insertedAt" | "updatedAt">,
		Partial<Pick<StoredRecord<M>, "insertedAt" | "updatedAt">> {
	/** Smaller is nearer. Also there when only the full-text leg found the hit. */
	readonly distance: Distance;
	/** Larger is nearer. */
	readonly score: Score;
	/** Only in a hybrid answer, which is ordered by it, descending. Comparable within that answer alone. */
	readonly fusedScore?: number;
}

/** How the answer was found. */
export interface SearchPlan {
	/**
	 * - `index`: the index alone.
	 * - `filtered-index`: the index, testing the filter on the way.
	 * - `filtered-scan`: the matches of the filter, one by one; exact.
	 * - `scan`: everything, one by one; exact.
	 */
	readonly strategy: "index" | "filtered-index" | "filtered-scan" | "scan";
	readonly index: IndexKind;
	/** Beam width, or cells to look into, where the strategy has one. */
	readonly ef?: number;
	readonly nprobe?: number;
	/** Candidates that were compared by their vectors, where the index has codes; 0: none, the distances are estimates. */
	readonly rerank?: number;
	/** Rows of cells that were scanned. */
	readonly rows?: number;
	/** Cells that were scanned: fewer than `nprobe` where the `budget` ran out. */
	readonly cells?: number;
	/** Records that match the filter, where that was counted. */
	readonly matches?: number;
	/** Whether `timeoutMs` cut the search short (`partial: true`). */
	readonly cutShort: boolean;
	readonly durationMs: number;
}

/** Hits, the evidence for them, and how they were found. */
export interface SearchResult<M extends Metadata = Metadata> {
	/**
	 * Exactly min(k, matches), ascending by distance, equal distances by the UTF-8 bytes of the id (which of several equally distant records is
	 * the last hit is open). In a hybrid answer descending by `fusedScore`, equal ones in the order above. Fewer only if `plan.cutShort`.
	 */
	readonly hits: readonly Hit<M>[];
	/** In a hybrid answer it speaks of the vector leg. */
	readonly recall: RecallStatement;
	readonly plan: SearchPlan;
	/** The state of the collection that was searched. */
	readonly changeNumber: number;
	/** Only from `searchMany`: why this one of the requests was not answered (`SEARCH_TIMEOUT`). It has no hits; the others are not affected. */
	readonly error?: NighError;
}
