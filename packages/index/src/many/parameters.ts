import { BOUNDS } from "@nigh/contract";

/** What a reader may be asked of many queries at once. Both cost memory alone: a row and its codes a query, 8 bytes an answer of each. */
export const MANY_BOUNDS = {
	/** Queries that go over the vectors together. More: the codes of rows, which are made on the way, serve more of them. */
	queries: { min: 1, max: 1_024, integer: true, default: 256 },
	/** Answers of each. */
	k: { ...BOUNDS.k, default: 128 },
} as const;
