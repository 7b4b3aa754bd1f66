import { BOUNDS, checkInteger, checkOptions, type Metric, NighError } from "@nigh/contract";
import type { Arena } from "@nigh/kernels";
import { checkFlag, checkInsertOptions, checkParallelSearchOptions, checkSearchOptions } from "../call-options.ts";
import { checkAbortFlag } from "../eligibility.ts";
import { withinArena } from "../memory-limit.ts";
import { checkReaders } from "../open-readers.ts";
import { checkLanes } from "../parallel.ts";
import { checkedLabels, checkLabel, type LabelRange, labelsFor, MAX_LABEL } from "../rows/label-table.ts";
import { RowFormat } from "../rows/row-format.ts";
import { ScalarCodes } from "../rows/scalar-codes.ts";
import { checkSpec, type IndexSpec } from "../spec.ts";
import type {
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
} from "../vector-index.ts";
import { analyze, type GraphAnalysis } from "./analyze.ts";
import { compact } from "./compact.ts";
import { HnswGraph } from "./graph.ts";
import { insertOne, insertRows } from "./insert.ts";
import { memoryOf } from "./memory.ts";
import { type OptimizeReport, optimize } from "./optimize.ts";
import { HNSW_BOUNDS, type HnswParameterOptions, resolveParameters } from "./parameters.ts";
import { type HnswParts, partsOf } from "./parts.ts";
import { namedMetric, type ReaderOptions, type ReaderSpec } from "./reader-spec.ts";
import { type RebalanceReport, rebalance } from "./rebalance.ts";
import { removeLabels } from "./remove.ts";
import { fits, reserveNodes, roomOf } from "./reserve.ts";
import { search } from "./search.ts";
import { searchParallel } from "./search-parallel.ts";
import { serializeHnsw } from "./serialize.ts";

export interface HnswOptions extends IndexSpec, HnswParameterOptions {
	/**
	 * What the graph is searched on. `"sq7"`: 7-bit codes, the best re-ranked on the exact vectors (l2, cosine, ip); a quarter of the
	 * memory traffic for a quarter more memory. `"none"`: the exact vectors. `"auto"` (default): codes where the metric allows them.
	 */
	readonly codes?: "auto" | "none" | "sq7";
}

export interface ArrangeOptions {
	/** Keep the memory for vectors still to come, as {@link HnswIndex.reserve} took it, instead of giving it back. Default false. */
	readonly keepRoom?: boolean;
}

/** A hierarchical navigable small world graph (Malkov and Yashunin, arXiv 1603.09320) in one arena. */
export class HnswIndex implements VectorIndex {
	readonly kind = "hnsw";
	/** The memory it lives in. Sets of labels for `allow` are made over it. */
	readonly arena: Arena;
	readonly #graph: HnswGraph;
	#closed = false;
	#writing = false;
	/** Parallel searches that are running. */
	#reading = 0;

	/** Use {@link createHnsw}. */
	constructor(graph: HnswGraph) {
		this.arena = graph.arena;
		this.#graph = graph;
	}

	get metric(): Metric | CustomMetric {
		return this.#graph.rows.metric;
	}

	get dimensions(): number {
		return this.#graph.rows.dimensions;
	}

	get size(): number {
		return this.#graph.size;
	}

	insert(label: Label, vector: Vector): void {
		const graph = this.#writable();
		checkLabel(label);
		const checked = graph.rows.check(vector);
		if (graph.table.get(label) === undefined) this.#checkRoom(1);
		checkReaders(graph.sharing, () => fits(graph, [label]));
		withinArena("another vector", () => insertOne(graph, label, checked));
	}

	async insertMany(rows: VectorRows, options: InsertManyOptions = {}): Promise<void> {
		const graph = this.#writable();
		checkInsertOptions(options);
		checkLanes(graph.arena, options.parallel);
		const n = graph.rows.checkRows(rows);
		const labels = labelsFor(graph.table, n, options.labels);
		const known = labels.reduce((count, label) => count + (graph.table.get(label) === undefined ? 0 : 1), 0);
		this.#checkRoom(n - known);
		checkReaders(graph.sharing, () => fits(graph, labels));
		this.#writing = true;
		try {
			await insertRows(graph, rows, labels, { ...options, isClosed: () => this.#closed });
		} catch (error) {
			// As withinArena does, for what is answered later.
			withinArena(`${n} more vectors`, () => {
				throw error;
			});
		} finally {
			this.#writing = false;
			if (this.#closed) graph.dispose();
		}
	}

	remove(labels: Iterable<Label>): number {
		const graph = this.#unread();
		return withinArena("mending links", () => removeLabels(graph, checkedLabels(labels)));
	}

	has(label: Label): boolean {
		return this.#open().table.get(label) !== undefined;
	}

	labels(): Uint32Array {
		return this.#open().table.labels();
	}

	vector(label: Label): Float32Array | Uint8Array | undefined {
		const graph = this.#open();
		const node = graph.table.get(label);
		return node === undefined ? undefined : graph.rows.read(graph.vectorOf(node));
	}

	search(query: Vector, k: number, options: SearchOptions = {}): Neighbor[] {
		const graph = this.#open();
		checkSearch(graph, k, options);
		return withinArena("a search", () => search(graph, graph.rows.check(query), k, options));
	}

	searchMany(queries: VectorRows, k: number, options: SearchOptions = {}): Neighbor[][] {
		const graph = this.#open();
		checkSearch(graph, k, options);
		const { rows } = graph;
		const n = rows.checkRows(queries);
		return withinArena("a search", () =>
			Array.from({ length: n }, (_, row) => search(graph, rows.rowOf(queries, row), k, options)),
		);
	}

	/**
	 * As `searchMany`, shared out among several threads: the same answers. While it runs, other searches may run beside it, and whatever
	 * writes fails with `LOCKED`; beside a running `insertMany` it fails with `LOCKED` itself. Exact searches, and those that only about
	 * ef labels may answer, run on this thread. `allow` is taken as it is at the call; an abort flag has to live until it has ended.
	 *
	 * @throws NighError as `searchMany`; `INVALID_OPTION` for several threads over an arena that is not shared.
	 */
	async searchParallel(queries: VectorRows, k: number, options: ParallelSearchOptions = {}): Promise<Neighbor[][]> {
		const graph = this.#unlocked();
		const { parallel, ...alone } = options;
		checkParallelSearchOptions(options);
		checkSearch(graph, k, alone);
		checkLanes(graph.arena, parallel);
		const n = graph.rows.checkRows(queries);
		this.#reading++;
		try {
			return await searchParallel(graph, queries, n, k, options);
		} catch (error) {
			return withinArena(`a search for ${n} queries`, () => {
				throw error;
			});
		} finally {
			this.#reading--;
			if (this.#closed && this.#reading === 0) graph.dispose();
		}
	}

	compact(options: ArrangeOptions = {}): CompactReport {
		const graph = this.#unread();
		const keepRoom = keepsRoom(options, "compact");
		return withinArena("compacting", () => compact(graph, keepRoom));
	}

	/** Links again what cannot be reached from the entry point. */
	rebalance(): RebalanceReport {
		const graph = this.#writable();
		return withinArena("finding what can be reached", () => rebalance(graph));
	}

	/** Puts the nodes into breadth-first order; worth calling once after a bulk load. */
	optimize(options: ArrangeOptions = {}): OptimizeReport {
		const graph = this.#unread();
		const keepRoom = keepsRoom(options, "optimize");
		return withinArena("renumbering", () => optimize(graph, keepRoom));
	}

	/** What the graph looks like: reachability, paths, degrees, layers, what is wrong and what to do. */
	analyze(): GraphAnalysis {
		const graph = this.#writable();
		return withinArena("finding what can be reached", () => analyze(graph));
	}

	memory(): MemoryReport {
		return memoryOf(this.#open());
	}

	effective(): Readonly<Record<string, unknown>> {
		const { rows, codes, parameters } = this.#open();
		return {
			kind: this.kind,
			dimensions: rows.dimensions,
			metric: typeof rows.metric === "string" ? rows.metric : rows.metric.name,
			weights: rows.weights === undefined ? undefined : [...rows.weights],
			codes: codes === undefined ? "none" : "sq7",
			engine: this.arena.engine,
			shared: this.arena.shared,
			...parameters,
			efConstruction: this.#graph.efConstruction,
		};
	}

	/**
	 * Takes the memory for `vectors` in all, exactly: node blocks, rows, levels, and links of upper layers for as many nodes as come with
	 * these levels but once in a thousand million times. While the number stays within it, no insert moves anything that other threads
	 * read; {@link HnswIndex.fits} says so beforehand. `compact` and `optimize` give back what is not used of it, unless
	 * they are told to keep it.
	 *
	 * `labels` are those that readers can find by label ({@link GraphReader.rank}), 4 bytes each. Default: from the smallest there is to the
	 * largest there ever was and one more for each vector still to come.
	 *
	 * @throws NighError `INVALID_OPTION`, `MEMORY_LIMIT`; `LOCKED` while there are readers.
	 */
	reserve(vectors: number, labels?: LabelRange): void {
		const graph = this.#unread();
		const max = graph.parameters.maxElements ?? HNSW_BOUNDS.maxElements.max;
		checkInteger("vectors", vectors, { ...HNSW_BOUNDS.maxElements, max });
		const range = labels ?? graph.table.range(Math.max(0, vectors - graph.size));
		checkInteger("labels.from", range.from, { min: 0, max: MAX_LABEL });
		checkInteger("labels.count", range.count, { min: 0, max: MAX_LABEL + 1 - range.from });
		withinArena(`${vectors} vectors`, () => {
			reserveNodes(graph, vectors);
			graph.sharing.reserveLabels(range, labels === undefined ? vectors : undefined);
		});
	}

	/** Whether an `insertMany` is running: what writes or takes memory fails with `LOCKED` meanwhile. */
	get isInserting(): boolean {
		return this.#writing;
	}

	/** Vectors that can be inserted, one by one or many at once, before something must move. Readers go on beside that many. */
	get room(): number {
		return roomOf(this.#open());
	}

	/**
	 * Whether inserting vectors under these different labels moves nothing that other threads read: there is room, none of them is there
	 * already, and they are within the labels that have been reserved, if any.
	 */
	fits(labels: Iterable<Label>): boolean {
		return fits(this.#open(), checkedLabels(labels));
	}

	/**
	 * Keeps the codes as they are, or (`false`) lets inserts and `optimize` learn them anew as the index grows. An index without codes yet
	 * learns them with its first insert all the same; beside readers they are never learnt anew.
	 */
	holdCodes(held = true): void {
		this.#open().codesHeld = held;
	}

	/** What codes of rows mean, once that is learnt: the address of what code 0 stands for, a float a dimension, and one step. */
	get codes(): { readonly origin: number; readonly unit: number } | undefined {
		const { codes } = this.#open();
		return codes === undefined || codes.trainedOn === 0 ? undefined : { origin: codes.origin, unit: codes.unit };
	}

	/** Whether codes learnt from all the vectors there are now would be better ones: a reason to build the index again. */
	codesAreStale(): boolean {
		return this.#open().codesAreStale();
	}

	/**
	 * Takes the memory of a reader on another thread, and returns what that thread needs to open it with {@link openReader}: plain data, to
	 * be sent with a message. From then on vectors are only added, and only as many as {@link HnswIndex.fits}; everything else that writes
	 * fails with `LOCKED`, `rebalance` excepted. A thread needs a reader for each search that it does at the same time.
	 *
	 * @throws NighError `INVALID_OPTION` over an arena that is not shared, and for options outside their bounds; `MEMORY_LIMIT`.
	 */
	readerSpec(options: ReaderOptions = {}): ReaderSpec {
		const graph = this.#open();
		namedMetric(graph);
		return withinArena("a reader", () => graph.sharing.open(options));
	}

	/** Gives a reader's memory back, once its thread has done with it. Returns whether there was such a reader. */
	releaseReader(spec: ReaderSpec): boolean {
		return this.#open().sharing.close(spec);
	}

	/**
	 * Gives every vector another label, which must be different ones. Readers would not follow.
	 *
	 * @throws NighError `INVALID_RECORD` for labels that are out of range or given twice; `LOCKED` while there are readers.
	 */
	relabel(labelFor: (label: Label) => Label): void {
		const graph = this.#unread();
		const labels = graph.table.labels().map(labelFor);
		graph.relabel(labelsFor(graph.table, graph.size, labels));
	}

	serialize(): Iterable<Uint8Array> {
		return serializeHnsw(this.#writable());
	}

	/** One more than the largest label there ever was. */
	get nextLabel(): number {
		return this.#open().table.next;
	}

	/**
	 * The index in parts, for whoever writes and checks bytes in a way of his own; {@link restoreHnsw} makes the index of them again. Copies
	 * nothing.
	 */
	parts(): HnswParts {
		return partsOf(this.#writable());
	}

	/**
	 * Readers on other threads must have done with it. While `insertMany` or `searchParallel` runs, the memory is given back when that has ended; `insertMany` ends with `CLOSED` before its
	 * next batch.
	 */
	dispose(): void {
		if (this.#closed) return;
		this.#closed = true;
		if (!this.#writing && this.#reading === 0) this.#graph.dispose();
	}

	#open(): HnswGraph {
		if (this.#closed) throw new NighError("CLOSED", "the index has been disposed of: create or load another one");
		return this.#graph;
	}

	/** For what must not run beside `insertMany`, whose nodes are only half linked between two batches, nor move what other threads read. */
	#writable(): HnswGraph {
		const graph = this.#unlocked();
		if (this.#reading === 0) return graph;
		throw locked("searchParallel");
	}

	/** For what moves or uses again what readers on other threads read. */
	#unread(): HnswGraph {
		const graph = this.#writable();
		checkReaders(graph.sharing);
		return graph;
	}

	#unlocked(): HnswGraph {
		const graph = this.#open();
		if (!this.#writing) return graph;
		throw locked("insertMany");
	}

	#checkRoom(more: number): void {
		const { maxElements } = this.#graph.parameters;
		if (maxElements === undefined || this.size + more <= maxElements) return;
		throw new NighError(
			"COLLECTION_FULL",
			`the index holds ${this.size} vectors and may hold ${maxElements}: ${more} more do not fit. Remove some or create it with a larger maxElements.`,
			{ size: this.size, bound: maxElements },
		);
	}
}

/**
 * An empty HNSW index.
 *
 * @throws NighError `INVALID_OPTION` naming the option, the value and the bound; `UNSUPPORTED` for codes under a metric without them.
 */
export function createHnsw(options: HnswOptions): HnswIndex {
	return new HnswIndex(createGraph(options));
}

/** The empty graph of an index with these options. */
export function createGraph(options: HnswOptions): HnswGraph {
	const { arena, metric, dimensions, weights } = checkSpec(options, [
		"preset",
		"M",
		"efConstruction",
		"ef",
		"mL",
		"seed",
		"maxElements",
	]);
	const parameters = resolveParameters(options);
	const coded = isCoded(metric, options.codes);
	return withinArena("an index", () => {
		const rows = new RowFormat(arena, { metric, dimensions, weights });
		const codes = coded ? new ScalarCodes(arena, dimensions, rows.bytes) : undefined;
		return new HnswGraph(arena, rows, codes, parameters);
	});
}

function locked(running: string): NighError {
	return new NighError(
		"LOCKED",
		`${running} is still running on this index, and only searches may run beside it: await it first`,
	);
}

function checkSearch({ arena }: HnswGraph, k: number, options: SearchOptions): void {
	checkSearchOptions(options);
	checkAbortFlag(arena, options.abort);
	checkInteger("k", k, BOUNDS.k);
}

function keepsRoom(options: ArrangeOptions, what: string): boolean {
	checkOptions(options, ["keepRoom"] satisfies (keyof ArrangeOptions)[], what);
	checkFlag("keepRoom", options.keepRoom);
	return options.keepRoom ?? false;
}

/** Whether blocks hold 7-bit codes. */
export function isCoded(metric: Metric | CustomMetric, asked: HnswOptions["codes"] = "auto"): boolean {
	if (asked === "none") return false;
	if (metric === "l2" || metric === "cosine" || metric === "ip") return true;
	if (asked === "auto") return false;
	throw new NighError(
		"UNSUPPORTED",
		'codes "sq7" go with the metrics l2, cosine and ip: leave codes out or say "none"',
		{ field: "codes", value: asked },
	);
}
