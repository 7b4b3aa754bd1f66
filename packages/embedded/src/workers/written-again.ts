import { type Owned, rowsOf } from "./next-generation.ts";

/** Slots that are looked at, and rows that are compared, between two steps. */
const SLOTS_AT_ONCE = 16_384;
const ROWS_AT_ONCE = 1_024;

/**
 * Those of some slots of the tail whose vectors the index does not have already. Who writes a record again with the vector that it had leaves the old one in
 * the index until it is built or copied: it is no answer, but its links lead to just what is asked for.
 *
 * @param between Called between two steps: other work may be done there. What it throws ends the look.
 */
export async function withoutWrittenAgain(
	owned: Owned,
	slots: Uint32Array,
	between: () => Promise<void>,
): Promise<Uint32Array> {
	const { generation } = owned;
	const { mainEnd } = generation;
	const byId = new Map(Array.from(slots, (slot) => [generation.idOf(slot), slot]));
	const pairs: (readonly [dead: number, slot: number])[] = [];
	for (let dead = 0; dead < mainEnd; dead++) {
		if (dead % SLOTS_AT_ONCE === SLOTS_AT_ONCE - 1) await between();
		if (!generation.isDeleted(dead)) continue;
		const slot = byId.get(generation.idOf(dead));
		if (slot !== undefined) pairs.push([dead, slot]);
	}
	if (pairs.length === 0) return slots;
	const { rowBytes } = generation.size;
	const again = new Set<number>();
	for (let from = 0; from < pairs.length; from += ROWS_AT_ONCE) {
		await between();
		const some = pairs.slice(from, from + ROWS_AT_ONCE);
		// Rows on disk are read in their order.
		const before = rowsOf(
			owned,
			Uint32Array.from(some, ([dead]) => dead),
		);
		const now = rowsOf(
			owned,
			Uint32Array.from(some, ([, slot]) => slot),
		);
		for (const [i, [, slot]] of some.entries()) {
			const at = i * rowBytes;
			if (Buffer.compare(before.subarray(at, at + rowBytes), now.subarray(at, at + rowBytes)) === 0) again.add(slot);
		}
	}
	return slots.filter((slot) => !again.has(slot));
}
