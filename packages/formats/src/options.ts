import { checkInteger, checkOptions } from "@nigh/contract";
import { BATCH_BYTES, type DefaultedBound, LIMIT } from "./parameters.ts";

/** What every reader takes. A value outside its bound, or an option that the format does not have, is `INVALID_OPTION`. */
export interface ReadOptions {
	/** Stop after so many rows, 1 or more; what follows in the file is neither read nor checked. Default: all rows. */
	readonly limit?: number;
	/**
	 * Bytes of values in a batch, 1 to 268,435,456; a batch has one row at least. Default 1,048,576. Larger batches need more
	 * memory; the rows are the same.
	 */
	readonly batchBytes?: number;
	/** Ends the reading with `ABORTED`, even while the source does not answer. */
	readonly signal?: AbortSignal;
}

/** {@link ReadOptions} with the defaults filled in. */
export interface ReadLimits {
	readonly limit: number;
	readonly batchBytes: number;
}

const READ_OPTIONS = ["limit", "batchBytes", "signal"] as const;

/** Checks the options that every reader has, and that there is none but those and `more`. */
export function readLimits(where: string, options: ReadOptions, more: readonly string[] = []): ReadLimits {
	checkOptions(options, [...READ_OPTIONS, ...more], where);
	return {
		limit: integerOption("limit", options.limit, LIMIT),
		batchBytes: integerOption("batchBytes", options.batchBytes, BATCH_BYTES),
	};
}

/** The value of an option, or its default where it is left out. */
export function integerOption(field: string, value: unknown, bound: DefaultedBound): number {
	return value === undefined ? bound.default : checkInteger(field, value, bound);
}
