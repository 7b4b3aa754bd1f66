import { type Arena, CELL, CELL_BLOCK, CELL_ROWS, NO_BLOCK, NO_PLACE, type View } from "@nigh/kernels";
import { CellSlack } from "./cell-slack.ts";

/** An entry of the cell table, in words. */
const CELL_ENTRY = {
	first: CELL.first / 4,
	last: CELL.last / 4,
	rows: CELL.rows / 4,
	removed: CELL.removed / 4,
	words: CELL.bytes / 4,
} as const;

/**
 * The cells of an inverted file: a table with an entry for each, the least term of each, and blocks, of which a cell is a chain. A block holds the
 * places of its rows and what is scanned of them. The layouts are drawn in the kernels' assembly/cells/state.ts.
 */
export class CellBlocks {
	nlist = 0;
	/** Blocks that have been taken, free ones included, and that there is room for. */
	blocksUsed = 0;
	blockCapacity = 0;
	readonly freeBlocks: number[] = [];
	/** Bytes from one block to the next. */
	blockStride = 0;
	readonly #arena: Arena;
	#table = 0;
	#leastTerms = 0;
	#blocks = 0;
	#cellWords: View<Uint32Array>;
	#blockWords: View<Uint32Array>;
	#terms: View<Float32Array>;

	constructor(arena: Arena) {
		this.#arena = arena;
		this.#cellWords = arena.view(Uint32Array, 0, 0);
		this.#blockWords = this.#cellWords;
		this.#terms = arena.view(Float32Array, 0, 0);
	}

	get tableAddress(): number {
		return this.#table;
	}

	get leastTermsAddress(): number {
		return this.#leastTerms;
	}

	get blocksAddress(): number {
		return this.#blocks;
	}

	/**
	 * So many empty cells in the place of those there were, with blocks for as many rows.
	 *
	 * @param payload Bytes of what is scanned of a block.
	 * @throws ArenaFullError before anything has changed.
	 */
	begin(nlist: number, payload: number, rows: number): void {
		const arena = this.#arena;
		const blockStride = CELL_BLOCK.payload + payload;
		// All cells are empty: the first rows begin a block each.
		const begun = Math.min(rows, nlist);
		const blockCapacity = begun + Math.floor((rows - begun) / CELL_ROWS);
		let [table, terms, blocks] = [0, 0, 0];
		try {
			table = arena.alloc(nlist * CELL_ENTRY.words * 4);
			terms = arena.alloc(nlist * 4);
			if (blockCapacity > 0) blocks = arena.alloc(blockCapacity * blockStride);
		} catch (error) {
			for (const address of [table, terms]) arena.free(address);
			throw error;
		}
		this.dispose();
		this.nlist = nlist;
		this.#table = table;
		this.#leastTerms = terms;
		this.#blocks = blocks;
		this.#cellWords = arena.view(Uint32Array, table, nlist * CELL_ENTRY.words);
		this.#terms = arena.view(Float32Array, terms, nlist);
		this.blockStride = blockStride;
		this.#setCapacity(blockCapacity);
		this.empty();
	}

	dispose(): void {
		for (const address of [this.#table, this.#leastTerms, this.#blocks]) this.#arena.free(address);
	}

	/** Empties every cell; the room stays. */
	empty(): void {
		const cells = this.#cellWords.array.fill(0);
		for (let cell = 0; cell < this.nlist; cell++) {
			cells[cell * CELL_ENTRY.words + CELL_ENTRY.first] = NO_BLOCK;
			cells[cell * CELL_ENTRY.words + CELL_ENTRY.last] = NO_BLOCK;
		}
		this.#terms.array.fill(Number.POSITIVE_INFINITY);
		this.blocksUsed = 0;
		this.freeBlocks.length = 0;
	}

	/** Makes room for exactly so many blocks. */
	resize(blocks: number): void {
		this.#blocks = this.#arena.resize(this.#blocks, blocks * this.blockStride);
		this.#setCapacity(blocks);
	}

	/** How full the cells are. */
	slack(): CellSlack {
		return new CellSlack(this.#cellWords.array, this.nlist);
	}

	/** Rows of a cell that have not been removed. */
	liveIn(cell: number): number {
		const words = this.#cellWords.array;
		const at = cell * CELL_ENTRY.words;
		return (words[at + CELL_ENTRY.rows] as number) - (words[at + CELL_ENTRY.removed] as number);
	}

	/** Rows that were removed and are still passed over in scans. */
	get tombstones(): number {
		let removed = 0;
		for (let cell = 0; cell < this.nlist; cell++) {
			removed += this.#cellWords.array[cell * CELL_ENTRY.words + CELL_ENTRY.removed] as number;
		}
		return removed;
	}

	/** Places of a cell's rows, in their order. */
	*placesOf(cell: number): Generator<number> {
		let block = this.#cellWords.array[cell * CELL_ENTRY.words + CELL_ENTRY.first] as number;
		while (block !== NO_BLOCK) {
			const rows = this.#word(block, CELL_BLOCK.rows);
			for (let row = 0; row < rows; row++) {
				const place = this.placeAt(block, row);
				if (place !== NO_PLACE) yield place;
			}
			block = this.#word(block, CELL_BLOCK.next);
		}
	}

	placeAt(block: number, row: number): number {
		return this.#word(block, CELL_BLOCK.places + 4 * row);
	}

	/** What is scanned of a block's rows. */
	payloadOf(block: number): number {
		return this.#blockAt(block) + CELL_BLOCK.payload;
	}

	/**
	 * Puts a place at the end of a cell; returns the block and the row in it, whose payload has to be written before {@link publishRow}.
	 *
	 * @param isThere Whether the next block has its payload already.
	 */
	append(place: number, cell: number, isThere: boolean): { block: number; row: number } {
		let block = this.#cellWords.array[cell * CELL_ENTRY.words + CELL_ENTRY.last] as number;
		let row = block === NO_BLOCK ? CELL_ROWS : this.#word(block, CELL_BLOCK.rows);
		if (row === CELL_ROWS) {
			block = this.#takeBlock(cell, isThere);
			row = 0;
		}
		this.#setWord(block, CELL_BLOCK.places + 4 * row, place);
		return { block, row };
	}

	/** Lets searches see the row that was put last into a block. */
	publishRow(block: number, row: number, cell: number, term: number): void {
		if (term < (this.#terms.array[cell] as number)) this.#terms.array[cell] = term;
		Atomics.store(this.#blockWords.array, (block * this.blockStride + CELL_BLOCK.rows) / 4, row + 1);
		const at = cell * CELL_ENTRY.words + CELL_ENTRY.rows;
		this.#cellWords.array[at] = (this.#cellWords.array[at] as number) + 1;
	}

	/** Makes a row of a block a tombstone. */
	remove(block: number, row: number): void {
		this.#setWord(block, CELL_BLOCK.places + 4 * row, NO_PLACE);
		const at = this.#word(block, CELL_BLOCK.cell) * CELL_ENTRY.words + CELL_ENTRY.removed;
		this.#cellWords.array[at] = (this.#cellWords.array[at] as number) + 1;
	}

	/** A block at the end of a cell. */
	#takeBlock(cell: number, isThere: boolean): number {
		const block = this.freeBlocks.pop() ?? this.blocksUsed++;
		if (block >= this.blockCapacity) throw new RangeError("a block was taken without room for it");
		this.#arena.u8(this.#blockAt(block), isThere ? CELL_BLOCK.payload : this.blockStride).fill(0);
		const at = (block * this.blockStride) / 4;
		const words = this.#blockWords.array;
		words[at + CELL_BLOCK.next / 4] = NO_BLOCK;
		words[at + CELL_BLOCK.cell / 4] = cell;
		words.fill(NO_PLACE, at + CELL_BLOCK.places / 4, at + CELL_BLOCK.payload / 4);
		const cells = this.#cellWords.array;
		const entry = cell * CELL_ENTRY.words;
		const last = cells[entry + CELL_ENTRY.last] as number;
		if (last === NO_BLOCK) Atomics.store(cells, entry + CELL_ENTRY.first, block);
		else Atomics.store(words, (last * this.blockStride + CELL_BLOCK.next) / 4, block);
		cells[entry + CELL_ENTRY.last] = block;
		return block;
	}

	#blockAt(block: number): number {
		return this.#blocks + block * this.blockStride;
	}

	#word(block: number, offset: number): number {
		return this.#blockWords.array[(block * this.blockStride + offset) / 4] as number;
	}

	#setWord(block: number, offset: number, value: number): void {
		this.#blockWords.array[(block * this.blockStride + offset) / 4] = value;
	}

	#setCapacity(blocks: number): void {
		this.blockCapacity = blocks;
		this.#blockWords = this.#arena.view(Uint32Array, this.#blocks, (blocks * this.blockStride) / 4);
	}
}
