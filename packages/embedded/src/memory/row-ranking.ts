import { type ArenaView, AttachedArena } from "@nigh/index";
import { METRIC_CODES } from "@nigh/kernels";
import type { Generation } from "./generation.ts";
import type { ReaderArea } from "./reader-area.ts";

/** Ranks rows that have been read from disk by their exact distance to the query in the area; the answers stay until the next {@link begin}. */
export class RowRanking {
	readonly #generation: Generation;
	readonly #view: ArenaView;
	readonly #area: ReaderArea;
	readonly #rows: Uint8Array;
	readonly #slots: Uint32Array;
	readonly #pool: { keys: Float32Array; slots: Uint32Array };
	/** How many answers there are so far. */
	found = 0;

	constructor(generation: Generation, area: ReaderArea) {
		const { memory, engine } = generation.handle;
		const { buffer } = memory;
		const { staged, stagedRows, pool } = area;
		this.#generation = generation;
		this.#view = new AttachedArena(memory, engine);
		this.#area = area;
		this.#rows = new Uint8Array(buffer, staged, stagedRows * generation.size.rowBytes);
		this.#slots = new Uint32Array(buffer, this.#slotsAt, stagedRows);
		this.#pool = { keys: new Float32Array(buffer, pool), slots: new Uint32Array(buffer, pool) };
	}

	/** Behind the keys of the rows. */
	get #slotsAt(): number {
		return this.#area.keys + 4 * this.#area.stagedRows;
	}

	begin(): void {
		this.found = 0;
	}

	/** Adds rows of those slots, in any number: the `k` nearest of all so far that may be answered are the answers. */
	add(slots: Uint32Array, rows: Uint8Array, k: number, eligibility: number): void {
		const { rowBytes } = this.#generation.size;
		const { stagedRows } = this.#area;
		for (let from = 0; from < slots.length; from += stagedRows) {
			const some = slots.subarray(from, from + stagedRows);
			this.#rows.set(rows.subarray(from * rowBytes, (from + some.length) * rowBytes));
			this.#slots.set(some);
			this.#rank(some.length, k, eligibility);
		}
	}

	/** As {@link add}, of so many consecutive slots, whose rows `read` writes where they are ranked; at most as many as there is room for. */
	addBlock(from: number, n: number, read: (into: Uint8Array) => void, k: number, eligibility: number): void {
		read(this.#rows.subarray(0, n * this.#generation.size.rowBytes));
		for (let i = 0; i < n; i++) this.#slots[i] = from + i;
		this.#rank(n, k, eligibility);
	}

	#rank(n: number, k: number, eligibility: number): void {
		const { format, size } = this.#generation.handle;
		const { kernels } = this.#view;
		const { keys, pool, query, staged } = this.#area;
		kernels.distanceBlock(METRIC_CODES[format.metric], query, staged, size.rowBytes, size.rowBytes, n, keys);
		this.found = kernels.topk(keys, this.#slotsAt, n, k, pool, this.found, eligibility);
	}

	/** The key of the answer `i`; the nearest is 0. */
	keyAt(i: number): number {
		return this.#pool.keys[2 * i] as number;
	}

	slotAt(i: number): number {
		return this.#pool.slots[2 * i + 1] as number;
	}
}
