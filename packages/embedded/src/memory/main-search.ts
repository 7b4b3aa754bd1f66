import type { CellKind } from "@nigh/contract";
import type { AttachedArena, IvfReaderSpec, ReaderSpec } from "@nigh/index";
import type { RowFiles } from "../row-files/read.ts";
import { CellSearch } from "./cell-search.ts";
import { DiskSearch } from "./disk-search.ts";
import { GraphSearch } from "./graph-search.ts";
import type { SlotQuery } from "./searcher.ts";

/** What a reading thread needs to search the main index of a generation. */
export type MainSpec =
	| { readonly kind: "hnsw"; readonly reader: ReaderSpec }
	| { readonly kind: CellKind; readonly reader: IvfReaderSpec };

/** How an answer was found. */
export type Way = "index" | "filtered-index" | "filtered-scan" | "scan";

/** Whether a search has compared everything that could be an answer. */
export function isExactWay(way: Way): boolean {
	return way === "scan" || way === "filtered-scan";
}

/** What there is in the main index while a search goes on. */
export interface MainState {
	/** Slots below this are in it. */
	readonly mainEnd: number;
	/** Of those: how many have died. */
	readonly dead: number;
	/** Which may be answered. */
	readonly eligibility: {
		readonly born: number;
		readonly died: number;
		readonly dated: number;
		readonly reader: number;
		readonly allow: { readonly address: number; readonly covered: number } | undefined;
	};
}

/** What a search was asked for and went by, as a plan tells it. */
export interface Widths {
	readonly ef?: number;
	readonly nprobe?: number;
	/** Candidates that were compared by their vectors; rows and cells that were scanned. */
	readonly rerank?: number;
	readonly rows?: number;
	readonly cells?: number;
}

/** What the cost of a search depends on. */
export type WidthAsked = Pick<SlotQuery, "k" | "matches" | "nprobe" | "breadth">;

/** Searches the main index of a generation, whatever its kind. The answers stay until the next search. */
export interface MainSearch {
	/** Searches in steps; returns by which way. Answers so far are right at every step. */
	search(query: SlotQuery, state: MainState): Generator<void, Way>;
	/** Bytes of so many slots that an approximate search would read to compare them one by one, about. */
	bytesOf(query: WidthAsked, mainEnd: number): number;
	/** Answers of the last search. */
	readonly count: number;
	slotAt(i: number): number;
	distanceAt(i: number): number;
	/** How wide the last search was. */
	readonly widths: Widths;
	/** The exact nearest of many queries in one pass, in steps; afterwards {@link foundOf} tells them. Only where the area has room for it. */
	scanMany(vectors: readonly SlotQuery["vector"][], k: number, state: MainState): Generator<void>;
	/** What the last pass has found for one of its queries: nearest first. */
	foundOf(i: number): { readonly slots: readonly number[]; readonly distances: readonly number[] };
}

/** Reads what a pass has found for one of its queries. */
export function manyFound(
	reader: {
		manyCount(i: number): number;
		manyLabelAt(i: number, j: number): number;
		manyDistanceAt(i: number, j: number): number;
	},
	i: number,
): { readonly slots: readonly number[]; readonly distances: readonly number[] } {
	const count = Array.from({ length: reader.manyCount(i) });
	return {
		slots: count.map((_, j) => reader.manyLabelAt(i, j)),
		distances: count.map((_, j) => reader.manyDistanceAt(i, j)),
	};
}

/** What searches the main index that a spec tells of; `files` has the rows that are not in the memory. */
export function openMain(arena: AttachedArena, { kind, reader }: MainSpec, files: RowFiles | undefined): MainSearch {
	if (kind === "hnsw") return new GraphSearch(arena, reader);
	if (files === undefined || reader.parameters.storage === "memory") return new CellSearch(arena, reader);
	return new DiskSearch(arena, reader, files);
}
