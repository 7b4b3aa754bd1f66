import { checkInteger, checkOptions, NighError } from "@nigh/contract";
import type { InsertManyOptions, ParallelSearchOptions, SearchOptions } from "./vector-index.ts";

const SEARCH_NAMES = ["ef", "patience", "allow", "exact", "abort"] as const satisfies readonly (keyof SearchOptions)[];
const INSERT_NAMES = [
	"labels",
	"parallel",
	"onProgress",
	"signal",
	"stored",
	"together",
] as const satisfies readonly (keyof InsertManyOptions)[];

/** Vectors that are linked at a time. */
const TOGETHER = { min: 1, max: 65_536 } as const;

/** @throws NighError `INVALID_OPTION` for a name that no search reads. */
export function checkSearchOptions(options: SearchOptions): void {
	checkOptions(options, SEARCH_NAMES, "search");
	checkFlag("exact", options.exact);
}

/**
 * `instead` says how the index is searched.
 *
 * @throws NighError `INVALID_OPTION` for what only a walk over a graph reads.
 */
export function refuseWalkOptions({ ef, patience }: SearchOptions, instead: string): void {
	if (ef !== undefined) throw notWalked("ef", `ef is the beam width of HNSW; ${instead}: leave it out`);
	if (patience !== undefined) throw notWalked("patience", `patience ends a walk of HNSW; ${instead}: leave it out`);
}

function notWalked(field: string, message: string): NighError {
	return new NighError("INVALID_OPTION", message, { field });
}

/** @throws NighError `INVALID_OPTION` for a name that `searchParallel` does not read. */
export function checkParallelSearchOptions(options: ParallelSearchOptions): void {
	checkOptions(options, [...SEARCH_NAMES, "parallel"], "searchParallel");
	checkFlag("exact", options.exact);
}

/** @throws NighError `INVALID_OPTION` for a name that `insertMany` does not read. */
export function checkInsertOptions(options: InsertManyOptions): void {
	checkOptions(options, INSERT_NAMES, "insertMany");
	checkFlag("stored", options.stored);
	if (options.together !== undefined) checkInteger("together", options.together, TOGETHER);
}

/** @throws NighError `INVALID_OPTION` for what is given and neither true nor false: anything else would count as one of them in silence. */
export function checkFlag(field: string, value: unknown): void {
	if (value === undefined || typeof value === "boolean") return;
	throw new NighError("INVALID_OPTION", `${field} is true or false, not ${JSON.stringify(value)}`, { field, value });
}
