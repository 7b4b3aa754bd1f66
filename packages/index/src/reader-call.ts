import { NighError } from "@nigh/contract";
import type { ArenaView } from "./arena-view.ts";
import { aborted, type Eligibility } from "./eligibility.ts";

/** What every call of a reader may be told. */
export interface ReaderScanOptions {
	/** What may be answered. Default: everything. */
	readonly eligibility?: Eligibility | undefined;
	/** Address of a word of the shared memory that ends the search with `ABORTED` when it is not 0. */
	readonly abort?: number | undefined;
}

/** @throws NighError `ABORTED` where the word at an address says so. */
export function checkAbortWord(arena: ArenaView, abort: number | undefined): void {
	if (abort !== undefined && abort !== 0 && Atomics.load(arena.i32(abort, 1), 0) !== 0) throw aborted();
}

/** The error of a scan that goes on after another search of its reader. */
export function interrupted(): NighError {
	return new NighError(
		"LOCKED",
		"another search of this reader has begun since: open a reader for each that runs at a time",
	);
}
