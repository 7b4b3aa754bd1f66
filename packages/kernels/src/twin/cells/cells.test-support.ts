import assert from "node:assert/strict";
import { Bench, bitmapOf } from "../../kernels.test-support.ts";
import {
	CELL,
	CELL_BLOCK,
	CELL_PROBE,
	CELL_ROWS,
	CELL_SEARCH,
	CELLS,
	ELIGIBILITY,
	NO_BLOCK,
	NO_PLACE,
	TERM_BYTES,
} from "../../layout.ts";

/** A row of a cell. One that has been removed still has its code, but no place any more. */
export interface TestRow {
	readonly place: number;
	readonly isRemoved: boolean;
	readonly term: number;
	readonly code: Uint8Array;
}

export interface Candidate {
	readonly key: number;
	readonly place: number;
}

export interface Probe {
	readonly cell: number;
	readonly bias: number;
}

export interface SearchOptions {
	readonly probes: readonly Probe[];
	readonly room: number;
	/** Default: no bound. */
	readonly budget?: number;
	readonly abort?: number;
}

export interface CellsOptions {
	readonly cells: number;
	/** Rows of a cell, at most; some cells are empty. */
	readonly mostRows: number;
	readonly subs: number;
	/** One more than the largest entry of a code. */
	readonly entries: number;
	/** 0, or {@link TERM_BYTES}. */
	readonly termBytes: number;
	readonly codeBytes: number;
	readonly termOf: (random: () => number) => number;
	/** Writes a row's code into the codes of a block. */
	readonly putCode: (bench: Bench, codes: number, row: number, code: Uint8Array) => void;
	/** Whether the last block ends where the memory does. */
	readonly isFlush?: boolean;
	/** Where the bench begins; see {@link Bench}. */
	readonly start?: number;
}

const LABELS = 4_096;

/** Cells of random rows in chains of blocks that are full or not, in any order, with random bytes where there is no row. */
export class TestCells {
	readonly bench: Bench;
	readonly random: () => number;
	readonly rows: readonly (readonly TestRow[])[];
	readonly cells: number;
	readonly labels: Uint32Array;
	/** Where the codes of every block's rows are. */
	readonly #placed: { readonly row: TestRow; readonly cell: number; readonly codes: number; readonly at: number }[] =
		[];
	/** Rows, removed or not, of each block of each cell. */
	readonly #fills: readonly (readonly number[])[];

	constructor(random: () => number, options: CellsOptions) {
		this.random = random;
		this.bench = new Bench(options.start === undefined ? {} : { start: options.start });
		const places = shuffled(random, 1_024);
		const rowOf = (): TestRow => ({
			place: places.pop() as number,
			isRemoved: random() < 0.2,
			term: options.termOf(random),
			code: Uint8Array.from({ length: options.subs }, () => Math.floor(options.entries * random())),
		});
		this.rows = Array.from({ length: options.cells }, () => {
			const rows = random() < 0.2 ? 0 : Math.ceil(options.mostRows * random());
			return Array.from({ length: rows }, rowOf);
		});
		this.#fills = this.rows.map(({ length }) => this.#parts(length));
		this.labels = Uint32Array.from({ length: 1_024 }, () => Math.floor(LABELS * random()));
		this.cells = this.#putCells(options);
	}

	/** Full blocks as a rule, and some that are not. */
	#parts(rows: number): number[] {
		const parts: number[] = [];
		for (let left = rows; left > 0; left -= parts.at(-1) as number) {
			const part = this.random() < 0.7 ? CELL_ROWS : Math.floor((CELL_ROWS + 1) * this.random());
			parts.push(Math.min(left, part));
		}
		return parts;
	}

	#putCells(options: CellsOptions): number {
		const { bench, random, rows } = this;
		const count = this.#fills.flat().length;
		const numbers = shuffled(random, count);
		const step = options.isFlush === true ? 16 : 64;
		const blockStride = Math.ceil((CELL_BLOCK.payload + options.termBytes + options.codeBytes) / step) * step;
		const bytes = count * blockStride;
		const blocks = options.isFlush === true ? bench.buffer.byteLength - bytes : bench.room(bytes);
		bench.write(
			blocks,
			Uint8Array.from({ length: bytes }, () => 256 * random()),
		);
		const table = bench.room(CELL.bytes * rows.length);
		for (const [cell, fills] of this.#fills.entries()) {
			const chain = fills.map(() => numbers.pop() as number);
			const { length } = rows[cell] as readonly TestRow[];
			bench.write(table + CELL.bytes * cell, Uint32Array.of(chain[0] ?? NO_BLOCK, chain.at(-1) ?? NO_BLOCK, length));
			const left = [...(rows[cell] as readonly TestRow[])];
			chain.forEach((number, i) => {
				const block = blocks + number * blockStride;
				const held = left.splice(0, fills[i]);
				bench.write(block, Uint32Array.of(chain[i + 1] ?? NO_BLOCK, held.length, cell, 0));
				const places = new Uint32Array(CELL_ROWS).fill(NO_PLACE);
				held.forEach((row, at) => {
					if (!row.isRemoved) places[at] = row.place;
					const terms = block + CELL_BLOCK.payload;
					if (options.termBytes !== 0) bench.write(terms + 4 * at, Float32Array.of(row.term));
					const codes = terms + options.termBytes;
					this.#placed.push({ row, cell, codes, at });
					options.putCode(bench, codes, at, row.code);
				});
				// A row that is being written: its place is there, but the block does not count it yet.
				if (held.length < CELL_ROWS && random() < 0.5) places[held.length] = Math.floor(1_024 * random());
				bench.write(block + CELL_BLOCK.places, places);
			});
		}
		return bench.putWords(CELLS, { table, blocks, blockStride, labels: bench.put(this.labels) });
	}

	/** Every row, removed or not, with the address of its block's codes and its number in the block. */
	forEachRow(visit: (row: TestRow, cell: number, codes: number, at: number) => void): void {
		for (const { row, cell, codes, at } of this.#placed) visit(row, cell, codes, at);
	}

	/** All cells in a random order. */
	probes(biasOf: (random: () => number) => number): Probe[] {
		return shuffled(this.random, this.rows.length).map((cell) => ({ cell, bias: biasOf(this.random) }));
	}

	/** The struct of a search. */
	search({ probes, room, budget = 2 ** 31 - 1, abort = 0 }: SearchOptions): number {
		const { bench } = this;
		const at = bench.room(CELL_PROBE.bytes * probes.length);
		probes.forEach(({ cell, bias }, i) => {
			bench.write(at + CELL_PROBE.bytes * i, Uint32Array.of(cell));
			bench.write(at + CELL_PROBE.bytes * i + CELL_PROBE.bias, Float32Array.of(bias));
		});
		const pool = bench.room(8 * room);
		return bench.putWords(CELL_SEARCH, { probes: at, count: probes.length, budget, pool, room, abort });
	}

	/** The probed cells that a budget reaches: it ends in whole cells. */
	reached({ probes, budget = Infinity }: SearchOptions): Probe[] {
		let scanned = 0;
		return probes.filter(({ cell }) => {
			if (scanned >= budget) return false;
			scanned += (this.rows[cell] as readonly TestRow[]).length;
			return true;
		});
	}

	live(cell: number): TestRow[] {
		return (this.rows[cell] as readonly TestRow[]).filter(({ isRemoved }) => !isRemoved);
	}

	/** An eligibility by both of its tests, and what it says of a label. */
	eligibility(): { at: number; admits: (label: number) => boolean } {
		const { bench, random } = this;
		const allowed = Array.from({ length: LABELS }, () => random() < 0.7);
		const born = Float64Array.from({ length: LABELS }, () => Math.floor(4 * random()));
		const died = born.map((change) => (random() < 0.3 ? change + 1 : Infinity));
		const at = bench.putWords(ELIGIBILITY, {
			allow: bench.put(bitmapOf(LABELS, (label) => allowed[label] === true)),
			allowed: LABELS - 100,
			born: bench.put(born),
			died: bench.put(died),
			dated: LABELS - 50,
		});
		bench.write(at + ELIGIBILITY.reader, Float64Array.of(2));
		return {
			at,
			admits: (label) =>
				label < LABELS - 100 && allowed[label] === true && (born[label] as number) <= 2 && (died[label] as number) > 2,
		};
	}

	/** What a scan must leave in the pool. */
	expected(
		options: SearchOptions,
		keyOf: (row: TestRow, bias: number) => number,
		admits: (label: number) => boolean = () => true,
	): Candidate[] {
		return this.reached(options)
			.flatMap(({ cell, bias }) =>
				this.live(cell)
					.filter(({ place }) => admits(this.labels[place] as number))
					.map((row) => ({ key: keyOf(row, bias), place: row.place })),
			)
			.sort((a, b) => a.key - b.key || a.place - b.place)
			.slice(0, options.room);
	}

	/** What a search has in its pool. */
	found(search: number): Candidate[] {
		const { bench } = this;
		const [pool, size] = bench.u32(search + CELL_SEARCH.pool, 2) as unknown as [number, number];
		const keys = bench.f32(pool, 2 * size);
		const places = bench.u32(pool, 2 * size);
		return Array.from({ length: size }, (_, i) => ({
			key: keys[2 * i] as number,
			place: places[2 * i + 1] as number,
		}));
	}

	/** That a search has counted the cells and rows which its budget reaches, removed rows as well. */
	checkCounts(search: number, options: SearchOptions): void {
		const reached = this.reached(options);
		const rows = reached.reduce((sum, { cell }) => sum + (this.rows[cell] as readonly TestRow[]).length, 0);
		const words = this.bench.u32(search, CELL_SEARCH.bytes / 4);
		assert.equal(words[CELL_SEARCH.next / 4], reached.length);
		assert.equal(words[CELL_SEARCH.scanned / 4], rows);
	}
}

/** The numbers below `n` in a random order. */
function shuffled(random: () => number, n: number): number[] {
	const numbers = Array.from({ length: n }, (_, i) => i);
	for (let i = n - 1; i > 0; i--) {
		const j = Math.floor((i + 1) * random());
		[numbers[i], numbers[j]] = [numbers[j] as number, numbers[i] as number];
	}
	return numbers;
}

/** The bytes of terms that rows may have: none, or one f32 each. */
export const TERMS = [0, TERM_BYTES] as const;
