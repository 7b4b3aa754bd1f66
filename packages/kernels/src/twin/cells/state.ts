import { CELL, CELL_BLOCK, CELL_PROBE, CELL_SEARCH, CELLS, NO_BLOCK } from "../../layout.ts";
import type { Eligibility } from "../eligibility.ts";
import type { TwinMemory } from "../memory.ts";
import { place } from "../topk.ts";

/** A search over the cells of an inverted file, opened before each call. The structs are drawn in assembly/cells/state.ts. */
export class CellSearch {
	readonly m: TwinMemory;
	readonly eligible: Eligibility;
	#table = 0;
	#blocks = 0;
	#blockStride = 0;
	#labels = 0;
	#probes = 0;
	#count = 0;
	#next = 0;
	#budget = 0;
	#scanned = 0;
	#pool = 0;
	#size = 0;
	#room = 0;
	#abortAt = 0;

	constructor(eligible: Eligibility) {
		this.m = eligible.m;
		this.eligible = eligible;
	}

	open(cells: number, search: number): void {
		const { m } = this;
		this.#table = m.loadU32(cells + CELLS.table);
		this.#blocks = m.loadU32(cells + CELLS.blocks);
		this.#blockStride = m.loadU32(cells + CELLS.blockStride);
		this.#labels = m.loadU32(cells + CELLS.labels);
		this.#probes = m.loadU32(search + CELL_SEARCH.probes);
		this.#count = m.loadI32(search + CELL_SEARCH.count);
		this.#next = m.loadI32(search + CELL_SEARCH.next);
		this.#budget = m.loadI32(search + CELL_SEARCH.budget);
		this.#scanned = m.loadI32(search + CELL_SEARCH.scanned);
		this.#pool = m.loadU32(search + CELL_SEARCH.pool);
		this.#size = m.loadI32(search + CELL_SEARCH.size);
		this.#room = m.loadI32(search + CELL_SEARCH.room);
		this.#abortAt = m.loadU32(search + CELL_SEARCH.abort);
	}

	/** Gives the state back; returns whether the search was aborted. */
	close(search: number): boolean {
		const { m } = this;
		m.storeI32(search + CELL_SEARCH.next, this.#next);
		m.storeI32(search + CELL_SEARCH.scanned, this.#scanned);
		m.storeI32(search + CELL_SEARCH.size, this.#size);
		return this.#aborted();
	}

	#aborted(): boolean {
		return this.#abortAt !== 0 && this.m.atomicLoadI32(this.#abortAt) !== 0;
	}

	/** The address of the next probed cell, or 0 where the scan is over: all cells done, the budget used up, or aborted. */
	nextProbe(): number {
		if (this.#next === this.#count || this.#scanned >= this.#budget || this.#aborted()) return 0;
		return this.#probes + CELL_PROBE.bytes * this.#next++;
	}

	firstBlock(cell: number): number {
		return this.m.atomicLoadU32(this.#table + CELL.bytes * cell + CELL.first);
	}

	blockAt(block: number): number {
		return this.#blocks + block * this.#blockStride;
	}

	nextBlock(block: number): number {
		return this.m.atomicLoadU32(block + CELL_BLOCK.next);
	}

	/** The addresses of the blocks of a probed cell, in the order of their chain; counts the rows of each. */
	*blocksOf(probe: number): Generator<number> {
		let at = this.firstBlock(this.m.loadU32(probe + CELL_PROBE.cell));
		while (at !== NO_BLOCK) {
			const block = this.blockAt(at);
			this.countRows(this.rowsIn(block));
			yield block;
			at = this.nextBlock(block);
		}
	}

	/** Rows that are whole. */
	rowsIn(block: number): number {
		return this.m.atomicLoadI32(block + CELL_BLOCK.rows);
	}

	placeIn(block: number, row: number): number {
		return this.m.loadU32(block + CELL_BLOCK.places + 4 * row);
	}

	labelOf(place: number): number {
		return this.m.loadU32(this.#labels + 4 * place);
	}

	countRows(rows: number): void {
		this.#scanned += rows;
	}

	/** The largest key that may still become a candidate. */
	worstKey(): number {
		return this.#size < this.#room ? Infinity : this.m.loadF32(this.#pool + 8 * (this.#room - 1));
	}

	/** Makes a place a candidate, if it is near enough. */
	keep(key: number, at: number): void {
		this.#size = place(this.m, this.#pool, this.#size, this.#room, key, at);
	}
}
