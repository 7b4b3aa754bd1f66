import type {
	AnalyzeReport,
	CertifyOptions,
	CertifyReport,
	CollectionStats,
	MaintenanceReport,
	ProgressOptions,
	RebuildOptions,
	RefreshReport,
	TuneReport,
	TuneStats,
	WarmReport,
} from "./collection-reports.ts";
import type { HealthReport } from "./health.ts";
import type { Id } from "./ids.ts";
import type { IndexSpec } from "./index-spec.ts";
import type { Metadata } from "./metadata.ts";
import type {
	CallOptions,
	CountOptions,
	DeleteResult,
	DeleteTarget,
	GetOptions,
	PruneOptions,
	PruneReport,
	RecordInput,
	RecordPatch,
	ScanOptions,
	StoredRecord,
	WriteOptions,
	WriteResult,
} from "./records.ts";
import type { SearchRequest, SearchResult } from "./search.ts";

/** Looks for the fastest of the settings that are certified, and tells what it knows. */
export interface Tune {
	/**
	 * Measures, by the queries that were searched for, the setting of every cell that serves by itself (the cheapest certified one whose measured mean has
	 * some headroom above the target) and the next dearer ones, and has the fastest serve. It can make answers faster, never worse: what is not certified for a cell is neither used nor tried. Needs the feature `tune`.
	 */
	(options?: ProgressOptions): Promise<TuneReport>;
	/** What is known of each setting. */
	stats(): Promise<TuneStats>;
	/**
	 * Forgets it: from now on the cheapest certified setting whose measured mean has some headroom above the target serves, as before the first `tune()`.
	 */
	reset(): Promise<void>;
}

/**
 * Records with vectors, found by nearness. `M` is the shape of their metadata.
 *
 * Every verb may fail with `CLOSED` (after `close`), `ABORTED` (its signal), `INVALID_OPTION` (unknown, or outside its bound),
 * `UNSUPPORTED` (see `Capabilities`), and `UNAVAILABLE` or `CIRCUIT_OPEN` (a back end that cannot be reached). Verbs that write may also
 * fail with `READ_ONLY` and `DISK_FULL`.
 */
export interface Collection<M extends Metadata = Metadata> {
	readonly name: string;

	/**
	 * Writes records; one whose id exists is replaced, keeping `insertedAt`. At most 100,000 a call. Of an id that comes twice, the
	 * later record stays. Do not change the records, nor their vectors, before it has resolved: it may not have read them yet.
	 *
	 * @throws NighError `INVALID_RECORD`, `INVALID_VECTOR`, `DIMENSION_MISMATCH` (with the row), `COLLECTION_FULL`, `MEMORY_LIMIT`.
	 */
	upsert(records: readonly RecordInput<M>[], options?: WriteOptions): Promise<WriteResult>;

	/**
	 * Changes records that exist. At most 100,000 a call; several patches of one id are applied in their order.
	 *
	 * @throws NighError `NOT_FOUND` (with the row), and as `upsert`.
	 */
	update(patches: readonly RecordPatch<M>[], options?: WriteOptions): Promise<WriteResult>;

	/** One record, `undefined` where there is none. */
	get(id: Id, options?: GetOptions): Promise<StoredRecord<M> | undefined>;
	/** Several records in the order of the ids, `undefined` in the place of each that is not there. At most 100,000. */
	get(ids: readonly Id[], options?: GetOptions): Promise<(StoredRecord<M> | undefined)[]>;

	/** @throws NighError `INVALID_FILTER`. */
	delete(target: DeleteTarget<M>, options?: CallOptions): Promise<DeleteResult>;

	/**
	 * Records that are there, or that match.
	 *
	 * @throws NighError `INVALID_FILTER`.
	 */
	count(options?: CountOptions<M>): Promise<number>;

	/**
	 * Records in the UTF-8 order of their ids. One that is there from start to end is given exactly once; one that is written or deleted
	 * meanwhile may or may not be.
	 *
	 * @throws NighError `INVALID_FILTER`, when the first record is asked for.
	 */
	scan(options?: ScanOptions<M>): AsyncIterable<StoredRecord<M>>;

	/**
	 * The nearest records, with the evidence for the answer.
	 *
	 * @throws NighError `INVALID_FILTER`, `INVALID_VECTOR`, `DIMENSION_MISMATCH`, `SEARCH_TIMEOUT`, `NOT_FOUND` (the `id`).
	 */
	search(request: SearchRequest<M>): Promise<SearchResult<M>>;

	/**
	 * Answers in the order of the requests, each as from `search` at one common state of the collection. At most 10,000. Requests that
	 * cannot be answered are refused, all of them, before the first is begun; one that runs out of its `timeoutMs` has the `error` in its
	 * result and leaves the others as they are.
	 *
	 * @throws NighError as `search`, with the row.
	 */
	searchMany(requests: readonly SearchRequest<M>[], options?: CallOptions): Promise<SearchResult<M>[]>;

	/**
	 * Deletes what has expired, is too old or too many.
	 *
	 * @throws NighError `INVALID_FILTER`.
	 */
	prune(options?: PruneOptions<M>): Promise<PruneReport>;

	/**
	 * Takes the tail into the main index, gives up tombstones and writes a snapshot. Ended by its signal, it leaves the index that there is.
	 */
	optimize(options?: ProgressOptions): Promise<MaintenanceReport>;

	/**
	 * Builds the same kind of index anew beside the old one, which answers meanwhile; with other parameters where some are given, and what is
	 * not named as it was. Where there are cells they are trained anew, and every vector is assigned again. Ended by its signal, it leaves
	 * the old one and its parameters.
	 *
	 * @throws NighError `INVALID_OPTION` also for parameters of another kind of index than there is: `convert` makes one. Of cells that a cap on
	 * memory has chosen none can be told. `MEMORY_LIMIT` where the cap has no room for what is asked for.
	 */
	rebuild(options?: RebuildOptions): Promise<MaintenanceReport>;

	/**
	 * Builds another kind of index, or one with other parameters, beside the old one, which answers meanwhile. It stays so: in a collection
	 * without vectors it is what there will be. Ended by its signal, it leaves the old one.
	 *
	 * @throws NighError `MEMORY_LIMIT` where the cap on memory has no room for it: before anything is built, with what it would take and how many
	 * vectors would fit. `UNAVAILABLE` where others write so much that none could take over.
	 */
	convert(index: IndexSpec, options?: ProgressOptions): Promise<MaintenanceReport>;

	/**
	 * Measures the recall against exact answers and writes certificates: of the queries that were searched for, of those that are given, or as long as
	 * there are too few, of vectors that the index has not taken in. From then on searches take the cheapest certified setting whose measured mean has some
	 * headroom above the target; `tune()` may prefer one of the next dearer ones that measures faster. Searches go on meanwhile. Ended by its signal, it keeps what is certified
	 * by then. Needs the feature `certify`.
	 *
	 * @throws NighError `INVALID_VECTOR`, `DIMENSION_MISMATCH` (of `queries`, with the row), `INVALID_FILTER`.
	 */
	certify(options?: CertifyOptions): Promise<CertifyReport>;

	readonly tune: Tune;

	/** Reads the index into memory, and what of it stays on disk into the system's cache of files, so that the first search does not have to. */
	warm(options?: ProgressOptions): Promise<WarmReport>;

	/** Shows a reader what the writer has published since. */
	refresh(options?: CallOptions): Promise<RefreshReport>;

	/** What needs attention, and what to do about it. */
	health(): Promise<HealthReport>;

	/** Counts, sizes and the settings in force. */
	stats(): Promise<CollectionStats>;

	/** How well the index is built. Takes time in proportion to its size. */
	analyze(options?: CallOptions): Promise<AnalyzeReport>;

	/** Waits for what is under way. A second call does nothing. */
	close(): Promise<void>;
}
