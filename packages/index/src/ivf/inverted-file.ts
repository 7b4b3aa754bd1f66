import { type Arena, CELL_ROWS, CELLS, NO_PLACE, type View } from "@nigh/kernels";
import { LabelTable } from "../rows/label-table.ts";
import type { RowFormat } from "../rows/row-format.ts";
import type { ScalarCodes } from "../rows/scalar-codes.ts";
import type { Label } from "../vector-index.ts";
import { CellBlocks } from "./cell-blocks.ts";
import { disposeLearnt, type Learnt } from "./learnt.ts";
import { growing } from "./limits.ts";
import type { IvfParameters } from "./parameters.ts";
import type { IvfState } from "./parts.ts";
import { payloadBytes } from "./product-codes.ts";
import { Sharing } from "./sharing.ts";
import { Staging } from "./staging.ts";

const FIRST_CAPACITY = 64;

/**
 * Where an inverted file lives in the arena: rows and labels by place, and the cells ({@link CellBlocks}), whose blocks hold places and codes.
 * Verbs (train, insert, search, compact ...) stand in files of their own and work on this.
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
	readonly cells: CellBlocks;
	/** Where vectors are until they are written elsewhere; `undefined` where they are kept. */
	readonly staging: Staging | undefined;
	learnt: Learnt | undefined;
	/** Rows there is room for. */
	capacity = 0;
	/** Places in use, free ones between them included. */
	slots = 0;
	/** Places without a row, the first one last: it is the next to be taken. */
	readonly freePlaces: number[] = [];
	/** Rows by place; 0 on disk. */
	vectors = 0;
	/** Codes of 7 bits by place, and beside them their norms and errors. */
	codeRows = 0;
	errors = 0;
	#labels = 0;
	#where = 0;
	#labelWords: View<Uint32Array>;
	#whereWords: View<Uint32Array>;

	constructor(arena: Arena, rows: RowFormat, parameters: IvfParameters, codes: ScalarCodes | undefined) {
		this.arena = arena;
		this.rows = rows;
		this.parameters = parameters;
		this.codes = codes;
		this.scalar = parameters.kind === "ivf" ? codes : undefined;
		this.address = arena.alloc(CELLS.bytes);
		this.#labelWords = arena.view(Uint32Array, 0, 0);
		this.#whereWords = this.#labelWords;
		this.cells = new CellBlocks(arena);
		this.staging = this.isOnDisk ? new Staging(arena, rows.bytes) : undefined;
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

	/** Where a row is; on disk, only while it is staged. */
	vectorOf(place: number): number {
		return this.staging?.vectorOf(place) ?? this.vectors + place * this.rows.bytes;
	}

	labelOf(place: number): Label {
		return this.#labelWords.array[place] as number;
	}

	/** Label of every place; `NO_PLACE` where there is no row. */
	labels(): Uint32Array {
		return this.#labelWords.array;
	}

	/** Where in the blocks the row of every place is: 32 x the block + its number in that. */
	where(): Uint32Array {
		return this.#whereWords.array;
	}

	/**
	 * Takes over what was learnt: empty cells, and blocks for all the rows there is room for. What was there before is given back; the rows stay, in
	 * no cell. Where the arena ends nothing has changed.
	 */
	learn(learnt: Learnt): void {
		const { coarse, product, rabitq } = learnt;
		const payload = rabitq?.codec.payloadBytes ?? (product === undefined ? 0 : payloadBytes(product));
		this.cells.begin(coarse.nlist, payload, this.capacity);
		if (this.learnt !== undefined) disposeLearnt(this.learnt);
		this.learnt = learnt;
		this.#publish();
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
		const at = this.cells.append(place, cell, isThere);
		this.#whereWords.array[place] = at.block * CELL_ROWS + at.row;
		return at;
	}

	/** Lets searches see the row that was put last into a block. */
	publishRow(block: number, row: number, cell: number, term: number): void {
		const place = this.cells.placeAt(block, row);
		this.sharing.publish(place, this.labelOf(place));
		this.cells.publishRow(block, row, cell, term);
	}

	/** Takes a label out. Its row in the cell becomes a tombstone, its place free. */
	remove(label: Label): boolean {
		const place = this.table.get(label);
		if (place === undefined) return false;
		const where = this.#whereWords.array[place] as number;
		this.cells.remove(Math.floor(where / CELL_ROWS), where % CELL_ROWS);
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

	/** Forgets all rows. */
	clear(): void {
		if (this.learnt !== undefined) this.cells.empty();
		this.table.clear();
		this.freePlaces.length = 0;
		this.slots = 0;
	}

	/** Makes room for so many rows in all, in so many places: blocks for any way in which they may fall into cells. */
	reserve(rows: number, exactly = false, places = this.isOnDisk ? rows + this.freePlaces.length : rows): void {
		if (places > this.capacity) {
			this.#resize(exactly ? places : Math.max(FIRST_CAPACITY, places, Math.ceil(this.capacity * 1.5)));
		}
		if (this.learnt === undefined) return;
		const { blocksUsed, freeBlocks, blockCapacity } = this.cells;
		const slack = this.cells.slack();
		const blocks = blocksUsed - freeBlocks.length + slack.blocksFor(rows - slack.placed);
		if (blocks <= blockCapacity) return;
		this.#resizeBlocks(exactly ? blocks : Math.max(blocks, Math.ceil(blockCapacity * 1.25)));
	}

	/**
	 * Takes room for places and blocks that are in use elsewhere and are read into it afterwards, and for so many rows in all besides; the cell table has
	 * been read. No table of labels and no list of what is free knows of any of it yet.
	 */
	adopt({ slots, blocksUsed, size }: Pick<IvfState, "slots" | "blocksUsed" | "size">, room: number): void {
		const more = Math.max(0, room - size);
		this.#resize(Math.max(1, slots + more));
		this.slots = slots;
		if (this.learnt === undefined) return;
		this.#resizeBlocks(Math.max(1, blocksUsed + this.cells.slack().blocksFor(more)));
		this.cells.blocksUsed = blocksUsed;
	}

	/** Gives spare room back. */
	trim(): void {
		if (this.capacity > Math.max(1, this.slots)) this.#resize(Math.max(1, this.slots));
		const { blockCapacity, blocksUsed } = this.cells;
		if (blockCapacity > blocksUsed) this.#resizeBlocks(Math.max(1, blocksUsed));
	}

	dispose(): void {
		if (this.learnt !== undefined) disposeLearnt(this.learnt);
		this.learnt = undefined;
		this.cells.dispose();
		this.staging?.end();
		this.sharing.dispose();
		for (const address of [this.vectors, this.codeRows, this.errors, this.#labels, this.#where, this.address]) {
			this.arena.free(address);
		}
		this.codes?.dispose();
		this.rows.dispose();
	}

	#resizeBlocks(blocks: number): void {
		growing(this, blocks, () => this.cells.resize(blocks));
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
			growing(this, capacity, resize);
		} finally {
			// Some of it has moved, even where there was no room for the rest.
			this.#labelWords = arena.view(Uint32Array, this.#labels, this.capacity);
			this.#whereWords = arena.view(Uint32Array, this.#where, this.capacity);
			this.#publish();
		}
	}

	/** Tells the kernels where everything is. */
	#publish(): void {
		const words = this.arena.u32(this.address, CELLS.bytes / 4);
		words[CELLS.table / 4] = this.cells.tableAddress;
		words[CELLS.blocks / 4] = this.cells.blocksAddress;
		words[CELLS.blockStride / 4] = this.cells.blockStride;
		words[CELLS.labels / 4] = this.#labels;
	}
}
