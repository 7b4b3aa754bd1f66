import type { CellKind, IndexSettings } from "@nigh/contract";
import {
	createHnsw,
	createIvf,
	HnswIndex,
	type HnswOptions,
	type IvfIndex,
	type ManyOptions,
	PQ_PROFILES,
} from "@nigh/index";
import type { Arena } from "@nigh/kernels";
import type { VectorFormat } from "../memory/generation.ts";
import type { MainSpec } from "../memory/main-search.ts";
import { type IndexChoice, isOnDisk } from "../records/catalogue.ts";
import { GRAPH_FROM, LEAST_CELLS, LEAST_GRAPH } from "./parameters.ts";

/** A graph that a generation is to have. */
export interface GraphWanted {
	readonly kind: "hnsw";
	readonly M?: number;
	readonly efConstruction?: number;
}

/** Cells that a generation is to have. */
export type CellsWanted = Extract<IndexSettings, { readonly kind: CellKind }>;

/** The main index that a generation is to have; `null`: none, everything stays in the tail and is compared. */
export type MainIndex = GraphWanted | CellsWanted | null;

/** The main index that a generation has. */
export type Main = HnswIndex | IvfIndex;

/** The main index for so many records under a choice. */
export function mainIndexFor(choice: IndexChoice, records: number): MainIndex {
	switch (choice.kind) {
		case "flat":
			return null;
		case "auto":
			return records < GRAPH_FROM ? null : graphParameters(choice);
		case "hnsw":
			return records < LEAST_GRAPH ? null : graphParameters(choice);
		default:
			return records < leastForCells(choice) ? null : choice;
	}
}

/** Those that were asked for, for the graph that there is or will be. */
export function graphParameters(choice: IndexChoice): GraphWanted {
	const { M, efConstruction } = choice as { M?: number; efConstruction?: number };
	return { kind: "hnsw", ...(M !== undefined && { M }), ...(efConstruction !== undefined && { efConstruction }) };
}

/** Vectors that a centroid, or an entry of a codebook, is trained on at least. */
const VECTORS_PER_CENTROID = 39;

/** Records from which on cells can be trained: until then the tail, which is compared by its codes, serves. */
export function leastForCells(wanted: CellsWanted): number {
	const profile = wanted.kind === "ivfpq" && wanted.profile !== undefined ? PQ_PROFILES[wanted.profile] : undefined;
	const nlist = wanted.nlist ?? profile?.nlist;
	const bits = wanted.kind === "ivfpq" ? (wanted.bits ?? profile?.bits ?? 4) : 0;
	return Math.max(
		LEAST_CELLS,
		typeof nlist === "number" ? VECTORS_PER_CENTROID * nlist : 0,
		bits === 0 ? 0 : VECTORS_PER_CENTROID * 2 ** bits,
	);
}

/**
 * Below this, vectors are walked by themselves: a code has one step for all dimensions, and where few dimensions spread over a wide range, many
 * neighbours share one.
 */
export const LEAST_CODED_DIMENSIONS = 32;

/** An empty main index; of cells, one that has to be trained. */
export function createMain(
	arena: Arena,
	{ metric, dimensions, weights }: VectorFormat,
	wanted: Exclude<MainIndex, null>,
): Main {
	const shape = { arena, metric, dimensions, ...(weights !== null && { weights }) };
	if (wanted.kind !== "hnsw") return createIvf({ ...shape, ...wanted });
	const { kind: _, ...parameters } = wanted;
	const codes: HnswOptions["codes"] = dimensions < LEAST_CODED_DIMENSIONS ? "none" : "auto";
	return createHnsw({ ...shape, codes, ...parameters });
}

/** What a reading thread is told of the main index; `many` gives it room for many queries at once. */
export function mainSpec(main: Main | undefined, options: { readonly many?: ManyOptions } = {}): MainSpec | null {
	if (main === undefined) return null;
	if (main instanceof HnswIndex) return { kind: "hnsw", reader: main.readerSpec(options) };
	return { kind: main.kind, reader: main.readerSpec(options) };
}

/** What there is, as far as its memory depends on it. */
export function choiceOf(main: Main): Exclude<MainIndex, null> {
	const { M, bits } = main.effective() as { readonly M?: number; readonly bits?: number };
	if (main.kind === "hnsw") return { kind: "hnsw", ...(M !== undefined && { M }) };
	const storage = isOnDisk(main) ? ("disk" as const) : ("memory" as const);
	if (main.kind === "ivfrabitq") return { kind: main.kind, storage, ...(bits !== undefined && { bits }) };
	return { kind: main.kind, storage };
}

/** Whether there is another index than the one that is wanted. */
export function isOtherKind(main: Main | undefined, wanted: MainIndex): boolean {
	if (main === undefined || wanted === null) return false;
	return main.kind !== wanted.kind || isOnDisk(main) !== isOnDisk(wanted);
}
