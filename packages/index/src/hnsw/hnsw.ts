import { BOUNDS, checkInteger, type Metric, NighError } from "@nigh/contract";
import type { Arena } from "@nigh/kernels";
import { checkLabel, labelsFor } from "../rows/label-table.ts";
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
	SearchOptions,
	Vector,
	VectorIndex,
	VectorRows,
} from "../vector-index.ts";
import { analyze, type GraphAnalysis } from "./analyze.ts";
import { compact } from "./compact.ts";
import { HnswGraph } from "./graph.ts";
import { linkNode, linkNodes } from "./insert.ts";
import { memoryOf } from "./memory.ts";
import { type OptimizeReport, optimize } from "./optimize.ts";
import { type HnswParameterOptions, levelFor, resolveParameters } from "./parameters.ts";
import { type RebalanceReport, rebalance, reconnect } from "./rebalance.ts";
import { removeLabels } from "./remove.ts";
import { search } from "./search.ts";
import { serializeHnsw } from "./serialize.ts";

export interface HnswOptions extends IndexSpec, HnswParameterOptions {
	/**
	 * What the graph is searched on. `"sq7"`: 7-bit codes, the best re-ranked on the exact vectors (l2, cosine, ip); a quarter of the
	 * memory traffic for a quarter more memory. `"none"`: the exact vectors. `"auto"` (default): codes where the metric allows them.
	 */
	readonly codes?: "auto" | "none" | "sq7";
}

/** A hierarchical navigable small world graph (Malkov and Yashunin, arXiv 1603.09320) in one arena. */
export class HnswIndex implements VectorIndex {
	readonly kind = "hnsw";
	/** The memory it lives in. Sets of labels for `allow` are made over it. */
	readonly arena: Arena;
	readonly #graph: HnswGraph;
	#closed = false;

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
		const graph = this.#open();
		checkLabel(label);
		const checked = graph.rows.check(vector);
		const known = graph.table.get(label) !== undefined;
		if (!known) this.#checkRoom(1);
		if (known) removeLabels(graph, [label]);
		const node = graph.place(label, levelFor(label, graph.parameters));
		graph.write(node, checked);
		graph.trainCodes();
		linkNode(graph, node);
	}

	async insertMany(rows: VectorRows, options: InsertManyOptions = {}): Promise<void> {
		const graph = this.#open();
		const { parallel } = options;
		if (parallel !== undefined && parallel.lanes > 1 && !graph.arena.shared) {
			throw new NighError("INVALID_OPTION", "several threads need a shared arena: create the index with shared: true", {
				field: "parallel",
			});
		}
		const n = graph.rows.checkRows(rows);
		const labels = labelsFor(graph.table, n, options.labels);
		const known = labels.filter((label) => graph.table.get(label) !== undefined);
		this.#checkRoom(n - known.length);
		graph.reserve(graph.size - known.length + n, true);
		removeLabels(graph, known);
		const nodes = new Uint32Array(n);
		labels.forEach((label, row) => {
			const node = graph.place(label, levelFor(label, graph.parameters));
			graph.write(node, graph.rows.rowOf(rows, row));
			nodes[row] = node;
		});
		graph.trainCodes();
		try {
			await linkNodes(graph, nodes, options);
		} catch (error) {
			// Rows that were not linked yet would be in the table but out of reach.
			if (error instanceof NighError && error.code === "ABORTED")
				this.#dropUnlinked(nodes, error.details.done as number);
			throw error;
		} finally {
			reconnect(graph);
		}
	}

	remove(labels: Iterable<Label>): number {
		return removeLabels(this.#open(), labels).removed;
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
		return search(this.#open(), query, checkInteger("k", k, BOUNDS.k), options);
	}

	searchMany(queries: VectorRows, k: number, options: SearchOptions = {}): Neighbor[][] {
		const graph = this.#open();
		checkInteger("k", k, BOUNDS.k);
		const n = graph.rows.checkRows(queries);
		return Array.from({ length: n }, (_, row) => search(graph, graph.rows.rowOf(queries, row), k, options));
	}

	compact(): CompactReport {
		return compact(this.#open());
	}

	/** Links again what cannot be reached from the entry point. */
	rebalance(): RebalanceReport {
		return rebalance(this.#open());
	}

	/** Puts the nodes into breadth-first order; worth calling once after a bulk load. */
	optimize(): OptimizeReport {
		return optimize(this.#open());
	}

	/** What the graph looks like: reachability, paths, degrees, layers, what is wrong and what to do. */
	analyze(): GraphAnalysis {
		return analyze(this.#open());
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
		};
	}

	serialize(): Iterable<Uint8Array> {
		return serializeHnsw(this.#open());
	}

	dispose(): void {
		if (this.#closed) return;
		this.#closed = true;
		this.#graph.dispose();
	}

	#open(): HnswGraph {
		if (this.#closed) throw new NighError("CLOSED", "the index has been disposed of: create or load another one");
		return this.#graph;
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

	#dropUnlinked(nodes: Uint32Array, linked: number): void {
		for (const node of nodes.subarray(linked)) this.#graph.release(node);
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
	const rows = new RowFormat(arena, { metric, dimensions, weights });
	return new HnswGraph(arena, rows, codesFor(arena, rows, options.codes), parameters);
}

function codesFor(arena: Arena, rows: RowFormat, asked: HnswOptions["codes"] = "auto"): ScalarCodes | undefined {
	if (asked === "none") return undefined;
	const possible = rows.metric === "l2" || rows.metric === "cosine" || rows.metric === "ip";
	if (possible) return new ScalarCodes(arena, rows.dimensions, rows.bytes);
	if (asked === "auto") return undefined;
	throw new NighError(
		"UNSUPPORTED",
		'codes "sq7" go with the metrics l2, cosine and ip: leave codes out or say "none"',
		{ field: "codes", value: asked },
	);
}
