import { NighError } from "@nigh/contract";
import { type Arena, ArenaFullError } from "@nigh/kernels";
import { LabelTable } from "../rows/label-table.ts";
import { codeStride } from "../rows/row-coder.ts";
import type { RowFormat } from "../rows/row-format.ts";
import { ScalarCodes } from "../rows/scalar-codes.ts";
import type { Label, MemoryReport } from "../vector-index.ts";

const FIRST_CAPACITY = 64;

/** Where a flat index lives in the arena: rows without gaps, their labels, and beside them the code rows of the bounds scan. */
export class FlatRows {
	readonly arena: Arena;
	readonly format: RowFormat;
	readonly codes: ScalarCodes | undefined;
	readonly maxElements: number | undefined;
	readonly table = new LabelTable();
	readonly codeStride: number;
	capacity = 0;
	vectors = 0;
	codeRows = 0;
	labels = 0;
	/** A row of zeros: the origin of a query's code where the metric is a dot product. */
	readonly zeroRow: number;
	/** The largest length of a code row, in code units, since the last training: bounds the error of a query's code. */
	longestCode = 0;
	/** The largest length of a stored row. */
	longestRow = 0;

	constructor(arena: Arena, format: RowFormat, coded: boolean, maxElements: number | undefined) {
		this.arena = arena;
		this.format = format;
		this.codes = coded ? new ScalarCodes(arena, format.dimensions, format.bytes) : undefined;
		this.maxElements = maxElements;
		this.zeroRow = coded ? arena.alloc(format.bytes) : 0;
		this.codeStride = this.codes === undefined ? 0 : codeStride(this.codes.bytes);
	}

	get size(): number {
		return this.table.size;
	}

	vectorOf(row: number): number {
		return this.vectors + row * this.format.bytes;
	}

	codeOf(row: number): number {
		return this.codeRows + row * this.codeStride;
	}

	labelOf(row: number): Label {
		return this.arena.u32(this.labels, this.size)[row] as Label;
	}

	/** Writes a checked vector under a label, new or in place of the old one. */
	put(label: Label, vector: Float32Array | Uint8Array, stored = false): void {
		const row = this.table.get(label) ?? this.size;
		this.reserve(row + 1);
		if (stored) this.format.writeStored(vector, this.vectorOf(row));
		else this.format.write(vector, this.vectorOf(row));
		this.arena.u32(this.labels, this.capacity)[row] = label;
		this.table.set(label, row);
		if (this.codes === undefined) return;
		this.measure(row);
		if (this.codes.trainedOn > 0) this.encode(row);
	}

	/** Notes the length of a row, of which the bounds of a dot product need the largest. */
	measure(row: number): void {
		const length = Math.sqrt(this.arena.kernels.sumOfSquares(this.vectorOf(row), this.format.bytes));
		this.longestRow = Math.max(this.longestRow, length);
	}

	/** Takes a label out; the last row moves into its place. */
	remove(label: Label): boolean {
		const row = this.table.get(label);
		if (row === undefined) return false;
		const last = this.size - 1;
		if (row !== last) {
			const { arena } = this;
			arena.u8(this.vectorOf(row), this.format.bytes).set(arena.u8(this.vectorOf(last), this.format.bytes));
			if (this.codes !== undefined)
				arena.u8(this.codeOf(row), this.codeStride).set(arena.u8(this.codeOf(last), this.codeStride));
			const moved = this.labelOf(last);
			arena.u32(this.labels, this.capacity)[row] = moved;
			this.table.set(moved, row);
		}
		this.table.delete(label);
		return true;
	}

	encode(row: number): void {
		if (this.codes === undefined) return;
		const norm = this.codes.encodeBounded(this.vectorOf(row), this.codeOf(row));
		this.longestCode = Math.max(this.longestCode, Math.sqrt(norm));
	}

	/** Learns the codes from all rows and codes all rows, where that is due. */
	trainCodes(): void {
		const { codes } = this;
		if (codes === undefined || this.size === 0 || !codes.isStale(this.size)) return;
		codes.train(this.size, (row) => this.vectorOf(row));
		this.longestCode = 0;
		for (let row = 0; row < this.size; row++) this.encode(row);
	}

	checkRoom(more: number): void {
		if (this.maxElements === undefined || this.size + more <= this.maxElements) return;
		throw new NighError(
			"COLLECTION_FULL",
			`the index holds ${this.size} vectors and may hold ${this.maxElements}: ${more} more do not fit. Remove some or create it with a larger maxElements.`,
			{ size: this.size, bound: this.maxElements },
		);
	}

	reserve(rows: number, exactly = false): void {
		if (rows <= this.capacity) return;
		this.#resize(exactly ? rows : Math.max(FIRST_CAPACITY, rows, Math.ceil(this.capacity * 1.5)));
	}

	trim(): void {
		if (this.capacity > Math.max(1, this.size)) this.#resize(Math.max(1, this.size));
	}

	memory(): MemoryReport {
		const codes = this.capacity * this.codeStride;
		const vectors = this.capacity * this.format.bytes;
		const index = codes + this.capacity * 4 + this.table.bytes;
		const perVector = this.codeStride + this.format.bytes + 8;
		return { codes, index, vectors, total: index + vectors, formula: this.size * perVector };
	}

	dispose(): void {
		for (const address of [this.vectors, this.codeRows, this.labels, this.zeroRow]) this.arena.free(address);
		this.codes?.dispose();
		this.format.dispose();
	}

	#resize(capacity: number): void {
		try {
			this.vectors = this.arena.resize(this.vectors, capacity * this.format.bytes);
			if (this.codes !== undefined) this.codeRows = this.arena.resize(this.codeRows, capacity * this.codeStride);
			this.labels = this.arena.resize(this.labels, capacity * 4);
		} catch (cause) {
			if (!(cause instanceof ArenaFullError)) throw cause;
			const perVector = this.format.bytes + this.codeStride + 4;
			throw new NighError(
				"MEMORY_LIMIT",
				`the index holds ${this.size} vectors and cannot grow to ${capacity}: one takes ${perVector} bytes and the arena ends at ${this.arena.maxBytes}. Use several indexes or fewer dimensions.`,
				{ size: this.size, wanted: capacity, bytesPerVector: perVector, maxBytes: this.arena.maxBytes },
				{ cause },
			);
		}
		this.capacity = capacity;
	}
}
