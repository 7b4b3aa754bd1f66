import { NighError } from "@nigh/contract";
import { codeStride } from "@nigh/index";
import { MAX_ARENA_BYTES } from "@nigh/kernels";
import type { GenerationSize } from "./generation.ts";

/**
 * Bytes that the rows of a collection's tail may take. Memory that is not written to costs nothing, so it is taken at once; the more of it, the
 * longer a burst of writes can run ahead of the index before writers have to wait.
 */
export const TAIL_BYTES = 64 * 2 ** 20;
const LEAST_TAIL_ROWS = 16_384;
const MOST_TAIL_ROWS = 1_048_576;

/** Room for growing: a generation is made for so many times the records there are. */
const GROWTH = 2;
/** Bytes of an id that room is taken for, unless the ids there are tell otherwise. */
export const ID_BYTES = 40;
/** Bytes of a slot in the tables beside its id. */
export const SLOT_BYTES = 32;

/** What else a generation's memory has to hold: scratches, bitmaps, lists of nodes that are being linked. */
const OTHER_BYTES = 2 ** 27;
/** Links of a node on layer 0 and above, levels, labels, what three readers mark: 4 bytes each, for the default M. */
const GRAPH_BYTES = 244;

/** Place, label, the way back, and what codes have beside them, of a row whose vector is on disk. */
const CELL_BYTES = 64;

/** Bytes of memory for one more vector, without its id: the exact row (unless it is on disk), its code, the links of a graph, the tables. */
export function bytesPerSlot(rowBytes: number, isOnDisk = false): number {
	return SLOT_BYTES + codeBytes(rowBytes) + (isOnDisk ? CELL_BYTES : rowBytes + GRAPH_BYTES);
}

/** Records that one memory can hold at most. What is beyond is refused with `MEMORY_LIMIT`. */
export function mostRecords(rowBytes: number, isOnDisk = false): number {
	const slotBytes = bytesPerSlot(rowBytes, isOnDisk);
	return Math.floor((MAX_ARENA_BYTES - OTHER_BYTES - tailBytes(rowBytes)) / (slotBytes + ID_BYTES));
}

export interface SizeOptions {
	/** The main index leaves its rows on disk. Default: false. */
	readonly isOnDisk?: boolean;
	/** Rows that the tail may have room for. Default: as many as {@link TAIL_BYTES} hold. */
	readonly mostTailRows?: number;
}

/**
 * How large the next generation is made for so many records, whose ids have so many bytes in all.
 *
 * @throws NighError `MEMORY_LIMIT` where they do not fit into one memory: with long ids that are fewer than {@link mostRecords}.
 */
export function generationSize(
	records: number,
	idBytes: number,
	rowBytes: number,
	{ isOnDisk = false, mostTailRows = Number.POSITIVE_INFINITY }: SizeOptions = {},
): GenerationSize {
	const row = {
		rowBytes,
		slotBytes: bytesPerSlot(rowBytes, isOnDisk),
		ringRows: Math.min(tailRows(rowBytes), mostTailRows),
	};
	const perId = bytesPerId(records, idBytes);
	const capacity = capacityFor(records, perId, row, MAX_ARENA_BYTES);
	if (capacity < records) throw tooMany(records, capacity);
	return { capacity, idBytes: Math.max(capacity * perId, 2 ** 16), ...row };
}

function bytesPerId(records: number, idBytes: number): number {
	return records === 0 ? ID_BYTES : Math.max(ID_BYTES, Math.ceil((idBytes / records) * 1.25));
}

function capacityFor(
	records: number,
	perId: number,
	{ rowBytes, slotBytes, ringRows }: Pick<GenerationSize, "rowBytes" | "slotBytes" | "ringRows">,
	mostBytes: number,
): number {
	// Whatever the tail can hold may be added before the next generation is there.
	const wished = Math.max(ringRows, Math.ceil(records * GROWTH)) + ringRows;
	const most = Math.floor((mostBytes - OTHER_BYTES - tailBytes(rowBytes, ringRows)) / (slotBytes + perId));
	return Math.max(ringRows, Math.min(wished, most));
}

/** How full a generation is. */
export interface Fill {
	/** Slots that are filled, those of them that the next generation has too, and the bytes of all their ids. */
	readonly slots: number;
	readonly kept: number;
	readonly idBytes: number;
}

/**
 * Whether the next generation would leave twice the room that this one has left. Where this one is as large as a memory can be, only giving
 * up what was deleted does: copying all of it for less would never end.
 *
 * @param mostBytes What a memory can be at most.
 */
export function givesRoom(
	{ slots, kept, idBytes }: Fill,
	{ capacity, ...row }: GenerationSize,
	mostBytes: number = MAX_ARENA_BYTES,
): boolean {
	const left = capacity - slots;
	const next = capacityFor(kept, bytesPerId(slots, idBytes), row, mostBytes) - kept;
	return next > left && next >= left * 2;
}

/**
 * As {@link generationSize} for one that keeps everything in its tail.
 *
 * @param mostTailRows Rows that the tail may have room for, where what there is beyond waits for a main index. Default: as many as there are slots.
 */
export function flatSize(records: number, idBytes: number, rowBytes: number, mostTailRows?: number): GenerationSize {
	if (mostTailRows === undefined) {
		const size = generationSize(records, idBytes, rowBytes);
		return { ...size, ringRows: size.capacity };
	}
	const perId = bytesPerId(records, idBytes);
	// Beside the tail there are tables alone.
	const row = { rowBytes, slotBytes: SLOT_BYTES, ringRows: mostTailRows };
	const capacity = capacityFor(records, perId, row, MAX_ARENA_BYTES);
	if (capacity < records) throw tooMany(records, capacity);
	return { capacity, idBytes: Math.max(capacity * perId, 2 ** 16), ...row };
}

/** Rows of a tail that nothing makes smaller. */
export function tailRows(rowBytes: number): number {
	return Math.min(MOST_TAIL_ROWS, Math.max(LEAST_TAIL_ROWS, Math.floor(TAIL_BYTES / rowBytes)));
}

/** Bytes of the tail's rows, and of their codes with what stands behind each. */
export function tailBytes(rowBytes: number, rows: number = tailRows(rowBytes)): number {
	return rows * (rowBytes + codeStride(codeBytes(rowBytes)));
}

/** Bytes of a row's code: one a float, padded to 16. */
function codeBytes(rowBytes: number): number {
	return Math.ceil(rowBytes / 64) * 16;
}

function tooMany(records: number, most: number): NighError {
	return new NighError(
		"MEMORY_LIMIT",
		`one memory holds ${most} vectors of this length with ids as long as these, and the collection has ${records}: delete or prune some, or spread them over several collections.`,
		{ count: records, limit: most },
	);
}
