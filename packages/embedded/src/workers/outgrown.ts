import { isNighError, NighError } from "@nigh/contract";

/**
 * What a process that only reads is told where an index on disk would have to be laid out anew for it to go on: that takes a copy of all its
 * rows, which the process that writes makes for everybody.
 */
export function outgrown(name: string): NighError {
	return new NighError(
		"UNAVAILABLE",
		`the index of ${JSON.stringify(name)} has to be laid out anew on disk, which a process that only reads leaves to the one that writes: let that one call optimize() or close the collection, and refresh().`,
		{ outgrown: true },
	);
}

export function isOutgrown(error: unknown): boolean {
	return isNighError(error, "UNAVAILABLE") && error.details.outgrown === true;
}
