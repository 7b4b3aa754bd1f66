import { checkInteger, NighError } from "@nigh/contract";
import type { ArenaView } from "../arena-view.ts";
import { writeEligible } from "../eligibility.ts";
import { checkAbortWord, interrupted, type ReaderScanOptions } from "../reader-call.ts";
import type { RowWriter } from "../rows/row-writer.ts";
import type { Label } from "../vector-index.ts";
import { ManyCodes } from "./codes.ts";
import { MANY_BOUNDS } from "./parameters.ts";
import { chunkRows, isCoded, layOutMany, type ManyRoom, type ManySpec, TOGETHER } from "./room.ts";

/** Rows that follow each other, and where to find them and their labels. */
export interface ManySource {
	/** Places there are. */
	readonly places: number;
	/** Bytes from one row to the next. */
	readonly stride: number;
	/** Places that can be brought at a time. */
	readonly most?: number;
	/** Whether any row can be looked at before its turn. */
	readonly isAtHand: boolean;
	/** The address of the labels (u32) of `n` places, 0xffffffff where there is no row; `room` is an address that they may be written to. */
	labelsOf(first: number, n: number, room: number): number;
	/** The address of the rows of `n` places, of which `labelsOf` has been asked. */
	rowsOf(first: number, n: number): number;
}

/** Codes are learnt from rows of so many elements, and no fewer rows than that: it is done anew for each pass. */
const SAMPLE = { elements: 2 ** 16, least: 64 } as const;
/** With fewer queries or places than this, making codes costs more than they save. */
const LEAST_CODED = { queries: 8, places: 4_096 } as const;
/** Where codes leave more than this share of the pairs of a chunk, the next chunks are compared without them. */
const SHARE = 1 / 4;
const WITHOUT = 15;

/**
 * The nearest `k` of many queries by exact keys, in one pass over rows: the answers of as many scans. The rows of a chunk are fetched, and
 * their labels are looked at, once for all queries; and once the pools are full, codes exclude most pairs before they are compared.
 */
export class ManyScan {
	readonly #arena: ArenaView;
	readonly #rows: RowWriter;
	readonly #spec: ManySpec;
	readonly #room: ManyRoom;
	readonly #codes: ManyCodes;
	readonly #sizes: Int32Array;
	readonly #answerKeys: Float32Array;
	readonly #answerLabels: Uint32Array;
	#k = 1;
	#count = 0;
	#turn = 0;

	constructor(arena: ArenaView, rows: RowWriter, spec: ManySpec) {
		this.#arena = arena;
		this.#rows = rows;
		this.#spec = spec;
		this.#room = layOutMany(rows, spec);
		this.#codes = new ManyCodes(arena, rows, this.#room);
		this.#sizes = arena.i32(this.#room.sizes, spec.queries);
		this.#answerKeys = arena.f32(this.#room.pools, 2 * spec.queries * spec.k);
		this.#answerLabels = arena.u32(this.#room.pools, 2 * spec.queries * spec.k);
	}

	/** Answers of query `i`. */
	count(i: number): number {
		return i < this.#count ? (this.#sizes[i] as number) : 0;
	}

	/** The label of answer `j` of query `i`, nearest first; equal distances in the order of labels. */
	labelAt(i: number, j: number): Label {
		return this.#answerLabels[2 * (i * this.#k + j) + 1] as number;
	}

	distanceAt(i: number, j: number): number {
		return this.#rows.distanceOf(this.#answerKeys[2 * (i * this.#k + j)] as number);
	}

	/**
	 * Goes over the places of a source; yields how many it has looked at between chunks.
	 *
	 * @throws NighError `INVALID_OPTION` for more queries or answers than there is room for; `ABORTED`; `LOCKED` when it goes on after another.
	 */
	*scan(
		source: ManySource,
		queries: readonly (Float32Array | Uint8Array)[],
		k: number,
		options: ReaderScanOptions,
	): Generator<number, void, undefined> {
		const eligibility = this.#begin(queries, k, options);
		const turn = this.#turn;
		const { places } = source;
		const pass = new Pass(this.#arena, this.#rows, this.#room, this.#codes, { source, k, count: queries.length });
		const step = Math.min(chunkRows(this.#rows.bytes), source.most ?? places);
		for (let first = 0; first < places; first += step) {
			if (first > 0) yield first;
			if (turn !== this.#turn) throw interrupted();
			checkAbortWord(this.#arena, options.abort);
			pass.chunk(first, Math.min(step, places - first), eligibility);
		}
	}

	/** Checks k, writes the queries and what may be answered; returns what kernels are to be told of that. */
	#begin(queries: readonly (Float32Array | Uint8Array)[], k: number, { eligibility }: ReaderScanOptions): number {
		checkInteger("queries", queries.length, { ...MANY_BOUNDS.queries, max: this.#spec.queries });
		checkInteger("k", k, { ...MANY_BOUNDS.k, max: this.#spec.k });
		this.#turn++;
		this.#k = k;
		this.#count = queries.length;
		this.#sizes.fill(0);
		queries.forEach((query, i) => {
			this.#rows.write(query, this.#room.queries + i * this.#rows.bytes);
		});
		return writeEligible(this.#arena, this.#room.eligibility, eligibility);
	}
}

interface PassOptions {
	readonly source: ManySource;
	readonly k: number;
	/** Queries. */
	readonly count: number;
}

/** One pass over the rows of a source. */
class Pass {
	readonly #arena: ArenaView;
	readonly #rows: RowWriter;
	readonly #room: ManyRoom;
	readonly #codes: ManyCodes;
	readonly #options: PassOptions;
	readonly #sizes: Int32Array;
	readonly #isCoded: boolean;
	/** `undefined` until there were rows to learn codes from. */
	#learnt: boolean | undefined;
	/** Chunks to compare without codes. */
	#without = 0;
	#isFull = false;

	constructor(arena: ArenaView, rows: RowWriter, room: ManyRoom, codes: ManyCodes, options: PassOptions) {
		this.#arena = arena;
		this.#rows = rows;
		this.#room = room;
		this.#codes = codes;
		this.#options = options;
		const { source, count } = options;
		this.#sizes = arena.i32(room.sizes, count);
		this.#isCoded = isCoded(rows) && count >= LEAST_CODED.queries && source.places >= LEAST_CODED.places;
	}

	chunk(first: number, n: number, eligibility: number): void {
		const { source } = this.#options;
		const { labels, numbers } = this.#room;
		const named = source.labelsOf(first, n, labels);
		const used = this.#arena.kernels.listEligible(named, n, eligibility, numbers, labels);
		if (used === 0) return;
		const rows = source.rowsOf(first, n);
		if (used === n) this.#rank(rows, source.stride, n);
		else this.#rank(this.#gather(rows, source.stride, n, used), this.#rows.bytes, used);
	}

	/** Moves the rows together that may be answered; returns where they begin. */
	#gather(from: number, stride: number, n: number, used: number): number {
		const { bytes } = this.#rows;
		const { gathered, numbers } = this.#room;
		const rows = this.#arena.u8(from, n * stride);
		const to = this.#arena.u8(gathered, used * bytes);
		this.#arena.u32(numbers, used).forEach((number, i) => {
			to.set(rows.subarray(number * stride, number * stride + bytes), i * bytes);
		});
		return gathered;
	}

	#rank(rows: number, stride: number, n: number): void {
		if (this.#without > 0 || !this.#isFull || !this.#mayExclude(rows, stride, n)) {
			this.#without = Math.max(0, this.#without - 1);
			this.#compare(rows, stride, n);
			return;
		}
		const compared = this.#codes.scan(rows, stride, n);
		if (compared > SHARE * n * this.#options.count) this.#without = WITHOUT;
	}

	/** Whether there are codes; learns them, where they are worth it, the first time. */
	#mayExclude(rows: number, stride: number, n: number): boolean {
		if (!this.#isCoded) return false;
		this.#learnt ??= this.#learn(rows, stride, n);
		return this.#learnt;
	}

	#learn(rows: number, stride: number, n: number): boolean {
		const { source, count, k } = this.#options;
		if (!source.isAtHand) return this.#codes.learn(n, (row) => rows + row * stride, count, k);
		const base = source.rowsOf(0, 1);
		const wanted = Math.max(SAMPLE.least, Math.floor(SAMPLE.elements / this.#rows.dimensions));
		const sampled = Math.min(wanted, source.places);
		const spread = (i: number) => base + Math.floor((i * source.places) / sampled) * source.stride;
		return this.#codes.learn(sampled, spread, count, k);
	}

	/** Every pair of a query and a row of the chunk. */
	#compare(rows: number, stride: number, n: number): void {
		const { kernels } = this.#arena;
		const { metricCode, bytes } = this.#rows;
		const { queries, pools, keys, labels } = this.#room;
		const { k, count } = this.#options;
		for (let from = 0; from < count; from += TOGETHER) {
			const m = Math.min(TOGETHER, count - from);
			kernels.distanceTiles(metricCode, queries + from * bytes, bytes, m, rows, stride, bytes, n, keys, 4 * n);
			for (let i = 0; i < m; i++) {
				const query = from + i;
				const size = this.#sizes[query] as number;
				this.#sizes[query] = kernels.topk(keys + 4 * i * n, labels, n, k, pools + 8 * query * k, size, 0);
			}
		}
		this.#isFull ||= this.#sizes.every((size) => size === k);
	}
}

/** The error of many queries asked of a reader that has no room for them. */
export function noRoomForMany(): NighError {
	return new NighError(
		"INVALID_OPTION",
		"this reader has no room for many queries: ask its owner for a readerSpec({ many: { queries, k } })",
		{ field: "many" },
	);
}
