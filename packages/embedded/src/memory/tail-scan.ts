import { type ArenaView, AttachedArena, BoundSearch, type CodedRows, longestOf } from "@nigh/index";
import { BOUND_QUERY, ELIGIBILITY, METRIC_CODES } from "@nigh/kernels";
import type { Generation, TailCodes } from "./generation.ts";
import { CHUNK_ROWS, type ReaderArea } from "./reader-area.ts";
import { tailCodeBytes, tailCoder } from "./tail-codes.ts";

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

/** Fewer rows are compared at once: coding the query would cost more than it saves. */
const LEAST_CODED = 1_024;
/** Codes exclude next to nothing when one in so many rows is asked for. */
const MANY = 8;

/** The exact nearest of the tail. */
export class TailScan {
	readonly #generation: Generation;
	readonly #view: ArenaView;
	readonly #area: ReaderArea;
	readonly #metric: number;
	readonly #pool: { keys: Float32Array; slots: Uint32Array };
	readonly #coded: CodedRows | undefined;
	/** How many answers the last scan gave. */
	found = 0;

	constructor(generation: Generation, area: ReaderArea) {
		const { memory, engine, format, tailCodes } = generation.handle;
		const { buffer } = memory;
		this.#generation = generation;
		this.#view = new AttachedArena(memory, engine);
		this.#area = area;
		this.#metric = METRIC_CODES[format.metric];
		this.#pool = { keys: new Float32Array(buffer, area.pool), slots: new Uint32Array(buffer, area.pool) };
		this.#coded = tailCodes === null ? undefined : this.#codedRows(tailCodes);
	}

	#codedRows(tailCodes: TailCodes): CodedRows {
		const { handle, size } = this.#generation;
		const { metric, dimensions } = handle.format;
		const codes = tailCoder(this.#view, handle, tailCodes);
		return {
			arena: this.#view,
			format: { metric, dimensions, bytes: size.rowBytes },
			codes,
			codeRows: tailCodes.rows,
			codeStride: tailCodeBytes(handle.format).stride,
			labels: handle.tables.ringSlots,
			zeroRow: this.#area.bounds + BOUND_QUERY.bytes + 2 * codes.bytes,
			...longestOf(this.#view, codes, dimensions),
		};
	}

	/** Bytes that a scan of so many rows reads, about. */
	bytesOf(rows: number): number {
		return rows * (this.#coded?.codeStride ?? this.#generation.size.rowBytes);
	}

	/**
	 * Looks for the `k` nearest of the slots from `from` to below `to`, some at a time. The query's row lies in the area. Where it is ended
	 * early, the answers are those of what has been looked at.
	 */
	scan(k: number, from: number, to: number, eligibility: number): Generator<void> {
		this.found = 0;
		const isCoded = this.#coded !== undefined && to - from >= LEAST_CODED && to - from >= MANY * k;
		return isCoded ? this.#scanCodes(this.#coded, k, from, to, eligibility) : this.#scanRows(k, from, to, eligibility);
	}

	/** The key of the answer `i`; the nearest is 0. */
	keyAt(i: number): number {
		return this.#pool.keys[2 * i] as number;
	}

	slotAt(i: number): number {
		return this.#pool.slots[2 * i + 1] as number;
	}

	/** Every row by its exact key. */
	*#scanRows(k: number, from: number, to: number, eligibility: number): Generator<void> {
		const { handle, size } = this.#generation;
		const { kernels } = this.#view;
		const { keys, pool, query } = this.#area;
		const { rowBytes } = size;
		for (const [at, n] of this.#chunks(from, to)) {
			kernels.distanceBlock(this.#metric, query, this.#generation.ringRow(at), rowBytes, rowBytes, n, keys);
			const slots = handle.tables.ringSlots + 4 * at;
			this.found = kernels.topk(keys, slots, n, k, pool, this.found, eligibility);
			yield;
		}
	}

	/** Every row by its code, then the few that codes cannot exclude by their exact keys: the same answers. */
	*#scanCodes(rows: CodedRows, k: number, from: number, to: number, eligibility: number): Generator<void> {
		const { bounds, boundPool, kept, query } = this.#area;
		const scratch = {
			struct: bounds,
			row: query,
			planes: bounds + BOUND_QUERY.bytes,
			pool: boundPool,
			keptRows: kept,
			keptBounds: kept + 4 * CHUNK_ROWS,
		};
		const search = new BoundSearch(rows, scratch, k);
		try {
			for (const [at, n] of this.#chunks(from, to)) {
				search.scan(at, n, eligibility);
				yield;
			}
		} finally {
			this.#rank(search.survivors(), k);
		}
	}

	#rank(rows: readonly number[], k: number): void {
		const { size, handle, ringSlots } = this.#generation;
		const { kernels } = this.#view;
		const { keys, pool, query } = this.#area;
		const ids = keys + 4 * CHUNK_ROWS;
		for (let from = 0; from < rows.length; from += CHUNK_ROWS) {
			const part = rows.slice(from, from + CHUNK_ROWS);
			const places = this.#view.u32(ids, part.length);
			places.set(part);
			kernels.distanceMany(
				this.#metric,
				query,
				handle.tables.ring,
				size.rowBytes,
				size.rowBytes,
				ids,
				part.length,
				keys,
			);
			part.forEach((at, i) => {
				places[i] = ringSlots[at] as number;
			});
			// Whether they may be answered has been asked when they were kept.
			this.found = kernels.topk(keys, ids, part.length, k, pool, this.found, 0);
		}
	}

	/** Ring rows that follow each other, and how many. */
	*#chunks(from: number, to: number): Generator<readonly [at: number, n: number]> {
		const { ringRows } = this.#generation.size;
		for (let slot = from; slot < to; ) {
			const at = slot % ringRows;
			const n = Math.min(CHUNK_ROWS, to - slot, ringRows - at);
			yield [at, n];
			slot += n;
		}
	}
}
