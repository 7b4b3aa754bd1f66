import type { IndexProblem } from "./messages.ts";

/** A piece of background work on an index. */
export type Chore = "build" | "room" | "codes" | "train" | "dead" | "examine" | "fold" | "snapshot";

const FAULTS: Readonly<Record<Chore, string>> = {
	build: "the index could not be built; everything is compared instead",
	room: "no room could be made for more records",
	codes: "the codes could not be learnt anew; the old ones go on",
	train: "the cells could not be trained anew; the old ones go on",
	dead: "dead slots could not be given up",
	examine: "the recall of the index could not be asked by what it has not taken in",
	fold: "the tail could not be taken in; it is compared instead",
	snapshot: "the snapshot could not be written; opening will take longer",
};

/** What it means that a chore has failed. */
export function faultOf(chore: Chore, error: unknown): IndexProblem {
	const reason = error instanceof Error ? error.message : String(error);
	return { code: `${chore}-failed`, message: `${FAULTS[chore]}: ${reason}` };
}

/** The problem of rows on disk that are not as they were written. */
export const ROWS_DAMAGED = "rows-damaged";

/** The problem of an index that nobody can ask how good its answers are. */
export const UNEXAMINED = "recall-unexamined";

/** @param error What has kept the examiner from it. */
export function unexamined(error: unknown): IndexProblem {
	const reason = error instanceof Error ? error.message : String(error);
	return { code: UNEXAMINED, message: `the recall of the index is neither certified nor watched: ${reason}` };
}

export function damagedRows(error: unknown): IndexProblem {
	const reason = error instanceof Error ? error.message : String(error);
	const message = `rows of the index are damaged on disk; everything is built anew from the records: ${reason}`;
	return { code: ROWS_DAMAGED, message };
}
