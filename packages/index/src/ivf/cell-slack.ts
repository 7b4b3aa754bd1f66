import { CELL, CELL_ROWS } from "@nigh/kernels";

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
