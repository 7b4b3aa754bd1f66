import type { WriteStatements } from "./write-statements.ts";

/** Takes away the vector of a label, which is never used again, and leaves a tombstone. The record and its words are the caller's. */
export function bury(statements: WriteStatements, label: number, change: number): void {
	statements.deleteVector.run(label);
	statements.insertTombstone.run(change, label);
}

/**
 * Gives up the tombstones up to and including that change, and notes the last that has gone: who has not seen it yet is to know that it is
 * missing. Returns how many there were.
 */
export function giveUpTombstones(statements: WriteStatements, throughChange: number): number {
	statements.noteReclaimed.run(throughChange, statements.key);
	return Number(statements.deleteTombstones.run(throughChange).changes);
}
