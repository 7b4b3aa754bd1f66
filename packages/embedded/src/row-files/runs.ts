/** Rows of one file that one read fetches. */
export interface Run {
	/** Of the segment, in the order of slots. */
	readonly segment: number;
	/** First slot. */
	readonly slot: number;
	/** Consecutive slots from there on. */
	readonly rows: number;
	/** What of the order belongs to it: as many as rows, or more where a slot was asked for more than once. */
	readonly begin: number;
	readonly end: number;
	/** Row of the output where the run goes as it is; `undefined`: its rows go to different places. */
	readonly place: number | undefined;
}

/** Which slots are read with which read, and where they go. */
export interface ReadPlan {
	readonly runs: readonly Run[];
	/** Places in the output, in the order of their slots. */
	readonly order: Uint32Array;
}

/** Slots at a time: slot and place have to fit into the 53 bits of a number. */
export const MOST_SLOTS = 2 ** 20;
/** Bytes of one read of rows that do not stand in the output as they do in the file: they are read to a memory of their own. */
const MOST_RUN_BYTES = 1 << 20;

/**
 * Joins consecutive slots into one read each, in the order of the slots, so that a disk goes one way.
 *
 * @param starts The first slot of every segment, ascending, from 0.
 */
export function planReads(slots: Uint32Array, starts: readonly number[], rowBytes: number): ReadPlan {
	const order = orderOf(slots);
	const mostRows = Math.max(1, Math.floor(MOST_RUN_BYTES / rowBytes));
	const runs: Run[] = [];
	let segment = 0;
	for (let begin = 0; begin < order.length; ) {
		const slot = slots[order[begin] as number] as number;
		while (segment + 1 < starts.length && (starts[segment + 1] as number) <= slot) segment++;
		const bound = Math.min(slot + mostRows, starts[segment + 1] ?? Number.POSITIVE_INFINITY);
		let [last, end] = [slot, begin + 1];
		while (end < order.length) {
			const next = slots[order[end] as number] as number;
			if (next > last + 1 || next >= bound) break;
			last = next;
			end++;
		}
		runs.push({ segment, slot, rows: last - slot + 1, begin, end, place: placeOf(order, begin, end, last - slot + 1) });
		begin = end;
	}
	return { runs, order };
}

/** Distributes the rows of a run that was read on its own to where they are wanted. */
export function scatter(rows: Uint8Array, run: Run, order: Uint32Array, slots: Uint32Array, into: Uint8Array): void {
	const rowBytes = rows.length / run.rows;
	for (let at = run.begin; at < run.end; at++) {
		const place = order[at] as number;
		const start = ((slots[place] as number) - run.slot) * rowBytes;
		into.set(rows.subarray(start, start + rowBytes), place * rowBytes);
	}
}

/** Sorting numbers that hold both slot and place is several times as fast as sorting places with a function that compares. */
function orderOf(slots: Uint32Array): Uint32Array {
	const keys = new Float64Array(slots.length);
	for (let place = 0; place < slots.length; place++) keys[place] = (slots[place] as number) * MOST_SLOTS + place;
	keys.sort();
	return Uint32Array.from(keys, (key) => key % MOST_SLOTS);
}

function placeOf(order: Uint32Array, begin: number, end: number, rows: number): number | undefined {
	if (end - begin !== rows) return undefined;
	const place = order[begin] as number;
	for (let at = begin + 1; at < end; at++) if (order[at] !== place + at - begin) return undefined;
	return place;
}
