import { BOUNDS, checkBound, checkId, type Id } from "@nigh/contract";
import { Slices } from "../workers/slices.ts";

/** Ids that are checked before other work of the thread gets its turn. */
const AT_ONCE = 512;

/**
 * Checks the ids of one call. Where they are many, in turns, and a copy is made: what the caller does to its array then does not reach the call.
 *
 * @throws NighError `INVALID_OPTION` for too many, and `INVALID_RECORD` naming the row, which may be a hole.
 */
export function checkIds(ids: readonly Id[]): readonly Id[] | Promise<readonly Id[]> {
	checkBound("ids", ids.length, BOUNDS.recordsPerCall);
	if (ids.length > AT_ONCE) return checkMany(ids.slice());
	checkRange(ids, 0, ids.length);
	return ids;
}

async function checkMany(ids: readonly Id[]): Promise<readonly Id[]> {
	const slices = new Slices();
	for (let from = 0; from < ids.length; from += AT_ONCE) {
		await slices.pause();
		checkRange(ids, from, Math.min(ids.length, from + AT_ONCE));
	}
	return ids;
}

/** By number: `forEach` and `map` pass over holes. */
function checkRange(ids: readonly Id[], from: number, to: number): void {
	for (let row = from; row < to; row++) checkId(ids[row], { row });
}
