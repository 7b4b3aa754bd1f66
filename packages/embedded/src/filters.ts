import type { FilterNode, Metadata } from "@nigh/contract";
import { type Predicate, predicateOf } from "@nigh/contract";
import type { CollectionCore } from "./core.ts";
import { BITMAPS } from "./memory/reader-area.ts";
import type { Matches } from "./memory/searcher.ts";
import { Slices } from "./workers/slices.ts";

/** Records that have been written, for filters that are kept. */
export interface WrittenRecords {
	readonly labels: ArrayLike<number>;
	/** Of the record `labels[row]`. */
	metadataOf(row: number): Metadata | undefined;
}

/** Records that a filter takes in before other work of the thread gets its turn: below 2 ms. */
const AT_ONCE = 512;

interface Entry {
	readonly predicate: Predicate;
	/** Address of the bitmap. */
	readonly bitmap: number;
	matches: number;
	/** The change that the bitmap was made at. */
	change: number;
	/** Resolves when the bitmap is complete; what is written meanwhile waits in `missed`. `false`: it is not kept any more. */
	ready: Promise<boolean>;
	missed: WrittenRecords[] | undefined;
	/** Searches that are using it: it must not be given to another filter. */
	users: number;
}

/**
 * The matches of filters, as bitmaps of slots in the memory that is searched. A filter that has not been seen is evaluated once by the
 * reader worker; from then on the predicate keeps its bitmap up to date as records are written. The least recently used makes room.
 */
export class FilterCache {
	readonly #core: CollectionCore;
	/** In the order of their last use. */
	readonly #entries = new Map<string, Entry>();
	#free: number[] = [];
	/** Not kept any more, but lent: their bitmaps are not free before they are given back. */
	readonly #forgotten = new Set<Entry>();

	constructor(core: CollectionCore) {
		this.#core = core;
	}

	get size(): number {
		return this.#entries.size;
	}

	/** Another generation has other slots, and other bitmaps. */
	clear(): void {
		this.#entries.clear();
		this.#forgotten.clear();
		const { searcher } = this.#core;
		if (searcher === undefined) return;
		const { bitmaps, bitmapBytes } = searcher.area;
		this.#free = Array.from({ length: BITMAPS }, (_, i) => bitmaps + i * bitmapBytes);
	}

	/** What is kept does not hold any more; the bitmaps that are lent come back when they are given back. */
	forget(): void {
		for (const [name, entry] of this.#entries) this.#forget(name, entry);
	}

	/**
	 * Lends the matches of a filter to `use`, which must not outlive its call. `undefined`: all bitmaps are lent at the moment, or another
	 * generation took over while the filter was evaluated.
	 */
	async with<T>(node: FilterNode, use: (matches: Matches) => Promise<T>): Promise<T | undefined> {
		const entry = this.#entryFor(node);
		if (entry === undefined) return undefined;
		entry.users++;
		try {
			do if (!(await entry.ready)) return undefined;
			while (entry.missed !== undefined);
			const { bitmap, matches, change } = entry;
			const { database, change: known } = this.#core;
			// Made of a state that is not known here yet: it will be in a moment.
			if (database.view === "writer" && change > known) return undefined;
			return await use({ bitmap, count: matches, change: database.view === "shared" ? change : known });
		} finally {
			entry.users--;
			if (entry.users === 0 && this.#forgotten.delete(entry)) this.#free.push(entry.bitmap);
		}
	}

	/** Whether a filter's matches are kept, or being made. */
	has(node: FilterNode): boolean {
		return this.#entries.has(JSON.stringify(node));
	}

	/** Lends a bitmap to `use`, for matches that are not kept. `undefined`: all are lent at the moment. */
	async once<T>(use: (bitmap: number) => Promise<T>): Promise<T | undefined> {
		const { searcher } = this.#core;
		const bitmap = this.#free.pop() ?? this.#evict();
		if (bitmap === undefined) return undefined;
		try {
			return await use(bitmap);
		} finally {
			// Another generation has other bitmaps.
			if (this.#core.searcher === searcher) this.#free.push(bitmap);
		}
	}

	/** Records that have been written or changed in place. Where they are many, a filter is lent again when it has taken them all in. */
	written(records: WrittenRecords): void {
		for (const [name, entry] of this.#entries) {
			if (entry.missed !== undefined) entry.missed.push(records);
			else if (records.labels.length <= AT_ONCE) this.#apply(entry, records, 0, records.labels.length);
			else {
				entry.missed = [records];
				entry.ready = this.#takeIn(name, entry);
			}
		}
	}

	/** Takes in what has been written since, in its order. `false`: the filter is not kept any more. */
	async #takeIn(name: string, entry: Entry): Promise<boolean> {
		const slices = new Slices();
		for (let next = entry.missed?.[0]; next !== undefined; next = entry.missed?.[0]) {
			for (let from = 0; from < next.labels.length; from += AT_ONCE) {
				await slices.pause();
				// The bitmap may be another filter's by now.
				if (this.#entries.get(name) !== entry) return false;
				this.#apply(entry, next, from, Math.min(next.labels.length, from + AT_ONCE));
			}
			entry.missed?.shift();
		}
		entry.missed = undefined;
		return true;
	}

	#entryFor(node: FilterNode): Entry | undefined {
		const name = JSON.stringify(node);
		const known = this.#entries.get(name);
		if (known !== undefined && this.#isStale(known)) {
			if (known.users > 0) return undefined;
			this.#forget(name, known);
		} else if (known !== undefined) {
			this.#entries.delete(name);
			this.#entries.set(name, known);
			return known;
		}
		const bitmap = this.#free.pop() ?? this.#evict();
		if (bitmap === undefined) return undefined;
		const entry: Entry = {
			predicate: predicateOf(node),
			bitmap,
			matches: 0,
			change: 0,
			ready: Promise.resolve(false),
			missed: [],
			users: 0,
		};
		this.#entries.set(name, entry);
		entry.ready = this.#evaluate(node, name, entry);
		return entry;
	}

	/** Where writes are not acknowledged to this thread, a bitmap holds for the state alone that it was made at. */
	#isStale(entry: Entry): boolean {
		const { database, searcher } = this.#core;
		if (database.view !== "shared" || entry.missed !== undefined) return false;
		return searcher?.generation.change !== entry.change;
	}

	/** The bitmap of the filter that was used the longest ago; `undefined` where all are in use. */
	#evict(): number | undefined {
		for (const [name, entry] of this.#entries) {
			if (entry.users > 0) continue;
			this.#entries.delete(name);
			return entry.bitmap;
		}
		return undefined;
	}

	async #evaluate(node: FilterNode, name: string, entry: Entry): Promise<boolean> {
		const { database, key, searcher, now } = this.#core;
		const generation = searcher?.generation.handle.number ?? 0;
		const published = searcher?.generation.change ?? 0;
		try {
			const request = { key, generation, node, bitmap: entry.bitmap, now };
			const found = await database.threads.reader.call("match", request);
			if (found === undefined || this.#entries.get(name) !== entry) {
				if (this.#entries.get(name) === entry) this.#forget(name, entry);
				return false;
			}
			// What was committed had not come into the memory by then: its slots are lacking.
			if (database.view === "shared" && published < found.change) {
				this.#forget(name, entry);
				return false;
			}
			// Another process has written meanwhile: what is searched here is of an earlier state.
			if (database.view === "process" && found.change !== this.#core.change) {
				this.#forget(name, entry);
				return false;
			}
			entry.matches = found.matches;
			entry.change = found.change;
			return await this.#takeIn(name, entry);
		} catch (error) {
			if (this.#entries.get(name) === entry) this.#forget(name, entry);
			throw error;
		}
	}

	#forget(name: string, entry: Entry): void {
		this.#entries.delete(name);
		if (entry.users === 0) this.#free.push(entry.bitmap);
		else this.#forgotten.add(entry);
	}

	#apply(entry: Entry, records: WrittenRecords, from: number, to: number): void {
		const { searcher } = this.#core;
		if (searcher === undefined) return;
		const { generation } = searcher;
		const words = new Uint32Array(
			generation.handle.memory.buffer,
			entry.bitmap,
			Math.ceil(generation.size.capacity / 32),
		);
		for (let row = from; row < to; row++) {
			const slot = generation.slotOf(records.labels[row] as number);
			if (slot < 0) continue;
			const word = words[slot >>> 5] as number;
			const bit = 1 << (slot & 31);
			const isIn = (word & bit) !== 0;
			const matches = entry.predicate(records.metadataOf(row));
			if (matches === isIn) continue;
			words[slot >>> 5] = word ^ bit;
			entry.matches += matches ? 1 : -1;
		}
	}
}
