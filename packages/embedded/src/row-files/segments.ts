import { BLOCK_BYTES } from "../snapshot/layout.ts";
import { keyOfRowFile } from "./folder.ts";

/** Rows of consecutive slots in one file, which one session has appended to: plain data, as a snapshot's header names them. */
export interface RowSegment {
	/** Name of the file, without its folder. */
	readonly file: string;
	/** Slot of its first row. */
	readonly from: number;
	/** Rows that belong to the generation. The file may have more, of a session that did not come to save them. */
	readonly rows: number;
}

/** A segment and where its file is. */
export interface PlacedSegment extends RowSegment {
	/** Where it is not in the folder of the others: rows of a process that only reads (see scratch.ts). Never in a header. */
	readonly folder?: string;
}

/** Files of one generation. Each is a handle in every thread that reads it. */
export const MOST_SEGMENTS = 1_024;
/** Slots are u32. */
const MOST_ROWS = 2 ** 32;

/**
 * The segments that a snapshot's header names; nothing in it is trusted.
 *
 * @param key Of the collection that the files have to be of. Left out: only of one and the same.
 * @returns Their known fields, or what is wrong, as it goes into "the header ...".
 */
export function checkSegments(value: unknown, key?: number): RowSegment[] | string {
	if (!Array.isArray(value)) return `has ${shown(value)} as segments; it must be an array`;
	if (value.length > MOST_SEGMENTS) return `has ${value.length} segments; ${MOST_SEGMENTS} is the most`;
	const names = new Set<string>();
	let end = 0;
	let ofKey = key;
	for (const [at, segment] of value.entries()) {
		const field = `segments[${at}]`;
		if (typeof segment !== "object" || segment === null)
			return `has ${shown(segment)} as ${field}; it must be an object`;
		const { file, from, rows } = segment as Record<string, unknown>;
		const fileKey = typeof file === "string" ? keyOfRowFile(file) : undefined;
		if (fileKey === undefined) return `has ${shown(file)} as ${field}.file; it must be the name of a row file`;
		ofKey ??= fileKey;
		if (fileKey !== ofKey) return `has ${shown(file)} as ${field}.file; it must be of collection ${ofKey}`;
		if (names.has(file as string)) return `has two segments of ${shown(file)}`;
		names.add(file as string);
		if (from !== end) return `has ${shown(from)} as ${field}.from; it must be ${end}, the end of those before`;
		if (!Number.isSafeInteger(rows) || (rows as number) < 0) {
			return `has ${shown(rows)} as ${field}.rows; it must be a whole number`;
		}
		end += rows as number;
		if (end > MOST_ROWS) return `has ${end} rows in its segments; ${MOST_ROWS} is the most`;
	}
	return (value as RowSegment[]).map(({ file, from, rows }) => ({ file, from, rows }));
}

/** The slot after the last. */
export function endOf(segments: readonly RowSegment[]): number {
	const last = segments.at(-1);
	return last === undefined ? 0 : last.from + last.rows;
}

/** How many checksums a segment has: one for each MiB of its rows that was begun. */
export function checksumsOf({ rows }: Pick<RowSegment, "rows">, rowBytes: number): number {
	return Math.ceil((rows * rowBytes) / BLOCK_BYTES);
}

function shown(value: unknown): string {
	if (typeof value === "bigint") return `${value}n`;
	return String(JSON.stringify(value)).slice(0, 80);
}
