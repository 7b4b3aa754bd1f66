import type { FilterNode } from "@nigh/contract";
import type { SelectivityBand } from "@nigh/recall";

/** A query as it was searched for. */
export interface LoggedQuery {
	readonly vector: Float32Array | Uint8Array;
	/** The k of the search; of a leg of a hybrid search, the leg's. */
	readonly k: number;
	readonly node: FilterNode | undefined;
	/** Share of the records that the filter matched; `undefined` without one. */
	readonly share: number | undefined;
	/** Of the grid. */
	readonly target: number;
}

/** A query that is to be kept, and where: the draw is one for each band of k that the search was held to. */
export interface DrawnQuery extends LoggedQuery {
	readonly bands: readonly number[];
}

/** A query that was kept, of one band of k and of selectivity. */
export interface SampledQuery {
	readonly vector: Float32Array | Uint8Array;
	readonly k: number;
	readonly band: SelectivityBand;
	readonly node: FilterNode | undefined;
}

/** A search that is to be compared with the exact answer. */
export interface Audit extends LoggedQuery {
	/** The band of k that it was held to. */
	readonly band: number;
	/** The certification whose certificate has served it. */
	readonly process: string;
	/** Distances of its hits. */
	readonly distances: readonly number[];
	/** The generation and the state that were searched. */
	readonly generation: number;
	readonly change: number;
}
