import { BOUNDS, checkInteger, type Metric, NighError } from "@nigh/contract";
import type { Arena } from "@nigh/kernels";
import { checkInsertOptions, checkSearchOptions, refuseWalkOptions } from "../call-options.ts";
import { checkAbortFlag } from "../eligibility.ts";
import { withinArena } from "../memory-limit.ts";
import { checkedLabels, checkLabel, labelsFor } from "../rows/label-table.ts";
import { RowFormat } from "../rows/row-format.ts";
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
import { FlatRows } from "./rows.ts";
import { searchFlat, searchManyFlat } from "./search.ts";
import { serializeFlat } from "./serialize.ts";

export interface FlatOptions extends IndexSpec {
	/**
	 * What is scanned. `"sq7"`: 7-bit codes first, whose stored errors tell which vectors need an exact look (l2, cosine, ip); the answer is
	 * the same as without, for a quarter more memory. `"none"`: the exact vectors. `"auto"` (default): codes from 32 dimensions on.
	 */
	readonly codes?: "auto" | "none" | "sq7";
	/** Refuse more vectors than this with `COLLECTION_FULL`. Default: what the arena holds. */
	readonly maxElements?: number;
}

/** Below this, scanning the vectors themselves costs no more than scanning codes. */
const LEAST_CODED_DIMENSIONS = 32;

/** An exact index: it looks at everything. */
export class FlatIndex implements VectorIndex {
	readonly kind = "flat";
	/** The memory it lives in. Sets of labels for `allow` are made over it. */
	readonly arena: Arena;
	readonly #rows: FlatRows;
	#closed = false;

	/** Use {@link createFlat}. */
	constructor(rows: FlatRows) {
		this.arena = rows.arena;
		this.#rows = rows;
	}

	get metric(): Metric | CustomMetric {
		return this.#rows.format.metric;
	}

	get dimensions(): number {
		return this.#rows.format.dimensions;
	}

	get size(): number {
		return this.#rows.size;
	}

	insert(label: Label, vector: Vector): void {
		const rows = this.#open();
		checkLabel(label);
		const checked = rows.format.check(vector);
		rows.checkRoom(rows.table.get(label) === undefined ? 1 : 0);
		rows.put(label, checked);
		rows.trainCodes();
	}

	async insertMany(vectors: VectorRows, options: InsertManyOptions = {}): Promise<void> {
		const rows = this.#open();
		checkInsertOptions(options);
		if (options.together !== undefined) {
			throw new NighError(
				"INVALID_OPTION",
				"together is of a graph, which links vectors; a flat index has no links: leave it out",
				{
					field: "together",
				},
			);
		}
		const n = rows.format.checkRows(vectors);
		if (options.signal?.aborted) {
			throw new NighError(
				"ABORTED",
				`aborted before the first of ${n} vectors`,
				{ done: 0 },
				{ cause: options.signal.reason },
			);
		}
		const labels = labelsFor(rows.table, n, options.labels);
		const known = labels.reduce((count, label) => count + (rows.table.get(label) === undefined ? 0 : 1), 0);
		rows.checkRoom(n - known);
		rows.reserve(rows.size + n - known, true);
		labels.forEach((label, row) => {
			rows.put(label, rows.format.rowOf(vectors, row) as Float32Array | Uint8Array, options.stored);
		});
		rows.trainCodes();
		options.onProgress?.(n, n);
	}

	remove(labels: Iterable<Label>): number {
		const rows = this.#open();
		let removed = 0;
		for (const label of checkedLabels(labels)) if (rows.remove(label)) removed++;
		return removed;
	}

	has(label: Label): boolean {
		return this.#open().table.get(label) !== undefined;
	}

	labels(): Uint32Array {
		return this.#open().table.labels();
	}

	vector(label: Label): Float32Array | Uint8Array | undefined {
		const rows = this.#open();
		const row = rows.table.get(label);
		return row === undefined ? undefined : rows.format.read(rows.vectorOf(row));
	}

	search(query: Vector, k: number, options: SearchOptions = {}): Neighbor[] {
		const rows = this.#open();
		checkFlatOptions(rows, options);
		return searchFlat(rows, rows.format.check(query), checkInteger("k", k, BOUNDS.k), options);
	}

	searchMany(queries: VectorRows, k: number, options: SearchOptions = {}): Neighbor[][] {
		const rows = this.#open();
		checkFlatOptions(rows, options);
		checkInteger("k", k, BOUNDS.k);
		const n = rows.format.checkRows(queries);
		return searchManyFlat(rows, queries, n, k, options);
	}

	/** Rows never have gaps; this gives spare capacity back. */
	compact(): CompactReport {
		const rows = this.#open();
		rows.trim();
		return { removedNodes: 0, optimizedConnections: 0, totalNodes: rows.size };
	}

	memory(): MemoryReport {
		return this.#open().memory();
	}

	effective(): Readonly<Record<string, unknown>> {
		const { format, codes, maxElements } = this.#open();
		return {
			kind: this.kind,
			dimensions: format.dimensions,
			metric: typeof format.metric === "string" ? format.metric : format.metric.name,
			weights: format.weights === undefined ? undefined : [...format.weights],
			codes: codes === undefined ? "none" : "sq7",
			engine: this.arena.engine,
			shared: this.arena.shared,
			maxElements,
		};
	}

	serialize(): Iterable<Uint8Array> {
		return serializeFlat(this.#open());
	}

	dispose(): void {
		if (this.#closed) return;
		this.#closed = true;
		this.#rows.dispose();
	}

	#open(): FlatRows {
		if (this.#closed) throw new NighError("CLOSED", "the index has been disposed of: create or load another one");
		return this.#rows;
	}
}

/**
 * An empty exact index.
 *
 * @throws NighError `INVALID_OPTION` naming the option, the value and the bound; `UNSUPPORTED` for codes under a metric without them.
 */
export function createFlat(options: FlatOptions): FlatIndex {
	return new FlatIndex(createRows(options));
}

/** The empty rows of an index with these options. */
export function createRows(options: FlatOptions): FlatRows {
	const { arena, metric, dimensions, weights } = checkSpec(options, ["maxElements"]);
	const { codes, maxElements } = options;
	if (maxElements !== undefined) checkInteger("maxElements", maxElements, { min: 1, max: 0xffffffff });
	const coded = isCoded({ metric, dimensions, codes });
	return withinArena("an index", () => {
		const format = new RowFormat(arena, { metric, dimensions, weights });
		return new FlatRows(arena, format, coded, maxElements);
	});
}

/** Whether rows have codes for the scan by bounds. */
export function isCoded({
	metric,
	dimensions,
	codes = "auto",
}: Pick<FlatOptions, "metric" | "dimensions" | "codes">): boolean {
	const possible = metric === "l2" || metric === "cosine" || metric === "ip";
	if (possible) return codes === "sq7" || (codes === "auto" && dimensions >= LEAST_CODED_DIMENSIONS);
	if (codes !== "sq7") return false;
	throw new NighError(
		"UNSUPPORTED",
		'codes "sq7" go with the metrics l2, cosine and ip: leave codes out or say "none"',
		{ field: "codes", value: codes },
	);
}

function checkFlatOptions({ arena }: FlatRows, options: SearchOptions): void {
	checkSearchOptions(options);
	checkAbortFlag(arena, options.abort);
	refuseWalkOptions(options, "a flat index looks at everything");
}
