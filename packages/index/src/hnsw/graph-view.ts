import type { SCRATCH } from "@nigh/kernels";
import type { ArenaView } from "../arena-view.ts";
import type { RowCoder } from "../rows/row-coder.ts";
import type { RowWriter } from "../rows/row-writer.ts";
import type { HnswParameters } from "./parameters.ts";

/** What a search reads of a graph: that of its owner, or the same seen from another thread. The layout is drawn at `HnswGraph`. */
export interface GraphView {
	readonly arena: ArenaView;
	/** Address of the graph struct. */
	readonly address: number;
	readonly rows: RowWriter;
	/** `undefined` where the graph is searched by exact keys. */
	readonly codes: RowCoder | undefined;
	readonly parameters: Pick<HnswParameters, "ef">;
	readonly payload: number;
	readonly payloadBytes: number;
	readonly blocks: number;
	readonly blockStride: number;
	readonly vectors: number;
	readonly vectorStride: number;
	/** The level of every place; `FREE_LEVEL` where there is no node. */
	levels(): Uint8Array;
}

/** The working memory of one search at a time. */
export interface SearchScratch {
	readonly address: number;
	readonly query: number;
	readonly queryCode: number;
	readonly eligibility: number;
	/** Nodes the lists hold. */
	readonly room: number;
	get(field: keyof typeof SCRATCH): number;
	set(field: keyof typeof SCRATCH, value: number): void;
}
