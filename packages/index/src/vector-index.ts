import type { Distance, Metric } from "@nigh/contract";
import type { AbortFlag, Arena, LabelSet } from "@nigh/kernels";
import type { Parallel } from "./parallel.ts";

/** A dense integer, 0 to 4,294,967,294, that names a vector. Indexes speak labels only; where they keep one is their own affair. */
export type Label = number;

/** One answer of a search. */
export interface Neighbor {
	readonly label: Label;
	readonly distance: Distance;
}

/** A vector as the caller holds it: floats, or packed bits (`Uint8Array` of dimensions / 8 bytes) under `hamming`. */
export type Vector = Float32Array | Uint8Array | readonly number[];

/** `n` vectors one after the other, row-major: `Float32Array` of n x dimensions, or `Uint8Array` of n x dimensions / 8 bytes under `hamming`. */
export type VectorRows = Float32Array | Uint8Array;

/** The metric of a user: any function that is smaller for nearer vectors. Much slower than a named metric: it runs outside WebAssembly. */
export interface CustomMetric {
	/** Stored with the index; loading needs a metric of the same name. */
	readonly name: string;
	/** Both arguments are views that are only valid during the call. Must not return NaN. */
	distance(a: Float32Array, b: Float32Array): number;
}

export interface SearchOptions {
	/** Beam width of HNSW, k to 10,000. Wider finds more and takes longer, about in proportion. Default: the index's, and from k = 11 on no less than `adaptiveEf(k)`. Not for flat. */
	readonly ef?: number;
	/**
	 * Ends a walk of HNSW early: after so many expansions in a row (up to 3 more, as four are done together) that put nothing into the best
	 * min(ef, max(2 k, k + 16)) of its candidates; 1 to 10,000, or 0 for none. Smaller is quicker and finds less, so it goes with a wider
	 * `ef`: easy queries end early, hard ones get the width. A wider pool costs time of its own, so that whether the two together are quicker
	 * than a narrower `ef` alone depends on the data: measure it. Takes no memory. Depends on the query and the index alone. With `allow` only
	 * expansions of labels that may be answered count. No effect where there is no walk: `exact`, a k above 4,000, an `allow` of at most ef
	 * labels. Default: 0. Not for flat and cells. After Teofili and Lin, "Patience in Proximity" (ECIR 2025), who watch the whole pool.
	 */
	readonly patience?: number | undefined;
	/** Only these labels may be answered. */
	readonly allow?: LabelSet;
	/** Scan everything instead of using the graph: recall 1, time in proportion to `size`. */
	readonly exact?: boolean;
	/** Another thread can raise it to end this search with `ABORTED`. */
	readonly abort?: AbortFlag;
}

/** Options of a search that several threads share. */
export interface ParallelSearchOptions extends SearchOptions {
	/** Who does the work. Default: this thread. The answers do not depend on it. */
	readonly parallel?: Parallel;
}

export interface InsertManyOptions {
	/** One for each row, all different. Default: the numbers after the largest label so far, starting with 0. */
	readonly labels?: Uint32Array;
	/** Who does the work. Default: this thread. The result does not depend on it. */
	readonly parallel?: Parallel;
	/**
	 * The rows are as `vector()` gives them back (scaled by the weights, of length 1 under cosine) and are taken as they are, bit for bit.
	 * Default: false.
	 */
	readonly stored?: boolean;
	/**
	 * Vectors of an HNSW graph that are linked at a time at most, 1 to 65,536; they do not see one another. Fewer make a better graph where
	 * neighbours come one after the other, and leave less to share out among threads. Default: 2 % of the graph.
	 */
	readonly together?: number;
	/** Called now and then, and at the end with done = total. */
	readonly onProgress?: (done: number, total: number) => void;
	/**
	 * Stops between two batches with `ABORTED`. What has been linked by then stays (rows are linked in an order of the index's own); a label
	 * that was to be replaced and was not reached is gone from a graph, and keeps its row in cells. Without `parallel`, only `onProgress` can raise it in time: nothing else gets a turn.
	 */
	readonly signal?: AbortSignal;
}

/** Bytes, measured from what is allocated, beside what the formula of the layout gives for `size` vectors. */
export interface MemoryReport {
	/** Quantised codes with their norms (0 where the index has none). */
	readonly codes: number;
	/** Everything that exists for searching: codes, links, label tables, visited marks. */
	readonly index: number;
	/** The exact vectors. */
	readonly vectors: number;
	/** index + vectors. */
	readonly total: number;
	/** What the layout needs for `size` vectors without spare capacity. */
	readonly formula: number;
}

export interface CompactReport {
	/** Places of removed vectors that were given up. */
	readonly removedNodes: number;
	/** Link lists that were over their bound or pointed nowhere and were mended. */
	readonly optimizedConnections: number;
	readonly totalNodes: number;
}

/**
 * An index in memory. Search is synchronous. One thread writes; what a method does not return, it has already done.
 *
 * Errors: `DIMENSION_MISMATCH` and `INVALID_VECTOR` (NaN, infinite, or a norm above the bound; with the row's number),
 * `INVALID_OPTION` (outside its bound), `COLLECTION_FULL` (above `maxElements`), `MEMORY_LIMIT` (the arena cannot hold it),
 * `INVALID_RECORD` (a label that is out of range or given twice in one call), `ABORTED`, `CLOSED` after `dispose`, `LOCKED` (a write
 * beside an `insertMany` that is still running; searches may run beside it. With readers on other threads, all that is no new vector).
 */
export interface VectorIndex {
	readonly kind: "flat" | "hnsw" | "ivf" | "ivfpq" | "ivfrabitq";
	readonly metric: Metric | CustomMetric;
	readonly dimensions: number;
	/** The memory it lives in: sets of labels and abort flags for its searches are made over it. */
	readonly arena: Arena;
	/** Vectors that it holds; while an `insertMany` runs, those that it has still to link as well. */
	readonly size: number;
	/** Takes one vector in; a label that is there already gets the new vector. */
	insert(label: Label, vector: Vector): void;
	/** Takes many in: every row is checked first, and nothing is written when one is refused. */
	insertMany(rows: VectorRows, options?: InsertManyOptions): Promise<void>;
	/** Forgets labels; those that are not there are passed over. Returns how many were. One call costs one pass over the index: remove in batches. */
	remove(labels: Iterable<Label>): number;
	has(label: Label): boolean;
	/** All labels, in no particular order. */
	labels(): Uint32Array;
	/** A copy of the vector as it is stored (of length 1 under cosine, scaled where there are weights); `undefined` where there is none. */
	vector(label: Label): Float32Array | Uint8Array | undefined;
	/** The nearest min(k, matches) vectors, nearest first; equal distances in the order of labels. An empty index answers with an empty list. */
	search(query: Vector, k: number, options?: SearchOptions): Neighbor[];
	/** Many queries, the answers in their order and equal to those of single searches. */
	searchMany(queries: VectorRows, k: number, options?: SearchOptions): Neighbor[][];
	/** Gives up the places of removed vectors and mends what the graph has suffered. */
	compact(): CompactReport;
	memory(): MemoryReport;
	/** The settings that are in force, with every default filled in. */
	effective(): Readonly<Record<string, unknown>>;
	/** The index as bytes, chunk by chunk; {@link loadIndex} reads them. Not to be changed meanwhile. */
	serialize(): Iterable<Uint8Array>;
	/** Gives its memory back to the arena; every later call fails with `CLOSED`. */
	dispose(): void;
}
