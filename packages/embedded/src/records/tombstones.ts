import type { WriteStatements } from "./write-statements.ts";

/** Takes away the vector of a label, which is never used again, and leaves a tombstone. The record and its words are the caller's. */
export function bury(statements: WriteStatements, label: number, change: number): void {
	statements.deleteVector.run(label);
	statements.insertTombstone.run(change, label);
}

/** Gives up the tombstones up to and including that change. Returns how many there were. */
export function giveUpTombstones(statements: WriteStatements, throughChange: number): number {
	return Number(statements.deleteTombstones.run(throughChange).changes);
}
