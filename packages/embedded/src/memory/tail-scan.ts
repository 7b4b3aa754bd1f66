import { type ArenaView, AttachedArena, type BoundScratch, BoundSearch, type CodedRows, longestOf } from "@nigh/index";
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
/**
 * The share of a chunk that codes may leave, unless more than half of it is asked for. Where they leave more, they do not tell the rows
 * apart, and cost more than they save.
 */
const MOST_LEFT = 1 / 8;
/** What a row that codes could not exclude costs beside its own bytes, as if it were bytes that are read one after the other. */
const LEFT_BYTES = 1_024;

/** The exact nearest of the tail. */
export class TailScan {
	readonly #generation: Generation;
	readonly #view: ArenaView;
	readonly #area: ReaderArea;
	readonly #metric: number;
	readonly #pool: { keys: Float32Array; slots: Uint32Array };
	readonly #coded: CodedRows | undefined;
	/** How many answers the last scan gave, so far as it has come. */
	found = 0;
	/** Bytes that it has read, about. */
	bytesRead = 0;

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

	/** Bytes that a scan of so many rows will read, about; more, where codes do not tell the rows apart. */
	bytesOf(rows: number, k: number): number {
		return rows * (this.#codesFor(rows, k)?.codeStride ?? this.#generation.size.rowBytes);
	}

	#codesFor(rows: number, k: number): CodedRows | undefined {
		return rows >= LEAST_CODED && rows >= MANY * k ? this.#coded : undefined;
	}

	/**
	 * Looks for the `k` nearest of the slots from `from` to below `to`, some at a time: between two steps the answers are those of what has
	 * been looked at. The query's row lies in the area.
	 */
	*scan(k: number, from: number, to: number, eligibility: number): Generator<void> {
		this.found = 0;
		this.bytesRead = 0;
		const { ringRows } = this.#generation.size;
		const coded = this.#codesFor(to - from, k);
		let codes = coded && new BoundSearch(coded, this.#scratch(), k);
		for (let slot = from; slot < to; ) {
			const at = slot % ringRows;
			const n = Math.min(CHUNK_ROWS, to - slot, ringRows - at);
			if (codes === undefined) this.#compare(at, n, k, eligibility);
			else {
				const left = this.#judge(codes, at, n, k, eligibility);
				if (n === CHUNK_ROWS && left > Math.max(n * MOST_LEFT, 2 * k)) codes = undefined;
			}
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

	#scratch(): BoundScratch {
		const { bounds, boundPool, kept, query } = this.#area;
		return {
			struct: bounds,
			row: query,
			planes: bounds + BOUND_QUERY.bytes,
			pool: boundPool,
			keptRows: kept,
			keptBounds: kept + 4 * CHUNK_ROWS,
		};
	}

	/** Every row by its exact key. */
	#compare(at: number, n: number, k: number, eligibility: number): void {
		const { handle, size } = this.#generation;
		const { kernels } = this.#view;
		const { keys, pool, query } = this.#area;
		const { rowBytes } = size;
		kernels.distanceBlock(this.#metric, query, this.#generation.ringRow(at), rowBytes, rowBytes, n, keys);
		const slots = handle.tables.ringSlots + 4 * at;
		this.found = kernels.topk(keys, slots, n, k, pool, this.found, eligibility);
		this.bytesRead += n * rowBytes;
	}

	/** Every row by its code, then those that codes cannot exclude by their exact keys: the same answers. Returns how many those were. */
	#judge(codes: BoundSearch, at: number, n: number, k: number, eligibility: number): number {
		const { size, handle, ringSlots } = this.#generation;
		const { kernels } = this.#view;
		const { keys, pool, query } = this.#area;
		const { rowBytes } = size;
		codes.scan(at, n, eligibility);
		const rows = codes.survivors();
		const ids = keys + 4 * CHUNK_ROWS;
		const places = this.#view.u32(ids, rows.length);
		places.set(rows);
		kernels.distanceMany(this.#metric, query, handle.tables.ring, rowBytes, rowBytes, ids, rows.length, keys);
		rows.forEach((row, i) => {
			places[i] = ringSlots[row] as number;
		});
		// Whether they may be answered has been asked when they were judged.
		this.found = kernels.topk(keys, ids, rows.length, k, pool, this.found, 0);
		this.bytesRead += n * (this.#coded?.codeStride ?? 0) + rows.length * (rowBytes + LEFT_BYTES);
		return rows.length;
	}
}
