import { BOUNDS, type Distance } from "@nigh/contract";
import { checkAborted, writeEligibility } from "../eligibility.ts";
import type { Label, Neighbor, SearchOptions, VectorRows } from "../vector-index.ts";
import type { InvertedFile } from "./inverted-file.ts";
import { viewOf } from "./owner-view.ts";
import { IVF_BOUNDS } from "./parameters.ts";
import { boundScan, type Probed, probeRows, probeSettings } from "./probe-rows.ts";
import { rankRows } from "./rank-rows.ts";
import { noCodes } from "./refusals.ts";
import { rankPlaces, scanPlaces } from "./scan.ts";
import { CHUNK_ROWS, type IvfScratch, stagedRows } from "./scratch.ts";
import { type CellQuery, type CellSearchReport, cellSettings, searchCells } from "./search-cells.ts";
import type { IvfView } from "./view.ts";

export interface IvfSearchOptions extends SearchOptions {
	/** Cells to look into, 1 to nlist: more are looked into where those have fewer than k vectors that may be answered. Default: the index's. */
	readonly nprobe?: number;
	/** Rows that may be scanned, from 1; the cell in which they run out is finished. Default: the index's, or no limit. */
	readonly budget?: number;
	/**
	 * Candidates to rank again by the vectors, at least k; 0: none, distances are estimates then. More: better recall, slower. Default: the index's, or
	 * by k and how fine the codes are. Not for `"ivf"`.
	 */
	readonly rerank?: number;
}

/** How a search went: what was looked at, and by which way. */
export interface IvfSearchReport extends Omit<CellSearchReport, "found"> {
	/** `"cells"`; `"scan"`: every vector by exact distance; `"labels"`: the few that may be answered. */
	readonly way: "cells" | "scan" | "labels";
}

/** Labels that may be answered, up to so many, are compared one by one. */
const FEW_ALLOWED = 1_000;

export interface IvfAnswer {
	readonly neighbors: Neighbor[];
	readonly report: IvfSearchReport;
}

/**
 * Checks what a search is asked of a file that holds nothing and may not have been trained: it refuses what it would refuse with vectors in it.
 *
 * @throws NighError `INVALID_OPTION`.
 */
export function checkAsked(file: InvertedFile, k: number, options: IvfSearchOptions): void {
	const { learnt, parameters, rows } = file;
	const asked = typeof parameters.nlist === "number" ? parameters.nlist : IVF_BOUNDS.nprobe.max;
	cellSettings({ parameters, rows, nlist: learnt?.coarse.nlist ?? asked, product: learnt?.product }, k, options);
}

/** {@link checkAsked} for {@link probeIvf}. @throws NighError `INVALID_OPTION`; `UNSUPPORTED` where rows have no codes. */
export function checkProbed(file: InvertedFile, k: number, options: IvfSearchOptions): void {
	checkAsked(file, k, options);
	if (file.parameters.kind === "ivf" && file.scalar === undefined) throw noCodes();
}

/** The nearest k of a checked query: in the cells nearest to it, or among all that may be answered where that is surer or costs less. */
export function searchIvf(
	file: InvertedFile,
	scratch: IvfScratch,
	query: Float32Array | Uint8Array,
	k: number,
	options: IvfSearchOptions,
): IvfAnswer {
	const { allow, abort } = options;
	const view = viewOf(file);
	const settings = cellSettings(view, k, options);
	file.rows.write(query, scratch.query);
	const eligibility = writeEligibility(file.arena, scratch.eligibility, allow);
	const wanted = Math.min(k, file.size);
	if (!file.isOnDisk && allow !== undefined && allow.size <= FEW_ALLOWED) {
		checkAborted(abort);
		let ranked = 0;
		const placeOf = (label: Label) => {
			const place = file.table.get(label);
			if (place !== undefined) ranked++;
			return place;
		};
		const found = rankPlaces(view, scratch, allow, placeOf, { k: wanted, eligibility: 0 });
		return answered(view, scratch, found, { ...NOTHING, way: "labels", ranked });
	}
	if (!file.isOnDisk && isExact(k, options)) {
		const found = scan(view, scratch, { k: wanted, eligibility }, abort);
		return answered(view, scratch, found, { ...NOTHING, way: "scan", rows: file.size, ranked: file.size });
	}
	const { found, ...report } = searchCells(view, scratch, cellQuery(file, k, options, settings, eligibility));
	return answered(view, scratch, found, { ...report, way: "cells" });
}

/** Which rows decide the answer to a checked query: the first half of {@link searchIvf}, for who has the vectors. */
export function probeIvf(
	file: InvertedFile,
	scratch: IvfScratch,
	query: Float32Array | Uint8Array,
	k: number,
	options: IvfSearchOptions,
): Probed {
	const { allow, abort } = options;
	const view = viewOf(file);
	const settings = probeSettings(view, k, options);
	file.rows.write(query, scratch.query);
	const eligibility = writeEligibility(file.arena, scratch.eligibility, allow);
	if (allow !== undefined && allow.size <= FEW_ALLOWED) {
		checkAborted(abort);
		const labels = probeLabels(file, view, scratch, allow, Math.min(k, file.size));
		return { labels, report: { ...NOTHING, ranked: labels.length } };
	}
	const asked = cellQuery(file, k, options, settings, eligibility);
	// All rows of all cells, of which bounds lose none.
	const isExhaustive = file.parameters.kind === "ivf" && isExact(k, options);
	return probeRows(view, scratch, isExhaustive ? { ...asked, nprobe: view.nlist, budget: undefined } : asked);
}

/** What of a few labels decides the answer: those that there are, less what bounds exclude. */
function probeLabels(
	file: InvertedFile,
	view: IvfView,
	scratch: IvfScratch,
	allow: Iterable<Label>,
	k: number,
): Uint32Array {
	const held = Uint32Array.from(allow).filter((label) => file.table.get(label) !== undefined);
	if (file.parameters.kind !== "ivf" || held.length === 0) return held;
	const scan = boundScan(view, scratch, { k, eligibility: 0 });
	view.arena.u32(scratch.labels, held.length).set(held);
	const places = held.map((label) => file.table.get(label) as number);
	view.arena.u32(scratch.places, held.length).set(places);
	scan.judge(held.length);
	return scan.candidates();
}

/** The nearest k of rows that the caller has brought; they are as they are stored. */
export function rankIvf(
	file: InvertedFile,
	scratch: IvfScratch,
	query: Float32Array | Uint8Array,
	k: number,
	labels: Uint32Array,
	vectors: VectorRows,
): Neighbor[] {
	const view = viewOf(file);
	const { arena, rows } = file;
	rows.write(query, scratch.query);
	// There is nothing staged where searches have the vectors at hand.
	const own = file.isOnDisk ? 0 : arena.alloc(stagedRows(rows.bytes) * rows.bytes);
	try {
		const found = rankRows(view, scratch, own || scratch.staged, labels, { k, eligibility: 0 }, (first, n, address) => {
			for (let i = 0; i < n; i++) rows.writeStored(rows.rowOf(vectors, first + i), address + i * rows.bytes);
		});
		return neighborsIn(view, scratch, found);
	} finally {
		arena.free(own);
	}
}

/** Whether every row is to be looked at. */
function isExact(k: number, { exact }: SearchOptions): boolean {
	return exact === true || k > BOUNDS.k.exactAbove;
}

function cellQuery(
	{ size, nlist }: InvertedFile,
	k: number,
	{ nprobe, allow, abort }: IvfSearchOptions,
	settings: ReturnType<typeof cellSettings>,
	eligibility: number,
): CellQuery {
	const wanted = Math.min(k, size);
	return {
		k: wanted,
		wanted: allow === undefined ? wanted : Math.min(wanted, allow.size),
		...settings,
		nprobe: nprobe ?? widened(settings.nprobe, nlist, allow === undefined ? 1 : allow.size / size),
		eligibility,
		abort: abort?.address ?? 0,
	};
}

const NOTHING = { cells: 0, rows: 0, wentOn: false, budgetSpent: false, ranked: 0 } as const;

/** Where only a share of the rows may be answered, the nearest of them lie farther off, in more cells. */
function widened(nprobe: number, nlist: number, share: number): number {
	return share >= 1 ? nprobe : Math.min(nlist, Math.ceil(nprobe / Math.sqrt(share)));
}

/** Every row by exact keys. Returns how many answers there are. */
function scan(
	view: IvfView,
	scratch: IvfScratch,
	options: { readonly k: number; readonly eligibility: number },
	abort: SearchOptions["abort"],
): number {
	const slots = view.slots();
	let size = 0;
	for (let first = 0; first < slots; first += CHUNK_ROWS) {
		checkAborted(abort);
		size = scanPlaces(view, scratch, { first, n: Math.min(CHUNK_ROWS, slots - first), size }, options);
	}
	return size;
}

function answered(view: IvfView, scratch: IvfScratch, n: number, report: IvfSearchReport): IvfAnswer {
	return { neighbors: neighborsIn(view, scratch, n), report };
}

function neighborsIn(view: IvfView, scratch: IvfScratch, n: number): Neighbor[] {
	const keys = view.arena.f32(scratch.answer, 2 * n);
	const labels = view.arena.u32(scratch.answer, 2 * n);
	return Array.from({ length: n }, (_, i) => ({
		label: labels[2 * i + 1] as number,
		distance: view.rows.distanceOf(keys[2 * i] as number) as Distance,
	}));
}
