import { checkInteger, NighError } from "@nigh/contract";
import { CELL_SEARCH, METRIC_CODES, TERM_BYTES } from "@nigh/kernels";
import { aborted } from "../eligibility.ts";
import type { RabitqCodec } from "../rabitq/codec.ts";
import { defaultNprobe, defaultRerank, IVF_BOUNDS } from "./parameters.ts";
import { Probe } from "./probe.ts";
import { codeBytes, writeProductTables } from "./product-codes.ts";
import { RowScan } from "./row-scan.ts";
import { CHUNK_ROWS, type IvfScratch, MOST_CANDIDATES, PAIR } from "./scratch.ts";
import type { IvfView } from "./view.ts";

/** What one search over cells is asked. */
export interface CellQuery {
	readonly k: number;
	/** Answers it owes: cells beyond `nprobe` are looked into until there are as many. */
	readonly wanted: number;
	readonly nprobe: number;
	/** Rows that may be scanned; the cell in which they run out is finished. */
	readonly budget: number | undefined;
	/** Candidates to rank by the vectors; of cells that hold codes. `undefined`: as many as the bounds of RaBitQ codes do not exclude. */
	readonly rerank: number | undefined;
	/** Address of the eligibility struct; 0 where everything may be answered. */
	readonly eligibility: number;
	/** Address of the abort word; 0 for none. */
	readonly abort: number;
}

/** How an answer was found. */
export interface CellSearchReport {
	/** Answers, as pairs {key, label} in the scratch. */
	readonly found: number;
	/** Cells that were looked into: more than `nprobe` where those had too little that may be answered. */
	readonly cells: number;
	readonly rows: number;
	/** Whether the cells that were to be probed had too few answers, so that others were looked into. */
	readonly wentOn: boolean;
	/** Whether the budget ended the scan. */
	readonly budgetSpent: boolean;
	/** Vectors that were compared. */
	readonly ranked: number;
}

/** The settings of a search: those asked for, checked, or the index's, or the defaults. */
export function cellSettings(
	{ parameters, nlist, product, rows }: Pick<IvfView, "parameters" | "nlist" | "product" | "rows">,
	k: number,
	asked: {
		readonly nprobe?: number | undefined;
		readonly budget?: number | undefined;
		readonly rerank?: number | undefined;
	},
): Pick<CellQuery, "nprobe" | "budget" | "rerank"> {
	const { nprobe, budget, rerank } = asked;
	if (rerank !== undefined && parameters.kind === "ivf") {
		throw new NighError(
			"INVALID_OPTION",
			"rerank is for cells that hold codes; those of ivf hold the vectors: leave it out",
			{
				field: "rerank",
				value: rerank,
			},
		);
	}
	const depth = rerank === undefined ? parameters.rerank : checkInteger("rerank", rerank, IVF_BOUNDS.rerank);
	return {
		nprobe:
			nprobe === undefined
				? Math.min(nlist, parameters.nprobe ?? defaultNprobe(nlist))
				: checkInteger("nprobe", nprobe, { ...IVF_BOUNDS.nprobe, max: nlist }),
		budget: budget === undefined ? parameters.budget : checkInteger("budget", budget, IVF_BOUNDS.budget),
		rerank: depth === undefined ? usualRerank(product, rows.dimensions, k) : depth === 0 ? 0 : Math.max(k, depth),
	};
}

/** Of product codes alone: RaBitQ's say themselves what has to be looked at again. */
function usualRerank(product: IvfView["product"], dimensions: number, k: number): number | undefined {
	return product === undefined ? undefined : defaultRerank(k, (8 * codeBytes(product)) / dimensions);
}

/** The nearest k of the query in the scratch, among the rows of the cells nearest to it. */
export function searchCells(view: IvfView, scratch: IvfScratch, query: CellQuery): CellSearchReport {
	const probe = new Probe(view, scratch);
	probe.list(query.nprobe);
	const scan = scanOf(view, scratch, query, probe);
	const looked = lookIntoCells(view, scratch, query, probe, scan);
	const found = scan.finish();
	return { found, ...looked, ranked: scan.ranked };
}

/** Runs a scan over the cells that are listed, and over further ones until it has found what is wanted. */
export function lookIntoCells(
	view: IvfView,
	{ search, probes }: IvfScratch,
	query: CellQuery,
	probe: Probe,
	scan: CellScan,
): Omit<CellSearchReport, "found" | "ranked"> {
	const words = view.arena.u32(search, CELL_SEARCH.bytes / 4);
	words.fill(0);
	words[CELL_SEARCH.probes / 4] = probes;
	words[CELL_SEARCH.abort / 4] = query.abort;
	words[CELL_SEARCH.budget / 4] = query.budget ?? IVF_BOUNDS.budget.max;
	words[CELL_SEARCH.pool / 4] = scan.pool;
	words[CELL_SEARCH.room / 4] = scan.room;
	for (;;) {
		words[CELL_SEARCH.count / 4] = probe.count;
		scan.run();
		const isSpent = (words[CELL_SEARCH.next / 4] as number) < probe.count;
		if (scan.found() >= query.wanted || probe.count === view.nlist || isSpent) {
			return {
				cells: words[CELL_SEARCH.next / 4] as number,
				rows: words[CELL_SEARCH.scanned / 4] as number,
				wentOn: probe.count > query.nprobe,
				budgetSpent: isSpent,
			};
		}
		probe.list(Math.min(view.nlist, 2 * probe.count));
	}
}

/** One way of looking at the rows of probed cells. */
export interface CellScan {
	/** Where the kernels keep the best, and how many of them. */
	readonly pool: number;
	readonly room: number;
	/** Looks at the cells that are listed and have not been looked at. */
	run(): void;
	/** Candidates or answers so far. */
	found(): number;
}

interface Scan extends CellScan {
	/** Rows that were compared by their vectors. */
	readonly ranked: number;
	/** Leaves the answer in the scratch; returns how many there are. */
	finish(): number;
}

function scanOf(view: IvfView, scratch: IvfScratch, query: CellQuery, probe: Probe): Scan {
	if (view.product !== undefined) return new ProductScan(view, scratch, query, probe);
	if (view.rabitq !== undefined) return new RabitqScan(view, scratch, query, view.rabitq.codec);
	return new RowScan(view, scratch, query);
}

/** Pairs in the pool of a search. */
function pooled(view: IvfView, scratch: IvfScratch): number {
	return view.arena.u32(scratch.search, CELL_SEARCH.bytes / 4)[CELL_SEARCH.size / 4] as number;
}

/** Cells that hold RaBitQ codes: what their bounds do not exclude is compared at once, or the best by their estimates are candidates. */
export class RabitqScan implements Scan {
	readonly #view: IvfView;
	readonly #scratch: IvfScratch;
	readonly #query: CellQuery;
	readonly #struct: number;
	readonly pool: number;
	readonly room: number;
	ranked = 0;

	constructor(view: IvfView, scratch: IvfScratch, query: CellQuery, codec: RabitqCodec) {
		this.#view = view;
		this.#scratch = scratch;
		this.#query = query;
		const isBounded = query.rerank === undefined;
		this.pool = isBounded ? scratch.answer : scratch.candidates;
		this.room = isBounded ? query.k : Math.min(MOST_CANDIDATES, Math.max(query.k, query.rerank ?? 0));
		const prepared = codec.query(scratch.rabitq);
		prepared.open(scratch.query);
		this.#struct = prepared.struct;
	}

	run(): void {
		const { arena, cells, rows, vectors, centroids, centroidBytes } = this.#view;
		const { search, query, rabitqOut } = this.#scratch;
		const { rerank, eligibility } = this.#query;
		const code = [this.#struct, centroids, centroidBytes] as const;
		const row = [rows.metricCode, query, rerank === undefined ? vectors : 0, rows.bytes, rows.bytes] as const;
		const ranked = arena.kernels.rabitqCells(cells, search, ...code, ...row, rabitqOut, eligibility);
		if (ranked < 0) throw aborted();
		this.ranked += ranked;
	}

	found(): number {
		return pooled(this.#view, this.#scratch);
	}

	finish(): number {
		const found = this.found();
		const { k, rerank } = this.#query;
		if (rerank === undefined) return found;
		if (rerank === 0) {
			const isDot = this.#view.rows.metric === "ip";
			return answerEstimates(this.#view, this.#scratch, Math.min(found, k), (key) => (isDot ? key : Math.max(0, key)));
		}
		this.ranked = found;
		return rankCandidates(this.#view, this.#scratch, found, k);
	}
}

/** Answers with what codes say of the first `n` candidates; `keyOf` makes a key of what the scan found. */
function answerEstimates(view: IvfView, scratch: IvfScratch, n: number, keyOf: (scanned: number) => number): number {
	const { arena } = view;
	const { candidates, keys, labels, answer } = scratch;
	const labelOf = arena.u32(view.labels, view.slots());
	let size = 0;
	for (let from = 0; from < n; from += CHUNK_ROWS) {
		const some = Math.min(CHUNK_ROWS, n - from);
		const pairs = arena.u32(candidates + PAIR * from, 2 * some);
		const scanned = arena.f32(candidates + PAIR * from, 2 * some);
		const estimates = arena.f32(keys, some);
		const named = arena.u32(labels, some);
		for (let i = 0; i < some; i++) {
			estimates[i] = keyOf(scanned[2 * i] as number);
			named[i] = labelOf[pairs[2 * i + 1] as number] as number;
		}
		size = arena.kernels.topk(keys, labels, some, n, answer, size, 0);
	}
	return size;
}

/** Ranks the first `all` candidates by their vectors; leaves the best k in the answer and returns how many there are. */
function rankCandidates(view: IvfView, scratch: IvfScratch, all: number, k: number): number {
	const { arena, rows, vectors } = view;
	const { candidates, places, keys, labels, answer, query } = scratch;
	const labelOf = arena.u32(view.labels, view.slots());
	let size = 0;
	for (let from = 0; from < all; from += CHUNK_ROWS) {
		const n = Math.min(CHUNK_ROWS, all - from);
		const pairs = arena.u32(candidates + PAIR * from, 2 * n);
		const chosen = arena.u32(places, n);
		const named = arena.u32(labels, n);
		for (let i = 0; i < n; i++) {
			const place = pairs[2 * i + 1] as number;
			chosen[i] = place;
			named[i] = labelOf[place] as number;
		}
		arena.kernels.distanceMany(rows.metricCode, query, vectors, rows.bytes, rows.bytes, places, n, keys);
		size = arena.kernels.topk(keys, labels, n, k, answer, size, 0);
	}
	return size;
}

/** Cells that hold product codes: the best by their codes are candidates, which are ranked by the vectors. */
export class ProductScan implements Scan {
	readonly #view: IvfView;
	readonly #scratch: IvfScratch;
	readonly #query: CellQuery;
	readonly #tables: ReturnType<typeof writeProductTables>;
	readonly pool: number;
	readonly room: number;
	ranked = 0;

	constructor(view: IvfView, scratch: IvfScratch, query: CellQuery, probe: Probe) {
		this.#view = view;
		this.#scratch = scratch;
		this.#query = query;
		this.pool = scratch.candidates;
		this.room = Math.min(MOST_CANDIDATES, Math.max(query.k, query.rerank ?? 0));
		while (!probe.hasRows && probe.count < view.nlist) probe.list(Math.min(view.nlist, 2 * probe.count));
		this.#tables = writeProductTables(view.arena, this.#product, probe.query, {
			factor: view.rows.metric === "ip" ? -1 : -2,
			tables: scratch.tables,
			left: scratch.left,
			from: probe.hasRows ? probe.from : 0,
			biasSpread: probe.biasSpread,
		});
	}

	get #product(): NonNullable<IvfView["product"]> {
		return this.#view.product as NonNullable<IvfView["product"]>;
	}

	run(): void {
		const { cells, arena } = this.#view;
		const { search, tables } = this.#scratch;
		const { subs, bits, hasTerms } = this.#product;
		const { eligibility } = this.#query;
		const { inverse, offset } = this.#tables;
		const termBytes = hasTerms ? TERM_BYTES : 0;
		const entries = 2 ** bits;
		const { kernels } = arena;
		const ended =
			bits === 4
				? kernels.fastScan(cells, search, tables + 4 * subs * entries, subs, termBytes, inverse, offset, eligibility)
				: kernels.productScan(cells, search, tables, subs, entries, termBytes, eligibility);
		if (ended < 0) throw aborted();
	}

	found(): number {
		return pooled(this.#view, this.#scratch);
	}

	finish(): number {
		const { k, rerank } = this.#query;
		const all = this.found();
		if (rerank === 0) return this.#estimates(Math.min(all, k));
		this.ranked = all;
		return rankCandidates(this.#view, this.#scratch, all, k);
	}

	/** Answers with what codes say of distances. */
	#estimates(n: number): number {
		const { arena, rows, mean, projection } = this.#view;
		const { query, projected } = this.#scratch;
		const { inverse, offset, leasts } = this.#tables;
		const keyOf = (scanned: number) => scanned / inverse + offset + leasts;
		if (rows.metric === "ip") {
			// Along its axes a row is seen from the mean: the query's product with that is missing from theirs.
			const atMean = mean === 0 ? 0 : arena.kernels.distance(METRIC_CODES.ip, query, mean, rows.bytes);
			return answerEstimates(this.#view, this.#scratch, n, (scanned) => keyOf(scanned) + atMean);
		}
		// What of the query lies along axes that were left out is the same for all rows.
		const all = mean === 0 ? 0 : arena.kernels.distance(METRIC_CODES.l2, query, mean, rows.bytes);
		const beyond = mean === 0 ? 0 : Math.max(0, all - arena.kernels.sumOfSquares(projected, projection.bytes));
		const scale = rows.metric === "cosine" ? 0.5 : 1;
		return answerEstimates(this.#view, this.#scratch, n, (scanned) => Math.max(0, (keyOf(scanned) + beyond) * scale));
	}
}
