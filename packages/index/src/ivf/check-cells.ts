import { CELL, CELL_BLOCK, CELL_ROWS, NO_BLOCK, NO_PLACE, RABITQ_BLOCK } from "@nigh/kernels";
import { corrupt } from "../image.ts";
import type { InvertedFile } from "./inverted-file.ts";

/**
 * Follows the blocks of every cell of a file that was read: each chain must end where its cell says, no block be in two, and every row that has
 * a label be in exactly one of them. Notes where each row is, and which blocks are in no chain.
 */
export function checkCells(file: InvertedFile): void {
	const { arena, nlist } = file;
	const { tableAddress, leastTermsAddress, blocksUsed, freeBlocks } = file.cells;
	const entries = arena.u32(tableAddress, (nlist * CELL.bytes) / 4);
	const terms = arena.f32(leastTermsAddress, nlist);
	const walk = new Walk(file);
	for (let cell = 0; cell < nlist; cell++) {
		const least = terms[cell] as number;
		if (!Number.isFinite(least) && least !== Number.POSITIVE_INFINITY) throw corrupt(`cell ${cell} has no least term`);
		const at = (cell * CELL.bytes) / 4;
		const { last, rows, removed } = walk.follow(cell, entries[at + CELL.first / 4] as number, least);
		const isCounted =
			entries[at + CELL.last / 4] === last &&
			entries[at + CELL.rows / 4] === rows &&
			entries[at + CELL.removed / 4] === removed;
		if (!isCounted) throw corrupt(`cell ${cell} has not the rows that it counts`);
	}
	if (walk.placed !== file.size) throw corrupt("a row is in no cell");
	for (let block = blocksUsed - 1; block >= 0; block--) if (walk.taken[block] === 0) freeBlocks.push(block);
}

// What follows looks at every row of what may be millions: words of one view, no view or call for each.

class Walk {
	/** Whether a block has been come by. */
	readonly taken: Uint8Array;
	/** Rows with a label that have been come by. */
	placed = 0;
	readonly #file: InvertedFile;
	readonly #words: Uint32Array;
	readonly #floats: Float32Array;
	readonly #bytes: Uint8Array;
	readonly #labels: Uint32Array;
	readonly #where: Uint32Array;

	constructor(file: InvertedFile) {
		const { arena, slots } = file;
		const { blocksAddress, blocksUsed, blockStride } = file.cells;
		this.#file = file;
		this.taken = new Uint8Array(blocksUsed);
		this.#words = arena.u32(blocksAddress, (blocksUsed * blockStride) / 4);
		this.#floats = arena.f32(blocksAddress, (blocksUsed * blockStride) / 4);
		this.#bytes = arena.u8(blocksAddress, blocksUsed * blockStride);
		this.#labels = arena.u32(file.labelsAddress, slots);
		this.#where = arena.u32(file.whereAddress, slots);
		this.#where.fill(NO_PLACE);
	}

	/** Follows the blocks of a cell from the first on. Returns the last, how many rows there are, and how many of them have been removed. */
	follow(cell: number, first: number, least: number): { last: number; rows: number; removed: number } {
		const { blocksUsed, blockStride } = this.#file.cells;
		let last: number = NO_BLOCK;
		let rows = 0;
		let removed = 0;
		for (let block = first; block !== NO_BLOCK; ) {
			if (block >= blocksUsed) throw corrupt(`cell ${cell} leads to a block that is not there`);
			if (this.taken[block] !== 0) throw corrupt(`cell ${cell} leads to a block that has been come by before`);
			this.taken[block] = 1;
			const at = (block * blockStride) / 4;
			const count = this.#words[at + CELL_BLOCK.rows / 4] as number;
			if (this.#words[at + CELL_BLOCK.cell / 4] !== cell) throw corrupt(`a block of cell ${cell} is another cell's`);
			const next = this.#words[at + CELL_BLOCK.next / 4] as number;
			// Only the last is not full: what room cells have is told by their counts alone.
			if (count > CELL_ROWS || count < (next === NO_BLOCK ? 1 : CELL_ROWS)) {
				throw corrupt(`a block of cell ${cell} counts ${count} rows`);
			}
			removed += this.#checkPlaces(cell, block, count);
			this.#checkPayload(cell, at + CELL_BLOCK.payload / 4, count, least);
			rows += count;
			last = block;
			block = next;
		}
		return { last, rows, removed };
	}

	/** Returns how many rows of the block have been removed. */
	#checkPlaces(cell: number, block: number, rows: number): number {
		const { slots } = this.#file;
		const { blockStride } = this.#file.cells;
		const first = (block * blockStride + CELL_BLOCK.places) / 4;
		let removed = 0;
		for (let row = 0; row < CELL_ROWS; row++) {
			const place = this.#words[first + row] as number;
			if (place === NO_PLACE) {
				if (row < rows) removed++;
				continue;
			}
			if (row >= rows) throw corrupt(`a block of cell ${cell} has rows behind the last`);
			if (place >= slots || this.#labels[place] === NO_PLACE) throw corrupt(`cell ${cell} has a row that is not there`);
			if (this.#where[place] !== NO_PLACE) throw corrupt(`the row in place ${place} is in a cell twice`);
			this.#where[place] = block * CELL_ROWS + row;
			this.placed++;
		}
		return removed;
	}

	/** Terms and factors are numbers, and codes are of entries that there are. */
	#checkPayload(cell: number, at: number, rows: number, least: number): void {
		const { product, rabitq } = this.#file.learnt ?? {};
		if (rabitq !== undefined) {
			const { bits } = rabitq.codec.spec;
			const factors = bits === 1 ? RABITQ_BLOCK.factors : RABITQ_BLOCK.fineFactors;
			for (let factor = 0; factor < factors; factor++) {
				const from = at + rabitq.codec.rotatedDimensions + factor * CELL_ROWS;
				this.#checkNumbers(cell, from, rows, Number.NEGATIVE_INFINITY);
			}
		}
		if (product === undefined) return;
		const { subs, bits, hasTerms } = product;
		if (hasTerms) this.#checkNumbers(cell, at, rows, least);
		if (bits === 4) return;
		const entries = 2 ** bits;
		const codes = 4 * (at + (hasTerms ? CELL_ROWS : 0));
		for (let i = codes; i < codes + rows * subs; i++) {
			if ((this.#bytes[i] as number) >= entries) throw corrupt(`a code of cell ${cell} is of no entry`);
		}
	}

	#checkNumbers(cell: number, from: number, rows: number, least: number): void {
		for (let i = from; i < from + rows; i++) {
			const x = this.#floats[i] as number;
			if (!(Number.isFinite(x) && x >= least)) throw corrupt(`a row of cell ${cell} has a term that cannot be`);
		}
	}
}
