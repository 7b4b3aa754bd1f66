/** What the error of one certificate is split for. */
export interface DeltaOptions {
	/** 1 - delta as it was asked for, 0.5 to 0.9999. */
	readonly confidence: number;
	/** Cells that are to hold all together (family-wise, by Bonferroni): a whole number, default 1. */
	readonly cells?: number;
	/** Indexes in a row that were built because the one before had not kept the target: a whole number, default 0. */
	readonly rebuilds?: number;
}

/**
 * How likely one certificate may be wrong. Over a family of B cells each has delta / B. Who builds an index anew until one passes would have one
 * that passes by chance some time: the r-th such rebuild is tested at delta / 2^r, so that all attempts together err with probability below
 * 2 delta, however many there are.
 */
export function deltaOf({ confidence, cells = 1, rebuilds = 0 }: DeltaOptions): number {
	return (1 - confidence) / cells / 2 ** rebuilds;
}
