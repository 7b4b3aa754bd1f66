import { NighError } from "@nigh/contract";
import { ArenaFullError, CELL_ROWS } from "@nigh/kernels";
import type { InvertedFile } from "./inverted-file.ts";

/** @throws NighError `COLLECTION_FULL` where so many more rows are more than were allowed when the file was created. */
export function checkRoom({ parameters: { maxElements }, size }: InvertedFile, more: number): void {
	if (maxElements === undefined || size + more <= maxElements) return;
	throw new NighError(
		"COLLECTION_FULL",
		`the index holds ${size} vectors and may hold ${maxElements}: ${more} more do not fit. Remove some or create it with a larger maxElements.`,
		{ size, bound: maxElements },
	);
}

/**
 * Runs what takes memory for a file to grow.
 *
 * @param wanted Rows, or blocks, that there is to be room for.
 * @throws NighError `MEMORY_LIMIT` where the arena ends.
 */
export function growing<T>(file: InvertedFile, wanted: number, take: () => T): T {
	try {
		return take();
	} catch (cause) {
		if (!(cause instanceof ArenaFullError)) throw cause;
		const { size } = file;
		const { maxBytes } = file.arena;
		const bytesPerVector = bytesPerRow(file);
		throw new NighError(
			"MEMORY_LIMIT",
			`the index holds ${size} vectors and cannot grow: one takes about ${bytesPerVector} bytes and the arena ends at ${maxBytes}. Use several indexes or fewer dimensions.`,
			{ size, wanted, bytesPerVector, maxBytes },
			{ cause },
		);
	}
}

/** Bytes that a row takes: itself where it is kept, its codes, its place in a block that is full, its label and the way back. */
function bytesPerRow({ isOnDisk, rows, scalar, codeStride, cells }: InvertedFile): number {
	const codes = scalar === undefined ? 0 : codeStride + 8;
	return (isOnDisk ? 0 : rows.bytes) + codes + cells.blockStride / CELL_ROWS + 4 + 8;
}
