import { type Arena, ELIGIBILITY, type Kernels, METRIC_CODES } from "@nigh/kernels";
import type { Generation } from "./generation.ts";
import { CHUNK_ROWS, type ReaderArea } from "./reader-area.ts";

/** Which slots may be answered: those a reader at `change` sees, and of them only those with a bit, where there is a bitmap. */
export interface Visible {
	readonly change: number;
	/** Address of a bitmap by slot. */
	readonly bitmap?: number | undefined;
}

/** Writes the struct that kernels read; returns its address. */
export function writeEligibility(generation: Generation, area: ReaderArea, { change, bitmap }: Visible): number {
	const { handle, slotEnd, size } = generation;
	const { buffer } = handle.memory;
	const words = new Uint32Array(buffer, area.eligibility, ELIGIBILITY.bytes / 4);
	words[ELIGIBILITY.allow / 4] = bitmap ?? 0;
	words[ELIGIBILITY.allowed / 4] = size.capacity;
	words[ELIGIBILITY.born / 4] = handle.tables.born;
	words[ELIGIBILITY.died / 4] = handle.tables.died;
	words[ELIGIBILITY.dated / 4] = slotEnd;
	new Float64Array(buffer, area.eligibility + ELIGIBILITY.reader, 1)[0] = change;
	return area.eligibility;
}

/** The exact nearest of the tail. */
export class TailScan {
	readonly #generation: Generation;
	readonly #kernels: Kernels;
	readonly #area: ReaderArea;
	readonly #metric: number;
	readonly #pool: { keys: Float32Array; slots: Uint32Array };
	/** How many answers the last scan gave. */
	found = 0;

	constructor(generation: Generation, kernels: Arena["kernels"], area: ReaderArea) {
		const { handle } = generation;
		const { buffer } = handle.memory;
		this.#generation = generation;
		this.#kernels = kernels;
		this.#area = area;
		this.#metric = METRIC_CODES[handle.format.metric];
		this.#pool = { keys: new Float32Array(buffer, area.pool), slots: new Uint32Array(buffer, area.pool) };
	}

	/** Begins to look for the `k` nearest. The query's row lies in the area. */
	*scan(k: number, from: number, to: number, eligibility: number): Generator<void> {
		const { ringRows } = this.#generation.size;
		this.found = 0;
		for (let slot = from; slot < to; ) {
			const at = slot % ringRows;
			const n = Math.min(CHUNK_ROWS, to - slot, ringRows - at);
			this.#chunk(at, n, k, eligibility);
			slot += n;
			yield;
		}
	}

	/** The key of the answer `i`; the nearest is 0. */
	keyAt(i: number): number {
		return this.#pool.keys[2 * i] as number;
	}

	slotAt(i: number): number {
		return this.#pool.slots[2 * i + 1] as number;
	}

	#chunk(at: number, n: number, k: number, eligibility: number): void {
		const { handle, size } = this.#generation;
		const { keys, pool, query } = this.#area;
		const { rowBytes } = size;
		this.#kernels.distanceBlock(this.#metric, query, this.#generation.ringRow(at), rowBytes, rowBytes, n, keys);
		const slots = handle.tables.ringSlots + 4 * at;
		this.found = this.#kernels.topk(keys, slots, n, k, pool, this.found, eligibility);
	}
}
