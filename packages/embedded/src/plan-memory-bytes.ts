import type { Metric } from "@nigh/contract";
import { type EstimateOptions, estimateMemory, LEAST_POINTS_PER_CENTROID, type MemoryEstimate } from "@nigh/index";
import { rowBytes } from "@nigh/kernels";
import { vectorBytes } from "./memory/rows.ts";
import { ID_BYTES, mostRecords, SLOT_BYTES, tailBytes, tailRows } from "./memory/sizes.ts";
import { type IndexChoice, isOnDisk } from "./records/catalogue.ts";
import { LEAST_CODED_DIMENSIONS, leastForCells } from "./workers/main-index.ts";
import { DEAD_SHARE, LEAST_CELLS, LEAST_DEAD, LEAST_GRAPH, TRAINING_VECTORS } from "./workers/parameters.ts";

/** What vectors a plan is for. */
export interface PlanSpace {
	readonly dimensions: number;
	readonly metric: Metric;
	/** Bytes of an id, on average. */
	readonly idBytes?: number;
}

/** An index whose memory can be told. */
export type PlannedChoice = Exclude<IndexChoice, { readonly kind: "auto" }>;

/** What a collection takes with an index. */
export interface Needed {
	/** Bytes of memory at most, at any moment. */
	readonly bytes: number;
	/** Bytes of rows in files. */
	readonly onDisk: number;
	/** Rows that the tail has room for. */
	readonly tailRows: number;
	/** Vectors that cells and codes are learnt from; 0: nothing is. */
	readonly trainingRows: number;
}

/** The share of a cap that the tail may take: the more of it, the longer a burst of writes can run ahead of the index. */
const TAIL_SHARE = 1 / 8;
/** The share that a training may take, unless that leaves too few rows for each cell: more than that teach little more. */
const TRAINING_SHARE = 1 / 4;
/** The first cells are learnt from rows of the tail; while they are, as many again may come. */
const LEAST_TAIL_ROWS = 2 * LEAST_CELLS;
/** The share that dead rows may take before they are given up, and how many stay in any case. */
const LEAST_DEAD_BYTES_SHARE = 1 / 64;
const LEAST_DEAD_WITHIN = 16;
/** Beside the rows of the tail: the slot of each. */
export const RING_SLOT_BYTES = 4;
/** A bit for each slot: whether it has been counted as dead. */
const COUNTED_BYTES = 1 / 8;
/** What three readers (the caller's, the worker's and the examiner), and whoever inserts, mark of each node of a graph. */
const MARK_BYTES = 4 * 4;
/** What readers work in, in each of two generations: pools, keys, the rows that are being compared; the examiner's for many queries at once. */
const OTHER_BYTES = 2 ** 21;
/** Rows on their way into an index that does not hold them, and those of two readers that they compare. */
const STAGED_BYTES = 2 ** 22;
const COMPARED_ROWS = 2 * 256;

/** What k-means draws of a training set for each cell, principal axes in all, and a product quantiser for each entry of a codebook. */
const ROWS_PER_CELL = 64;
const AXES_ROWS = 16_384;
const ROWS_PER_ENTRY = 256;
const NO_TRAINING = { rows: 0, bytes: 0 } as const;
/** Of each of these: its cell, its key, its number, its place among those of its cell; then the same for its part in a codebook. */
const TRAINED_BYTES = 32;

/** Bytes at the moment that takes the most, by what takes them. */
export interface NeededParts {
	/** The generation that serves, with what is dead in it, and its tail, full. */
	readonly serving: number;
	/** The one that is built beside it, and what may have come to its tail when it takes over. */
	readonly next: number;
	/** What cells are learnt in, for one of the two. */
	readonly training: number;
}

/**
 * The most memory that so many vectors take with an index, by the formulas of the layouts: tables and index of the generation that serves and of
 * the next one that is built beside it, the tail of each, and what a training works in.
 *
 * @param maxBytes The cap, of which the tail and trainings have their shares.
 */
export function neededFor(index: PlannedChoice, vectors: number, space: PlanSpace, maxBytes: number): Needed {
	const n = Math.max(1, vectors);
	const row = rowOf(space);
	const least = index.kind === "flat" ? 0 : leastFor(index);
	const isBuilt = index.kind !== "flat" && n >= least;
	const onDisk = isBuilt && isOnDisk(index);
	const moments = momentsOf(index, n, space, maxBytes);
	const training = isBuilt ? trainingOf(estimateOf(index, n, space), { n, row, maxBytes }) : NO_TRAINING;
	return {
		bytes: Math.ceil(OTHER_BYTES + Math.max(...moments.map(sumOf))),
		onDisk: onDisk ? n * row : 0,
		tailRows: tailRowsWithin(row, maxBytes),
		trainingRows: training.rows,
	};
}

/** The same by what takes it, without what readers work in. */
export function neededParts(index: PlannedChoice, vectors: number, space: PlanSpace, maxBytes: number): NeededParts {
	const moments = momentsOf(index, Math.max(1, vectors), space, maxBytes);
	return moments.reduce((most, each) => (sumOf(each) > sumOf(most) ? each : most));
}

function sumOf({ serving, next, training }: NeededParts): number {
	return serving + next + training;
}

/** Each of the moments at which a collection that has come to so many vectors may take the most. */
function momentsOf(index: PlannedChoice, n: number, space: PlanSpace, maxBytes: number): readonly NeededParts[] {
	const row = rowOf(space);
	const tables = SLOT_BYTES + COUNTED_BYTES + (space.idBytes ?? ID_BYTES);
	const slotsFor = (live: number) => withDead(live, leastDeadWithin(row, maxBytes));
	const inTail = tables + row + RING_SLOT_BYTES;
	// Until there is an index, every row is in the tail.
	const flat = (live: number) => ({ serving: slotsFor(live) * inTail, next: live * inTail, training: 0 });
	if (index.kind === "flat") return [flat(n)];
	const least = leastFor(index);
	if (n < least) return [flat(n)];
	const tailFor = (live: number) => {
		const rows = Math.min(live, tailRowsWithin(row, maxBytes));
		return tailBytes(row, rows) + rows * RING_SLOT_BYTES;
	};
	/** Learnt for so many, with room for what is dead: this is left out of a copy when it is there. */
	const held = (live: number, slots: number) => slots * beside(index) + indexBytes(index, slots, live, space, row);
	const training = (live: number) => trainingOf(estimateOf(index, live, space), { n: live, row, maxBytes }).bytes;
	const slots = slotsFor(n);
	const serving = slots * tables + held(n, slots) + tailFor(n);
	const copied = { serving, next: n * tables + held(n, slots) + tailFor(n), training: 0 };
	const learnt = { serving, next: n * tables + held(n, n) + tailFor(n), training: training(n) };
	const first = firstTailRows(index, row, maxBytes);
	const begun = Math.min(n, first);
	const built = {
		serving: Math.min(first, slotsFor(begun)) * inTail,
		next: begun * tables + held(begun, begun) + tailFor(begun),
		training: training(begun),
	};
	return [flat(least), built, copied, learnt];
}

/** Bytes beside an index that has so many slots. */
function beside(index: PlannedChoice): number {
	return index.kind === "hnsw" ? MARK_BYTES : 0;
}

/** The index itself, with so many slots, and what it works in. */
function indexBytes(
	index: Exclude<PlannedChoice, { kind: "flat" }>,
	slots: number,
	live: number,
	space: PlanSpace,
	row: number,
): number {
	const estimate = estimateOf(index, slots, space);
	if (index.kind === "hnsw") return estimate.total;
	if (index.storage !== "disk") return estimate.index + estimate.vectors;
	return estimate.index + Math.min(live * row, STAGED_BYTES) + Math.min(live, COMPARED_ROWS) * row;
}

/** Slots with those of them that are dead, before these are given up. */
function withDead(live: number, leastDead: number): number {
	return Math.max(live + leastDead, Math.ceil(live / (1 - DEAD_SHARE)));
}

/** Dead slots that are given up under a cap, where they are a share of all: fewer where rows are so wide that as many as ever would take much of it. */
export function leastDeadWithin(row: number, maxBytes: number): number {
	return Math.min(LEAST_DEAD, Math.max(LEAST_DEAD_WITHIN, Math.floor((maxBytes * LEAST_DEAD_BYTES_SHARE) / row)));
}

/** Whether they are within the cap, and in each generation within the memory that it has. */
export function isWithin(index: PlannedChoice, vectors: number, space: PlanSpace, maxBytes: number): boolean {
	return vectors <= mostInMemory(index, space) && neededFor(index, vectors, space, maxBytes).bytes <= maxBytes;
}

/** The most vectors that an index holds within a cap; by bisection, since no vector makes it take less. */
export function mostWithin(index: PlannedChoice, space: PlanSpace, maxBytes: number): number {
	let [most, beyond] = [0, mostInMemory(index, space) + 1];
	while (beyond - most > 1) {
		const n = Math.floor((most + beyond) / 2);
		if (isWithin(index, n, space, maxBytes)) most = n;
		else beyond = n;
	}
	return most;
}

/** The least cap within which an index holds so many vectors, where one memory does: the shares of tail and training grow less than the cap. */
export function leastCap(index: PlannedChoice, vectors: number, space: PlanSpace): number {
	let [below, cap] = [0, neededFor(index, vectors, space, Number.MAX_SAFE_INTEGER).bytes];
	while (cap - below > 1) {
		const middle = Math.floor((below + cap) / 2);
		if (neededFor(index, vectors, space, middle).bytes <= middle) cap = middle;
		else below = middle;
	}
	return cap;
}

/** Rows of the tail under a cap. */
export function tailRowsWithin(row: number, maxBytes: number): number {
	const share = Math.floor((maxBytes * TAIL_SHARE) / (tailBytes(row, 1) + RING_SLOT_BYTES));
	return Math.min(tailRows(row), Math.max(LEAST_TAIL_ROWS, share));
}

/** Rows of the tail as long as there is no index yet: as many as that is built from, and as many again that come while it is. */
export function firstTailRows(index: Exclude<PlannedChoice, { kind: "flat" }>, row: number, maxBytes?: number): number {
	const rows = maxBytes === undefined ? tailRows(row) : tailRowsWithin(row, maxBytes);
	return Math.max(rows, 2 * leastFor(index));
}

/** Vectors from which on there is an index. */
function leastFor(index: Exclude<PlannedChoice, { kind: "flat" }>): number {
	return index.kind === "hnsw" ? LEAST_GRAPH : leastForCells(index);
}

/** The most vectors that one memory holds with an index. */
export function mostInMemory(index: PlannedChoice, space: PlanSpace): number {
	return mostRecords(rowOf(space), isOnDisk(index));
}

function rowOf(space: PlanSpace): number {
	return rowBytes(vectorBytes(space));
}

/** An index of so many vectors as the database makes it, by the formulas of its layout. */
export function estimateOf(
	index: Exclude<PlannedChoice, { kind: "flat" }>,
	n: number,
	space: PlanSpace,
): MemoryEstimate {
	const { dimensions, metric } = space;
	const asBuilt =
		index.kind === "hnsw"
			? { codes: dimensions < LEAST_CODED_DIMENSIONS ? "none" : "auto" }
			: // Cells are chosen for twice the vectors that there are.
				{ capacity: Math.min(2 * n, 2 ** 32 - 1) };
	return estimateMemory({ ...index, ...asBuilt, n, dimensions, metric } as EstimateOptions);
}

/** Rows that are gathered for a training, and all that it works in, which is given back when the generation is. */
function trainingOf(
	{ settings, dimensions }: MemoryEstimate,
	{ n, row, maxBytes }: { readonly n: number; readonly row: number; readonly maxBytes: number },
) {
	const { nlist = 0, width = dimensions, bits = 0 } = settings as Readonly<Record<string, number>>;
	const forCodes = settings.M === undefined ? 0 : ROWS_PER_ENTRY * 2 ** bits;
	const forAxes = settings.rotation === undefined ? 0 : AXES_ROWS;
	const drawn = Math.max(nlist * ROWS_PER_CELL, forCodes);
	// As floats without padding, where that is another copy.
	const gathered = row + (row === 4 * dimensions ? 0 : 4 * dimensions);
	const projected = rowBytes(4 * width);
	const inShare = Math.floor((maxBytes * TRAINING_SHARE) / (gathered + projected + TRAINED_BYTES));
	const least = Math.max(nlist, 2 ** bits) * LEAST_POINTS_PER_CENTROID;
	const rows = Math.min(n, TRAINING_VECTORS, Math.max(drawn, forAxes), Math.max(least, inShare));
	const axes = Math.min(rows, forAxes) * row + (forAxes === 0 ? 0 : 2 * dimensions * projected);
	const sample = Math.min(rows, drawn) * (projected + TRAINED_BYTES) + 2 * nlist * projected;
	const parts = Math.min(rows, forCodes) * (2 * projected + TRAINED_BYTES);
	return { rows, bytes: rows * gathered + axes + sample + parts };
}
