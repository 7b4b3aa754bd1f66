import { NighError } from "@nigh/contract";
import {
	type Arena,
	ArenaFullError,
	CELL,
	CELL_BLOCK,
	CELL_ROWS,
	CELLS,
	NO_BLOCK,
	NO_PLACE,
	type View,
} from "@nigh/kernels";
import { LabelTable } from "../rows/label-table.ts";
import { completed, permuteRows } from "../rows/permute-rows.ts";
import type { RowFormat } from "../rows/row-format.ts";
import type { ScalarCodes } from "../rows/scalar-codes.ts";
import type { Label } from "../vector-index.ts";
import type { Coarse } from "./coarse.ts";
import { moveInPlace, NO_SOURCE } from "./move-in-place.ts";
import type { MoveRow } from "./move-row.ts";
import type { NlistChoice } from "./nlist.ts";
import type { IvfParameters } from "./parameters.ts";
import { type ProductCodes, payloadBytes } from "./product-codes.ts";
import type { RabitqCells } from "./rabitq-cells.ts";
import { CellSlack } from "./reserve.ts";
import { Sharing } from "./sharing.ts";

/** An entry of the cell table, in words. */
const CELL_ENTRY = {
	first: CELL.first / 4,
	last: CELL.last / 4,
	rows: CELL.rows / 4,
	removed: CELL.removed / 4,
	words: CELL.bytes / 4,
} as const;
const FIRST_CAPACITY = 64;
/** Vectors that are on their way through an index that does not keep them. */
const STAGED = { bytes: 4 * 2 ** 20, least: 64, most: 4_096 } as const;

/** What training has found. */
export interface Learnt {
	readonly choice: NlistChoice;
	readonly coarse: Coarse;
	/** Of `"ivfpq"`. */
	readonly product: ProductCodes | undefined;
	/** Of `"ivfrabitq"`. */
	readonly rabitq: RabitqCells | undefined;
}

export function disposeLearnt({ coarse, product, rabitq }: Learnt): void {
	coarse.dispose();
	product?.dispose();
	rabitq?.dispose();
}

/**
 * Where an inverted file lives in the arena: rows and labels by place, cells as chains of blocks that hold places and codes. Verbs (train,
 * insert, search, remove ...) stand in files of their own and work on this. The layout is drawn in the kernels' assembly/cells/state.ts.
 *
 * A place is the number by which a row is known; those of a cell follow one another once the file has been compacted.
 */
export class InvertedFile {
	readonly arena: Arena;
	readonly rows: RowFormat;
	readonly parameters: IvfParameters;
	/** What 7-bit codes of rows mean, in every kind: a database codes by it what it has not taken in yet. */
	readonly codes: ScalarCodes | undefined;
	/** The same where codes of rows are scanned in place of them: in `"ivf"` alone. */
	readonly scalar: ScalarCodes | undefined;
	/** What readers on other threads are told. */
	readonly sharing: Sharing;
	readonly table = new LabelTable();
	/** Address of the cells struct. */
	readonly address: number;
	learnt: Learnt | undefined;
	/** Rows there is room for. */
	capacity = 0;
	/** Places in use, free ones between them included. */
	slots = 0;
	/** Places without a row, the first one last: it is the next to be taken. */
	readonly freePlaces: number[] = [];
	/** Rows by place; on disk those that are staged, by their place among them. */
	vectors = 0;
	#firstStaged = 0;
	#staged = 0;
	/** Codes of 7 bits by place, and beside them their norms and errors. */
	codeRows = 0;
	errors = 0;
	/** Blocks that have been taken, free ones included, and that there is room for. */
	blocksUsed = 0;
	blockCapacity = 0;
	readonly freeBlocks: number[] = [];
	blockStride = 0;
	#labels = 0;
	#where = 0;
	#cells = 0;
	#leastTerms = 0;
	#blocks = 0;
	#labelWords: View<Uint32Array>;
	#whereWords: View<Uint32Array>;
	#cellWords: View<Uint32Array>;
	#blockWords: View<Uint32Array>;
	#terms: View<Float32Array>;

	constructor(arena: Arena, rows: RowFormat, parameters: IvfParameters, codes: ScalarCodes | undefined) {
		this.arena = arena;
		this.rows = rows;
		this.parameters = parameters;
		this.codes = codes;
		this.scalar = parameters.kind === "ivf" ? codes : undefined;
		this.address = arena.alloc(CELLS.bytes);
		this.#labelWords = arena.view(Uint32Array, 0, 0);
		this.#whereWords = this.#labelWords;
		this.#cellWords = this.#labelWords;
		this.#blockWords = this.#labelWords;
		this.#terms = arena.view(Float32Array, 0, 0);
		this.sharing = new Sharing(this);
	}

	get size(): number {
		return this.table.size;
	}

	get nlist(): number {
		return this.learnt?.coarse.nlist ?? 0;
	}

	get labelsAddress(): number {
		return this.#labels;
	}

	get leastTermsAddress(): number {
		return this.#leastTerms;
	}

	get cellsAddress(): number {
		return this.#cells;
	}

	get blocksAddress(): number {
		return this.#blocks;
	}

	get whereAddress(): number {
		return this.#where;
	}

	/** Bytes from one 7-bit code to the next. */
	get codeStride(): number {
		return this.scalar === undefined ? 0 : this.scalar.bytes;
	}

	/** Whether vectors are kept elsewhere. */
	get isOnDisk(): boolean {
		return this.parameters.storage === "disk";
	}

	/** Rows that may be staged at a time. */
	get mostStaged(): number {
		return Math.min(STAGED.most, Math.max(STAGED.least, Math.floor(STAGED.bytes / this.rows.bytes)));
	}

	get stagedBytes(): number {
		return this.#staged * this.rows.bytes;
	}

	/** On disk, takes room for the vectors of the next so many rows, until the next are staged: nothing else has them. */
	stage(rows: number): void {
		if (!this.isOnDisk) return;
		if (rows > this.#staged) {
			this.unstage();
			this.vectors = this.arena.alloc(rows * this.rows.bytes);
			this.#staged = rows;
		}
		this.#firstStaged = this.slots;
	}

	/** Gives up the vectors that were staged. */
	unstage(): void {
		if (!this.isOnDisk) return;
		this.arena.free(this.vectors);
		this.vectors = 0;
		this.#staged = 0;
	}

	/** Where a row is; on disk, only while it is staged. */
	vectorOf(place: number): number {
		return this.vectors + (place - this.#firstStaged) * this.rows.bytes;
	}

	labelOf(place: number): Label {
		return this.#labelWords.array[place] as number;
	}

	/** Label of every place; `NO_PLACE` where there is no row. */
	labels(): Uint32Array {
		return this.#labelWords.array;
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

	/** The least term of a cell's rows. */
	leastTerm(cell: number): number {
		return this.#terms.array[cell] as number;
	}

	blockAt(block: number): number {
		return this.#blocks + block * this.blockStride;
	}

	/** What is scanned of a block's rows. */
	payloadOf(block: number): number {
		return this.blockAt(block) + CELL_BLOCK.payload;
	}

	/**
	 * Takes over what was learnt: empty cells, and blocks for all the rows there is room for. What was there before is given back; the rows stay, in
	 * no cell. Where the arena ends nothing has changed.
	 */
	learn(learnt: Learnt): void {
		const { nlist } = learnt.coarse;
		const { product, rabitq } = learnt;
		const payload = rabitq?.codec.payloadBytes ?? (product === undefined ? 0 : payloadBytes(product));
		const blockStride = CELL_BLOCK.payload + payload;
		// All cells are empty: the first rows begin a block each.
		const begun = Math.min(this.capacity, nlist);
		const blockCapacity = begun + Math.floor((this.capacity - begun) / CELL_ROWS);
		let [cells, terms, blocks] = [0, 0, 0];
		try {
			cells = this.arena.alloc(nlist * CELL_ENTRY.words * 4);
			terms = this.arena.alloc(nlist * 4);
			if (blockCapacity > 0) blocks = this.arena.alloc(blockCapacity * blockStride);
		} catch (error) {
			for (const address of [cells, terms]) this.arena.free(address);
			throw error;
		}
		this.forget();
		this.learnt = learnt;
		this.#cells = cells;
		this.#leastTerms = terms;
		this.#cellWords = this.arena.view(Uint32Array, cells, nlist * CELL_ENTRY.words);
		this.#terms = this.arena.view(Float32Array, terms, nlist);
		this.#blocks = blocks;
		this.blockStride = blockStride;
		this.blockCapacity = blockCapacity;
		this.#blockWords = this.arena.view(Uint32Array, blocks, (blockCapacity * blockStride) / 4);
		this.#startCells();
		this.#publish();
	}

	/** Gives back what was learnt, and the cells. */
	forget(): void {
		if (this.learnt !== undefined) disposeLearnt(this.learnt);
		this.learnt = undefined;
		for (const address of [this.#cells, this.#leastTerms, this.#blocks]) this.arena.free(address);
		this.#cells = 0;
		this.#leastTerms = 0;
		this.#blocks = 0;
		this.blocksUsed = 0;
		this.blockCapacity = 0;
		this.freeBlocks.length = 0;
	}

	/** Whether free places are taken again: not where readers may still look at them, nor on disk, where the rows that are staged follow one another. */
	get reusesPlaces(): boolean {
		return !this.sharing.active && !this.isOnDisk;
	}

	/** A place for a new row, which has no label yet; there must be room. */
	takePlace(): number {
		const place = (this.reusesPlaces ? this.freePlaces.pop() : undefined) ?? this.slots++;
		this.#labelWords.array[place] = NO_PLACE;
		return place;
	}

	/** Gives a place its label; whatever had it is taken out. Its row has to be put into a cell before anybody else is let in. */
	name(place: number, label: Label): void {
		this.remove(label);
		this.#labelWords.array[place] = label;
		this.table.set(label, place);
	}

	/** Gives back places that have no label. */
	giveBack(places: readonly number[]): void {
		this.freePlaces.push(...places);
	}

	/**
	 * Puts a place at the end of a cell; returns the block and the row in it, whose payload has to be written before {@link publishRow}.
	 *
	 * @param isThere Whether the next block has its payload already.
	 */
	append(place: number, cell: number, isThere = false): { block: number; row: number } {
		const cells = this.#cellWords.array;
		const at = cell * CELL_ENTRY.words;
		let block = cells[at + CELL_ENTRY.last] as number;
		let row = block === NO_BLOCK ? CELL_ROWS : (this.#word(block, CELL_BLOCK.rows) as number);
		if (row === CELL_ROWS) {
			block = this.#takeBlock(cell, isThere);
			row = 0;
		}
		this.#setWord(block, CELL_BLOCK.places + 4 * row, place);
		this.#whereWords.array[place] = block * CELL_ROWS + row;
		return { block, row };
	}

	/** Lets searches see the row that was put last into a block. */
	publishRow(block: number, row: number, cell: number, term: number): void {
		if (term < (this.#terms.array[cell] as number)) this.#terms.array[cell] = term;
		const words = this.#blockWords.array;
		const place = this.#word(block, CELL_BLOCK.places + 4 * row);
		this.sharing.publish(place, this.labelOf(place));
		Atomics.store(words, (block * this.blockStride + CELL_BLOCK.rows) / 4, row + 1);
		const at = cell * CELL_ENTRY.words + CELL_ENTRY.rows;
		this.#cellWords.array[at] = (this.#cellWords.array[at] as number) + 1;
	}

	/** Takes a label out. Its row in the cell becomes a tombstone, its place free. */
	remove(label: Label): boolean {
		const place = this.table.get(label);
		if (place === undefined) return false;
		const where = this.#whereWords.array[place] as number;
		const block = Math.floor(where / CELL_ROWS);
		this.#setWord(block, CELL_BLOCK.places + 4 * (where % CELL_ROWS), NO_PLACE);
		const at = this.#word(block, CELL_BLOCK.cell) * CELL_ENTRY.words + CELL_ENTRY.removed;
		this.#cellWords.array[at] = (this.#cellWords.array[at] as number) + 1;
		this.#labelWords.array[place] = NO_PLACE;
		this.table.delete(label);
		this.freePlaces.push(place);
		return true;
	}

	/** Gives every row another label, in the order of {@link LabelTable.labels}. */
	relabel(labels: Uint32Array): void {
		const places = new Uint32Array(labels.length);
		let at = 0;
		let end = 0;
		this.table.forEach((_, place) => {
			end = Math.max(end, (labels[at] as number) + 1);
			places[at++] = place;
		});
		this.table.clear();
		this.table.next = 0;
		this.table.reserve(labels.length, end);
		for (let i = 0; i < places.length; i++) {
			const place = places[i] as number;
			this.#labelWords.array[place] = labels[i] as number;
			this.table.set(labels[i] as number, place);
		}
	}

	/** Places of a cell's rows, in their order. */
	*placesOf(cell: number): Generator<number> {
		let block = this.#cellWords.array[cell * CELL_ENTRY.words + CELL_ENTRY.first] as number;
		while (block !== NO_BLOCK) {
			const rows = this.#word(block, CELL_BLOCK.rows);
			for (let row = 0; row < rows; row++) {
				const place = this.#word(block, CELL_BLOCK.places + 4 * row);
				if (place !== NO_PLACE) yield place;
			}
			block = this.#word(block, CELL_BLOCK.next);
		}
	}

	/** Empties every cell; what was learnt stays, and so do rows and places. */
	emptyCells(): void {
		this.#cellWords.array.fill(0);
		this.#startCells();
		this.blocksUsed = 0;
		this.freeBlocks.length = 0;
	}

	/** Forgets all rows. */
	clear(): void {
		if (this.learnt !== undefined) this.emptyCells();
		this.table.clear();
		this.freePlaces.length = 0;
		this.slots = 0;
	}

	/**
	 * Moves rows to new places and their codes within the blocks: place `i` gets what was in `places[i]`, in cell `cells[i]`; the places of a cell follow one
	 * another. Those that are not listed are given up. Where there is no room for what that works in, everything stays as it is.
	 */
	rearrange({ places, cells }: { readonly places: Uint32Array; readonly cells: Uint32Array }, move: MoveRow): void {
		const { arena, blockStride } = this;
		const { sources, cellOf } = this.#packed(places, cells);
		const spare = this.#within(1, () => arena.alloc(blockStride - CELL_BLOCK.payload));
		try {
			// What it takes first is the most, and each later part fits where an earlier one was: it fails before anything has moved, or not at all.
			this.#renumber(places);
			const unused: number[] = [];
			sources.forEach((source, to) => {
				if (source === NO_SOURCE) unused.push(to);
			});
			const at = (to: number) => ({ payload: this.payloadOf(Math.floor(to / CELL_ROWS)), row: to % CELL_ROWS });
			const spareRow = { payload: spare, row: 0 };
			const terms = new Float32Array(this.nlist).fill(Number.POSITIVE_INFINITY);
			moveInPlace(sources, { at, spare: spareRow, move }, (to, term) => {
				const cell = cellOf[Math.floor(to / CELL_ROWS)] as number;
				if (term < (terms[cell] as number)) terms[cell] = term;
			});
			// As in a block that is begun, which later rows are written into.
			arena.u8(spare, blockStride - CELL_BLOCK.payload).fill(0);
			for (const to of unused) move(spareRow, at(to));
			for (let place = 0; place < places.length; place++) {
				const cell = cells[place] as number;
				const { block, row } = this.append(place, cell, true);
				this.publishRow(block, row, cell, terms[cell] as number);
			}
		} finally {
			arena.free(spare);
		}
	}

	/** Where the codes of places are, by where they are to be, block by block and cell by cell; and the cell of each block. */
	#packed(places: Uint32Array, cells: Uint32Array): { readonly sources: Uint32Array; readonly cellOf: Uint32Array } {
		const sources = new Uint32Array(this.blocksUsed * CELL_ROWS).fill(NO_SOURCE);
		const cellOf = new Uint32Array(this.blocksUsed);
		const where = this.#whereWords.array;
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

	/** Place `i` gets what was in place `order[i]`; the cells are empty then. */
	#renumber(order: Uint32Array): void {
		const whole = completed(order, this.slots);
		// By falling width, so that what the first takes is enough for the others.
		if (!this.isOnDisk) permuteRows(this.arena, this.vectors, this.rows.bytes, whole);
		if (this.scalar !== undefined) {
			permuteRows(this.arena, this.codeRows, this.codeStride, whole);
			permuteRows(this.arena, this.errors, 8, whole);
		}
		permuteRows(this.arena, this.#labels, 4, whole);
		const labels = this.#labelWords.array;
		labels.fill(NO_PLACE, order.length);
		this.slots = order.length;
		this.freePlaces.length = 0;
		for (let place = 0; place < order.length; place++) this.table.set(labels[place] as number, place);
		this.emptyCells();
	}

	#startCells(): void {
		const cells = this.#cellWords.array;
		for (let cell = 0; cell < this.nlist; cell++) {
			cells[cell * CELL_ENTRY.words + CELL_ENTRY.first] = NO_BLOCK;
			cells[cell * CELL_ENTRY.words + CELL_ENTRY.last] = NO_BLOCK;
		}
		this.#terms.array.fill(Number.POSITIVE_INFINITY);
	}

	/** How full the cells are. */
	slack(): CellSlack {
		return new CellSlack(this.#cellWords.array, this.nlist);
	}

	/** Makes room for so many rows in all, in so many places: blocks for any way in which they may fall into cells. */
	reserve(rows: number, exactly = false, places = this.isOnDisk ? rows + this.freePlaces.length : rows): void {
		if (places > this.capacity) {
			this.#resize(exactly ? places : Math.max(FIRST_CAPACITY, places, Math.ceil(this.capacity * 1.5)));
		}
		if (this.learnt === undefined) return;
		const slack = this.slack();
		const blocks = this.blocksUsed - this.freeBlocks.length + slack.blocksFor(rows - slack.placed);
		if (blocks <= this.blockCapacity) return;
		this.#resizeBlocks(exactly ? blocks : Math.max(blocks, Math.ceil(this.blockCapacity * 1.25)));
	}

	/**
	 * Takes room for places and blocks that are in use elsewhere and are read into it afterwards, and for so many rows in all besides; the cell table has
	 * been read. No table of labels and no list of what is free knows of any of it yet.
	 */
	adopt({ slots, blocksUsed, size }: Pick<InvertedFile, "slots" | "blocksUsed" | "size">, room: number): void {
		const more = Math.max(0, room - size);
		this.#resize(Math.max(1, slots + more));
		this.slots = slots;
		if (this.learnt === undefined) return;
		this.#resizeBlocks(Math.max(1, blocksUsed + this.slack().blocksFor(more)));
		this.blocksUsed = blocksUsed;
	}

	/** Gives spare room back. */
	trim(): void {
		if (this.capacity > Math.max(1, this.slots)) this.#resize(Math.max(1, this.slots));
		if (this.blockCapacity > this.blocksUsed) this.#resizeBlocks(Math.max(1, this.blocksUsed));
	}

	checkRoom(more: number): void {
		const { maxElements } = this.parameters;
		if (maxElements === undefined || this.size + more <= maxElements) return;
		throw new NighError(
			"COLLECTION_FULL",
			`the index holds ${this.size} vectors and may hold ${maxElements}: ${more} more do not fit. Remove some or create it with a larger maxElements.`,
			{ size: this.size, bound: maxElements },
		);
	}

	dispose(): void {
		this.forget();
		this.sharing.dispose();
		for (const address of [this.vectors, this.codeRows, this.errors, this.#labels, this.#where, this.address]) {
			this.arena.free(address);
		}
		this.codes?.dispose();
		this.rows.dispose();
	}

	#resizeBlocks(blocks: number): void {
		this.#blocks = this.#within(blocks, () => this.arena.resize(this.#blocks, blocks * this.blockStride));
		this.blockCapacity = blocks;
		this.#blockWords = this.arena.view(Uint32Array, this.#blocks, (blocks * this.blockStride) / 4);
		this.#publish();
	}

	#resize(capacity: number): void {
		const { arena } = this;
		const resize = () => {
			if (!this.isOnDisk) this.vectors = arena.resize(this.vectors, capacity * this.rows.bytes);
			if (this.scalar !== undefined) {
				this.codeRows = arena.resize(this.codeRows, capacity * this.codeStride);
				this.errors = arena.resize(this.errors, capacity * 8);
			}
			this.#labels = arena.resize(this.#labels, capacity * 4);
			this.#where = arena.resize(this.#where, capacity * 4);
			this.capacity = capacity;
		};
		try {
			this.#within(capacity, resize);
		} finally {
			// Some of it has moved, even where there was no room for the rest.
			this.#labelWords = arena.view(Uint32Array, this.#labels, this.capacity);
			this.#whereWords = arena.view(Uint32Array, this.#where, this.capacity);
			this.#publish();
		}
	}

	#within<T>(wanted: number, take: () => T): T {
		try {
			return take();
		} catch (cause) {
			if (!(cause instanceof ArenaFullError)) throw cause;
			const bytesPerVector = this.bytesPerRow;
			throw new NighError(
				"MEMORY_LIMIT",
				`the index holds ${this.size} vectors and cannot grow: one takes about ${bytesPerVector} bytes and the arena ends at ${this.arena.maxBytes}. Use several indexes or fewer dimensions.`,
				{ size: this.size, wanted, bytesPerVector, maxBytes: this.arena.maxBytes },
				{ cause },
			);
		}
	}

	/** Bytes that a row takes: itself where it is kept, its codes, its place in a block that is full, its label and the way back. */
	get bytesPerRow(): number {
		const scalar = this.scalar === undefined ? 0 : this.codeStride + 8;
		return (this.isOnDisk ? 0 : this.rows.bytes) + scalar + this.blockStride / CELL_ROWS + 4 + 8;
	}

	#takeBlock(cell: number, isThere: boolean): number {
		const block = this.freeBlocks.pop() ?? this.blocksUsed++;
		if (block >= this.blockCapacity) throw new RangeError("a block was taken without room for it");
		this.arena.u8(this.blockAt(block), isThere ? CELL_BLOCK.payload : this.blockStride).fill(0);
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

	#word(block: number, offset: number): number {
		return this.#blockWords.array[(block * this.blockStride + offset) / 4] as number;
	}

	#setWord(block: number, offset: number, value: number): void {
		this.#blockWords.array[(block * this.blockStride + offset) / 4] = value;
	}

	/** Tells the kernels where everything is. */
	#publish(): void {
		const words = this.arena.u32(this.address, CELLS.bytes / 4);
		words[CELLS.table / 4] = this.#cells;
		words[CELLS.blocks / 4] = this.#blocks;
		words[CELLS.blockStride / 4] = this.blockStride;
		words[CELLS.labels / 4] = this.#labels;
	}
}
