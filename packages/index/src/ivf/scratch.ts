import { BOUND_QUERY, CELL_PROBE, CELL_SEARCH, ELIGIBILITY } from "@nigh/kernels";
import { IVF_BOUNDS } from "./parameters.ts";
import { tableBytes } from "./product-codes.ts";
import { RABITQ_OUT_BYTES } from "./rabitq-cells.ts";
import type { IvfView } from "./view.ts";

/** Rows that are listed, compared and ranked at a time. */
export const CHUNK_ROWS = 4_096;
export const PAIR = 8;
/** Vectors that are brought to be compared: so many bytes of them at a time, within these numbers of rows. */
const STAGED = { bytes: 2 ** 20, least: 16, most: 256 } as const;

/** Rows that {@link IvfScratch.staged} has room for. */
export function stagedRows(rowBytes: number): number {
	return Math.min(STAGED.most, Math.max(STAGED.least, Math.floor(STAGED.bytes / rowBytes)));
}

/** The most candidates of a search. */
export const MOST_CANDIDATES = IVF_BOUNDS.rerank.max;

/** The working memory of one search. Addresses are bytes of the arena. */
export interface IvfScratch {
	/** The query as a row, and as the cells see it. */
	readonly query: number;
	readonly projected: number;
	/** Its code for finding cells, with the norm behind. */
	readonly queryCode: number;
	readonly eligibility: number;
	/** The search struct. */
	readonly search: number;
	/** A key a cell, the numbers of all cells, the nearest of them as pairs {key, cell}, and as the kernels want them: {cell, bias}. */
	readonly cellKeys: number;
	readonly cellNumbers: number;
	readonly nearest: number;
	readonly probes: number;
	/** Numbers of the probed cells, and their biases. */
	readonly probed: number;
	readonly biases: number;
	readonly tables: number;
	/** A RaBitQ query, and room for what a block leaves of its rows. */
	readonly rabitq: number;
	readonly rabitqOut: number;
	/** 32 bytes. */
	readonly left: number;
	/** Pairs {key, place}: {@link MOST_CANDIDATES}. */
	readonly candidates: number;
	/** Pairs {key, label}: the answer. */
	readonly answer: number;
	/** Places, labels and keys of a chunk. */
	readonly places: number;
	readonly labels: number;
	readonly keys: number;
	/** The struct of a scan by bounds, two planes of the coded query and a row of zeros; pairs of the pool; kept rows and bounds. */
	readonly bounds: number;
	readonly boundPool: number;
	readonly keptRows: number;
	readonly keptBounds: number;
	/** {@link stagedRows} vectors that are brought from where they are kept; on disk only. */
	readonly staged: number;
	/** Bytes of all. */
	readonly bytes: number;
}

/** The scratch's parts from an address on; with address 0, how many bytes there have to be. */
export function layOutScratch(
	view: Pick<IvfView, "parameters" | "rows" | "projection" | "nlist" | "product" | "rabitq" | "scalar" | "coarseCodes">,
	address: number,
	mostAnswers: number,
): IvfScratch {
	let at = address;
	const take = (bytes: number): number => {
		const start = at;
		at += Math.ceil(bytes / 64) * 64;
		return start;
	};
	const { parameters, rows, projection, nlist, product, rabitq, scalar, coarseCodes } = view;
	const isCoded = product !== undefined || rabitq !== undefined;
	const bounded = scalar === undefined ? 0 : mostAnswers;
	const parts = {
		query: take(rows.bytes),
		projected: take(projection.bytes),
		queryCode: take((coarseCodes?.coder.bytes ?? 0) + 16),
		eligibility: take(ELIGIBILITY.bytes),
		search: take(CELL_SEARCH.bytes),
		cellKeys: take(4 * nlist),
		cellNumbers: take(4 * nlist),
		nearest: take(PAIR * nlist),
		probes: take(CELL_PROBE.bytes * nlist),
		probed: take(4 * nlist),
		biases: take(4 * nlist),
		tables: take(product === undefined ? 0 : tableBytes(product)),
		rabitq: take(rabitq?.codec.queryBytes ?? 0),
		rabitqOut: take(rabitq === undefined ? 0 : RABITQ_OUT_BYTES),
		left: take(32),
		candidates: take(isCoded ? PAIR * MOST_CANDIDATES : 0),
		answer: take(PAIR * mostAnswers),
		places: take(4 * CHUNK_ROWS),
		labels: take(4 * CHUNK_ROWS),
		keys: take(4 * CHUNK_ROWS),
		bounds: take(scalar === undefined ? 0 : BOUND_QUERY.bytes + 2 * scalar.codes.bytes + rows.bytes),
		boundPool: take(PAIR * bounded),
		keptRows: take(scalar === undefined ? 0 : 4 * CHUNK_ROWS),
		keptBounds: take(scalar === undefined ? 0 : 4 * CHUNK_ROWS),
		staged: take(parameters.storage === "disk" ? stagedRows(rows.bytes) * rows.bytes : 0),
	};
	return { ...parts, bytes: at - address };
}
