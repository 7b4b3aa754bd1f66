import {
	Arena,
	CELL_BLOCK,
	CELL_ROWS,
	type Kernels,
	METRIC_CODES,
	NO_BLOCK,
	RABITQ_BLOCK,
	rowBytes,
	TERM_BYTES,
} from "@nigh/kernels";
import { seeded } from "../sets/random.ts";
import { compileReadLoop, type ReadLoop, startReadLoop } from "./read-loop.ts";

/**
 * What the measured region holds: float rows, rows of packed bits, 7-bit code rows with norm and residual behind them (as the flat
 * index keeps them), blocks of RaBitQ codes of 1 or 4 bits (a row's share of a block counts as its length), f32 keys, then as many u32
 * labels 0, 1, 2, ..., then two f64 change numbers a label, or blocks of the cells of an inverted file in order, with terms in [0, 1) and
 * random codes of 8 bytes a row.
 */
export type Content = "floats" | "bits" | "codes" | "rabitq1" | "rabitq4" | "labels" | "cells";

/** Bits of a code a dimension. */
export const RABITQ_BITS = { rabitq1: 1, rabitq4: 4 } as const;

/** Rows that are made; the rest of the region repeats them. */
const DISTINCT_ROWS = 4_096;
const DISTINCT_KEYS = 1 << 20;

/** Behind the codes: norm (i32), residual (f32), and what fills the 16 bytes. */
export const CODE_TAIL = 16;

/** Bytes of a label's entry when the region holds labels: key, label, born, died. */
export const LABEL_BYTES = 4 + 4 + 8 + 8;

/** A code in a block of a cell: 16 sub-quantisers of 4 bits, or 8 of 8. */
export const CELL_CODE_BYTES = 8;
export const CELL_BLOCK_BYTES = CELL_BLOCK.payload + TERM_BYTES + CELL_ROWS * CELL_CODE_BYTES;
export const BLOCKS_PER_CELL = 8;

/** Codes of uniform numbers in [-1, 1): code 0 stands for -1. */
export const CODE_ORIGIN = -1;
export const CODE_UNIT = 2 / 127;

/** The row length and stride that a content has. */
export function rowShape(content: Content, dimensions: number): { readonly bytes: number; readonly stride: number } {
	if (content === "labels") return { bytes: LABEL_BYTES, stride: LABEL_BYTES };
	if (content === "cells") return { bytes: CELL_BLOCK_BYTES, stride: CELL_BLOCK_BYTES };
	if (content === "rabitq1" || content === "rabitq4") {
		const bits = RABITQ_BITS[content];
		const factors = bits === 1 ? RABITQ_BLOCK.factors : RABITQ_BLOCK.fineFactors;
		const bytes = (rotatedDimensions(dimensions) * bits) / 8 + 4 * factors;
		return { bytes, stride: bytes };
	}
	if (content === "codes") {
		const bytes = rowBytes(dimensions);
		return { bytes, stride: bytes + CODE_TAIL };
	}
	const bytes = rowBytes(content === "floats" ? 4 * dimensions : Math.ceil(dimensions / 8));
	return { bytes, stride: bytes };
}

/** Dimensions of what RaBitQ codes: the next multiple of 64. */
export function rotatedDimensions(dimensions: number): number {
	return Math.ceil(dimensions / 64) * 64;
}

/** An arena with the kernels and the read loop on it, and one region that all cases share. */
export class Workbench {
	readonly arena: Arena;
	readonly kernels: Kernels;
	readonly readLoop: ReadLoop;
	/** Where the region starts, and how long it is. */
	readonly region: number;
	readonly bytes: number;
	#filled = "";
	#scratch: number[] = [];

	private constructor(arena: Arena, readLoop: ReadLoop, bytes: number) {
		this.arena = arena;
		this.kernels = arena.kernels;
		this.readLoop = readLoop;
		this.bytes = bytes;
		this.region = arena.alloc(bytes);
	}

	static async open(bytes: number): Promise<Workbench> {
		const arena = new Arena();
		return new Workbench(arena, startReadLoop(await compileReadLoop(), arena), bytes);
	}

	/** Fills the region, unless it holds that already. */
	fill(content: Content, dimensions: number): void {
		const wanted = content === "labels" || content === "cells" ? content : `${content}/${dimensions}`;
		if (this.#filled === wanted) return;
		this.#filled = wanted;
		if (content === "labels") this.#fillLabels();
		else if (content === "cells") this.#fillCells();
		else if (content === "codes") this.#fillCodes(dimensions);
		else if (content === "rabitq1" || content === "rabitq4") this.#fillRabitq(content, dimensions);
		else this.#fillRows(content, dimensions);
	}

	/** Room beside the region, until {@link Workbench.release}. */
	alloc(bytes: number): number {
		const at = this.arena.alloc(bytes);
		this.#scratch.push(at);
		return at;
	}

	/** Gives back all that was allocated beside the region. */
	release(): void {
		for (const at of this.#scratch) this.arena.free(at);
		this.#scratch = [];
	}

	/** How many labels the region holds when it is filled with them. */
	get labels(): number {
		return Math.floor(this.bytes / LABEL_BYTES / 16) * 16;
	}

	/** A float row of uniform numbers in [-1, 1), on its own. */
	putQuery(dimensions: number, seed: number): number {
		const { uniform } = seeded(seed);
		const at = this.alloc(rowBytes(4 * dimensions));
		this.arena.f32(at, dimensions).set(Float32Array.from({ length: dimensions }, () => 2 * uniform() - 1));
		return at;
	}

	/** A float row that has one value in every dimension. */
	putConstant(dimensions: number, value: number): number {
		const at = this.alloc(rowBytes(4 * dimensions));
		this.arena.f32(at, dimensions).fill(value);
		return at;
	}

	#fillRows(content: "floats" | "bits", dimensions: number): void {
		const { stride } = rowShape(content, dimensions);
		const { uniform } = seeded(1);
		const rows = Math.min(DISTINCT_ROWS, Math.floor(this.bytes / stride));
		for (let row = 0; row < rows; row++) {
			const at = this.region + row * stride;
			if (content === "floats") {
				const floats = this.arena.f32(at, stride / 4).fill(0);
				for (let i = 0; i < dimensions; i++) floats[i] = 2 * uniform() - 1;
			} else {
				const bytes = this.arena.u8(at, stride).fill(0);
				for (let i = 0; i < dimensions >> 3; i++) bytes[i] = uniform() * 256;
			}
		}
		this.#repeat(rows * stride);
	}

	#fillCodes(dimensions: number): void {
		const { bytes, stride } = rowShape("codes", dimensions);
		const { uniform } = seeded(2);
		const floatBytes = rowBytes(4 * dimensions);
		const row = this.arena.alloc(floatBytes);
		const origin = this.arena.alloc(floatBytes);
		this.arena.f32(origin, dimensions).fill(CODE_ORIGIN);
		const floats = this.arena.f32(row, dimensions);
		const rows = Math.min(DISTINCT_ROWS, Math.floor(this.bytes / stride));
		this.arena.u8(this.region, rows * stride).fill(0);
		for (let i = 0; i < rows; i++) {
			for (let j = 0; j < dimensions; j++) floats[j] = 2 * uniform() - 1;
			const code = this.region + i * stride;
			this.kernels.encodeRow(row, origin, Math.fround(1 / CODE_UNIT), floatBytes, code, bytes);
			const residual = this.kernels.residual(row, origin, CODE_UNIT, floatBytes, code);
			this.arena.f32(code + bytes + 4, 1)[0] = residual;
		}
		for (const address of [row, origin]) this.arena.free(address);
		this.#repeat(rows * stride);
	}

	#fillRabitq(content: "rabitq1" | "rabitq4", dimensions: number): void {
		const D = rotatedDimensions(dimensions);
		const blockBytes = RABITQ_BLOCK.rows * rowShape(content, dimensions).stride;
		const { uniform } = seeded(4);
		const [row, centroid] = [this.arena.alloc(4 * D), this.arena.alloc(4 * D)];
		const floats = this.arena.f32(row, D);
		const blocks = Math.min(DISTINCT_ROWS / RABITQ_BLOCK.rows, Math.floor(this.bytes / blockBytes));
		for (let i = 0; i < blocks * RABITQ_BLOCK.rows; i++) {
			for (let j = 0; j < D; j++) floats[j] = 2 * uniform() - 1;
			const block = this.region + Math.floor(i / RABITQ_BLOCK.rows) * blockBytes;
			const slot = i % RABITQ_BLOCK.rows;
			this.kernels.rabitqEncode(METRIC_CODES.l2, row, centroid, D, RABITQ_BITS[content], block, slot);
		}
		for (const address of [row, centroid]) this.arena.free(address);
		this.#repeat(blocks * blockBytes);
	}

	#fillLabels(): void {
		const n = this.labels;
		const { uniform } = seeded(3);
		const keys = this.arena.f32(this.region, n);
		const distinct = Math.min(n, DISTINCT_KEYS);
		for (let i = 0; i < distinct; i++) keys[i] = uniform();
		for (let done = distinct; done < n; done *= 2) keys.copyWithin(done, 0, Math.min(done, n - done));
		const labels = this.arena.u32(this.region + 4 * n, n);
		for (let i = 0; i < n; i++) labels[i] = i;
		// Born before the reader looks, and dead by then: both are read, and the answer is no.
		this.arena.f64(this.region + 8 * n, n).fill(1);
		this.arena.f64(this.region + 16 * n, n).fill(2);
	}

	#fillCells(): void {
		const blocks = Math.floor(this.bytes / CELL_BLOCK_BYTES);
		const distinct = Math.min(DISTINCT_ROWS, blocks);
		const { uniform } = seeded(4);
		for (let block = 0; block < distinct; block++) {
			const payload = this.region + block * CELL_BLOCK_BYTES + CELL_BLOCK.payload;
			const terms = this.arena.f32(payload, CELL_ROWS);
			for (let row = 0; row < CELL_ROWS; row++) terms[row] = uniform();
			const codes = this.arena.u32(payload + TERM_BYTES, (CELL_ROWS * CELL_CODE_BYTES) / 4);
			for (let i = 0; i < codes.length; i++) codes[i] = uniform() * 2 ** 32;
		}
		this.#repeat(distinct * CELL_BLOCK_BYTES);
		const words = this.arena.u32(this.region, (blocks * CELL_BLOCK_BYTES) / 4);
		for (let block = 0; block < blocks; block++) {
			const at = (block * CELL_BLOCK_BYTES) / 4;
			words[at + CELL_BLOCK.next / 4] = (block + 1) % BLOCKS_PER_CELL === 0 ? NO_BLOCK : block + 1;
			words[at + CELL_BLOCK.rows / 4] = CELL_ROWS;
			words[at + CELL_BLOCK.cell / 4] = Math.floor(block / BLOCKS_PER_CELL);
			for (let row = 0; row < CELL_ROWS; row++) words[at + CELL_BLOCK.places / 4 + row] = CELL_ROWS * block + row;
		}
	}

	/** Repeats the first bytes up to the end of the region. */
	#repeat(made: number): void {
		const all = this.arena.u8(this.region, this.bytes);
		for (let done = made; done < this.bytes; done *= 2) {
			all.copyWithin(done, 0, Math.min(done, this.bytes - done));
		}
	}
}
