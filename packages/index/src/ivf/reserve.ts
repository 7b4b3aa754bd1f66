import { CELL, CELL_ROWS } from "@nigh/kernels";
import type { Label } from "../vector-index.ts";
import type { InvertedFile } from "./inverted-file.ts";

const ENTRY_WORDS = CELL.bytes / 4;

/** How full the last blocks of cells are, and so how many blocks more rows may begin. */
export class CellSlack {
	/** By free rows in the last block, 0 where that is full or there is none: cells. */
	readonly #cells = new Uint32Array(CELL_ROWS);
	/** Rows in cells that have not been removed. */
	readonly placed: number;

	/** @param table Words of the cell table. */
	constructor(table: Uint32Array, nlist: number) {
		let placed = 0;
		for (let cell = 0, at = 0; cell < nlist; cell++, at += ENTRY_WORDS) {
			const rows = table[at + CELL.rows / 4] as number;
			placed += rows - (table[at + CELL.removed / 4] as number);
			// Blocks before the last are full.
			const free = (CELL_ROWS - (rows % CELL_ROWS)) % CELL_ROWS;
			this.#cells[free] = (this.#cells[free] as number) + 1;
		}
		this.placed = placed;
	}

	/** The most blocks that so many more rows begin, however they fall into cells: they fill up those with the least room first. */
	blocksFor(rows: number): number {
		let blocks = 0;
		let left = Math.max(0, rows);
		for (let free = 0; free < CELL_ROWS; free++) {
			const cells = this.#cells[free] as number;
			const begun = Math.min(cells, Math.floor(left / (free + 1)));
			blocks += begun;
			left -= begun * (free + 1);
			if (begun < cells) return blocks;
		}
		return blocks + Math.floor(left / CELL_ROWS);
	}

	/** Rows that begin no more than so many blocks, however they fall into cells. */
	rowsWithin(blocks: number): number {
		let rows = 0;
		let left = blocks + 1;
		for (let free = 0; free < CELL_ROWS; free++) {
			const begun = Math.min(left, this.#cells[free] as number);
			rows += begun * (free + 1);
			left -= begun;
			if (left === 0) return rows - 1;
		}
		return rows + left * CELL_ROWS - 1;
	}
}

/** Takes the memory for so many rows in all, exactly; also where free places are not to be used again, as beside readers. */
export function reserveRows(file: InvertedFile, rows: number): void {
	file.reserve(rows, true, rows + file.freePlaces.length);
}

/** Rows that can be inserted before something must move. */
export function roomOf(file: InvertedFile): number {
	const places = placesLeft(file);
	return file.learnt === undefined ? places : Math.min(places, file.slack().rowsWithin(blocksLeft(file)));
}

/** Whether inserting these labels, which must be different ones, moves or uses again nothing that readers read. */
export function fits(file: InvertedFile, labels: Iterable<Label>): boolean {
	const { isHeld } = file.sharing;
	let rows = 0;
	for (const label of labels) {
		if (file.table.get(label) !== undefined) return false;
		if (isHeld && !file.sharing.covers(label)) return false;
		rows++;
	}
	return rows <= roomOf(file);
}

/** Whether so many new rows go behind those that there are, so that a reader that is opened meanwhile misses nothing and is not disturbed. */
export function goesBehind(file: InvertedFile, rows: number): boolean {
	return rows <= file.capacity - file.slots;
}

/** A free place may still be looked at by a reader, who would see another row come to it. */
function placesLeft({ capacity, slots, freePlaces, reusesPlaces }: InvertedFile): number {
	return capacity - slots + (reusesPlaces ? freePlaces.length : 0);
}

function blocksLeft({ blockCapacity, blocksUsed, freeBlocks }: InvertedFile): number {
	return blockCapacity - blocksUsed + freeBlocks.length;
}
