import { CELL_BLOCK, CELL_ROWS } from "@nigh/kernels";
import type { InvertedFile } from "./inverted-file.ts";
import { growing } from "./limits.ts";
import { moveInPlace, NO_SOURCE } from "./move-in-place.ts";
import type { MoveRow } from "./move-row.ts";
import { renumber } from "./renumber.ts";

/** Rows by the places that they are to have: where each is now, and its cell. The places of a cell follow one another. */
export interface Arrangement {
	readonly places: Uint32Array;
	readonly cells: Uint32Array;
}

/**
 * Moves rows to new places and their codes within the blocks: place `i` gets what was in `places[i]`, in cell `cells[i]`. Those that are not
 * listed are given up. Where there is no room for what that works in, everything stays as it is.
 */
export function rearrange(file: InvertedFile, { places, cells }: Arrangement, move: MoveRow): void {
	const { arena } = file;
	const { blockStride } = file.cells;
	const { sources, cellOf } = packed(file, { places, cells });
	const spare = growing(file, 1, () => arena.alloc(blockStride - CELL_BLOCK.payload));
	try {
		// What it takes first is the most, and each later part fits where an earlier one was: it fails before anything has moved, or not at all.
		renumber(file, places);
		const unused: number[] = [];
		sources.forEach((source, to) => {
			if (source === NO_SOURCE) unused.push(to);
		});
		const at = (to: number) => ({ payload: file.cells.payloadOf(Math.floor(to / CELL_ROWS)), row: to % CELL_ROWS });
		const spareRow = { payload: spare, row: 0 };
		const terms = new Float32Array(file.nlist).fill(Number.POSITIVE_INFINITY);
		moveInPlace(sources, { at, spare: spareRow, move }, (to, term) => {
			const cell = cellOf[Math.floor(to / CELL_ROWS)] as number;
			if (term < (terms[cell] as number)) terms[cell] = term;
		});
		// As in a block that is begun, which later rows are written into.
		arena.u8(spare, blockStride - CELL_BLOCK.payload).fill(0);
		for (const to of unused) move(spareRow, at(to));
		for (let place = 0; place < places.length; place++) {
			const cell = cells[place] as number;
			const { block, row } = file.append(place, cell, true);
			file.publishRow(block, row, cell, terms[cell] as number);
		}
	} finally {
		arena.free(spare);
	}
}

/** Where the codes of places are, by where they are to be, block by block and cell by cell; and the cell of each block. */
function packed(
	file: InvertedFile,
	{ places, cells }: Arrangement,
): { readonly sources: Uint32Array; readonly cellOf: Uint32Array } {
	const { blocksUsed } = file.cells;
	const sources = new Uint32Array(blocksUsed * CELL_ROWS).fill(NO_SOURCE);
	const cellOf = new Uint32Array(blocksUsed);
	const where = file.where();
	let [blocks, row] = [0, CELL_ROWS];
	for (let i = 0; i < places.length; i++) {
		if (row === CELL_ROWS || cells[i] !== cells[i - 1]) {
			cellOf[blocks++] = cells[i] as number;
			row = 0;
		}
		sources[(blocks - 1) * CELL_ROWS + row++] = where[places[i] as number] as number;
	}
	return { sources: sources.subarray(0, blocks * CELL_ROWS), cellOf };
}
