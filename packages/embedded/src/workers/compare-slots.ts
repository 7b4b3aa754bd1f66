import { CLOCK_TOLERANCE_MS } from "../memory/generation.ts";
import type { RecordReader } from "../records/reader.ts";
import type { SlotComparison } from "./messages.ts";
import type { WrittenCollection } from "./written-collection.ts";

/** Labels that are read at a time. */
const CHUNK = 8_192;

class Differences {
	count = 0;
	first = -1;

	add(label: number): void {
		if (this.count++ === 0) this.first = label;
	}
}

/**
 * Whether every record has a live slot and every live slot a record. Both are ascending by label, so one pass tells. Records that have
 * expired may or may not have one: their slots go at once, they themselves with the next write.
 *
 * @param now ms since 1970.
 * @returns `undefined` where another process has written since: what is in memory does not know of it yet.
 */
export function compareSlots(
	reader: RecordReader,
	{ key, change, generation }: WrittenCollection,
	now: number,
): SlotComparison | undefined {
	// The clock may have gone back since somebody has looked.
	generation?.expire(now);
	return reader.atOnce(() => {
		if (reader.state(key).change !== change) return undefined;
		const missing = new Differences();
		const stray = new Differences();
		const end = generation?.slotEnd ?? 0;
		const labelOf = (slot: number) => generation?.labels[slot] as number;
		const isLive = (slot: number) => generation?.died[slot] === Number.POSITIVE_INFINITY;
		let slot = 0;
		const passUpTo = (label: number) => {
			for (; slot < end && labelOf(slot) < label; slot++) if (isLive(slot)) stray.add(labelOf(slot));
		};
		for (let from = 0; ; ) {
			const { labels, expiresAt } = reader.labels(key, from, CHUNK);
			labels.forEach((label, i) => {
				passUpTo(label);
				const isThere = slot < end && labelOf(slot) === label;
				const hasSlot = isThere && isLive(slot);
				// What has expired at the latest moment that any thread has seen may be out of sight a little longer.
				const isHidden = isThere && generation?.died[slot] === 0;
				if (!hasSlot && (expiresAt[i] as number) > (isHidden ? now + CLOCK_TOLERANCE_MS : now)) missing.add(label);
				if (isThere) slot++;
			});
			if (labels.length < CHUNK) break;
			from = (labels[labels.length - 1] as number) + 1;
		}
		passUpTo(Number.POSITIVE_INFINITY);
		const plain = ({ count, first }: Differences) => ({ count, first });
		return { missing: plain(missing), stray: plain(stray) };
	});
}
