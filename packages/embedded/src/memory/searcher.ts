import { type IndexKind, isNighError } from "@nigh/contract";
import { AttachedArena } from "@nigh/index";
import { RowFiles } from "../row-files/read.ts";
import { FEW } from "./cell-search.ts";
import { DiskSearch } from "./disk-search.ts";
import { Generation, type GenerationHandle } from "./generation.ts";
import { type MainSearch, type MainState, openMain, type Way, type WidthAsked, type Widths } from "./main-search.ts";
import type { ReaderArea } from "./reader-area.ts";
import { RowMaker } from "./rows.ts";
import { TailScan, writeEligibility } from "./tail-scan.ts";
import { withinMemory } from "./within-memory.ts";

/** What one search of a generation is asked. */
export interface SlotQuery {
	/** Checked: floats, or packed bits. */
	readonly vector: Float32Array | Uint8Array;
	readonly k: number;
	/** The state that is searched. */
	readonly change: number;
	/** Compare everything. */
	readonly exact: boolean;
	/** Beam width of the graph without a filter; `undefined`: the index's. */
	readonly ef?: number | undefined;
	/** Whether the user has asked for just this width. */
	readonly isWidthAsked?: boolean;
	/** Cells to look into, candidates to compare and rows to scan, of cells; `undefined`: the index's. */
	readonly nprobe?: number | undefined;
	readonly rerank?: number | undefined;
	readonly budget?: number | undefined;
	/** Times the usual number of cells, where nobody has asked for a number. */
	readonly breadth?: number | undefined;
	readonly matches?: Matches | undefined;
	/** Leave out what the main index has not taken in: to ask its own recall. */
	readonly mainOnly?: boolean;
	/** Expansions without anything new after which a walk over the graph ends; `undefined`: none. */
	readonly patience?: number | undefined;
}

/** What a filter lets through. */
export interface Matches {
	/** Address of a bitmap by slot, in the memory of the generation. */
	readonly bitmap: number;
	/** Labels it has at most. */
	readonly count: number;
	/** The state it holds for. */
	readonly change: number;
}

const NONE = new Uint32Array(0);
const NOTHING: readonly number[] = [];

/** Searches one generation from one thread. It takes no memory; the answers stay until the next search. */
export class Searcher {
	readonly generation: Generation;
	readonly area: ReaderArea;
	#rows: RowMaker | undefined;
	readonly #query: Uint8Array;
	readonly #tail: TailScan;
	readonly #main: MainSearch | undefined;
	/** The main index where its rows are not in the memory. */
	readonly #onDisk: DiskSearch | undefined;
	/** Where the rows of the main index are that are not in the memory. */
	readonly files: RowFiles | undefined;
	/** Slots whose rows, which are on disk, decide the answer beside those that are in it: see {@link Searcher.rank}. */
	unranked: Uint32Array = NONE;
	/** Answers of the last search, nearest first. */
	readonly slots: number[] = [];
	readonly distances: number[] = [];
	way: Way = "scan";
	/** How wide the last search was, where it did not compare everything. */
	widths: Widths = {};

	constructor(handle: GenerationHandle, area: ReaderArea) {
		const { memory, engine } = handle;
		this.generation = new Generation(handle);
		this.area = area;
		this.#prepare();
		this.#query = new Uint8Array(memory.buffer, area.query, handle.size.rowBytes);
		this.#tail = new TailScan(this.generation, area);
		const { rowFiles, size } = handle;
		this.files = rowFiles === null ? undefined : new RowFiles(rowFiles.folder, size.rowBytes, rowFiles.segments);
		this.#main = area.main === null ? undefined : openMain(new AttachedArena(memory, engine), area.main, this.files);
		this.#onDisk = this.#main instanceof DiskSearch ? this.#main : undefined;
		if (this.files !== undefined) this.#openFiles(this.files);
	}

	/** What is open can be read to the end, also where whoever writes the database has removed it. What is wrong is told to those who search. */
	#openFiles(files: RowFiles): void {
		try {
			files.open();
		} catch {
			// It is tried again when a row is read.
		}
	}

	/** Gives files back: those of a generation that another has followed, or of a collection that is closed. Reads under way come to their end. */
	close(): void {
		void this.files?.close();
	}

	/** What vectors have to be. */
	get format(): RowMaker["format"] {
		return this.#rowMaker.format;
	}

	/** Spares the first search some milliseconds. Where there is no memory for it, that search is told so: here there is nobody to tell. */
	#prepare(): void {
		try {
			void this.#rowMaker;
		} catch (error) {
			if (!isNighError(error, "MEMORY_LIMIT")) throw error;
		}
	}

	get #rowMaker(): RowMaker {
		const { format } = this.generation.handle;
		this.#rows ??= withinMemory(this.generation.live, () => new RowMaker(format));
		return this.#rows;
	}

	/** What the main index is; `undefined` where everything is in the tail. */
	get mainKind(): IndexKind | undefined {
		return this.area.main?.kind;
	}

	/** Bytes that comparing everything would read, or the matches; infinite where rows are on disk. */
	bytesOfAll({ matches, k }: Pick<SlotQuery, "k" | "matches">): number {
		return this.bytesCompared({ exact: true, k, matches });
	}

	/** Bytes that {@link search} would read to compare rows one by one, about; infinite where it would have to wait for the disk. */
	bytesCompared(query: Pick<SlotQuery, "exact"> & WidthAsked): number {
		const { slotEnd } = this.generation;
		const mainEnd = this.#main === undefined ? 0 : this.generation.mainEnd;
		return this.#bytesOfMain(query, mainEnd) + this.#tail.bytesOf(slotEnd - mainEnd, query.k);
	}

	#bytesOfMain(query: Pick<SlotQuery, "exact"> & WidthAsked, mainEnd: number): number {
		if (this.#main === undefined || mainEnd === 0) return 0;
		if (!query.exact) return this.#main.bytesOf(query, mainEnd);
		const compared = Math.min(mainEnd, query.matches?.count ?? mainEnd);
		if (this.generation.handle.rowFiles !== null && compared > FEW) return Number.POSITIVE_INFINITY;
		return compared * this.generation.size.rowBytes;
	}

	/**
	 * Searches to the end, but for the rows that are on disk.
	 *
	 * @param mostBytes What may be read of the tail, about.
	 * @returns `false`, without answers, where it would take more, or wait for the disk: what {@link bytesCompared} tells holds for rows that
	 * codes tell apart.
	 */
	search(query: SlotQuery, mostBytes = Number.POSITIVE_INFINITY): boolean {
		const steps = this.steps(query);
		while (steps.next().done !== true) {
			if (this.#tail.bytesRead <= mostBytes && this.#onDisk?.waitsForDisk !== true) continue;
			steps.return();
			this.#forget();
			return false;
		}
		return true;
	}

	#forget(): void {
		this.slots.length = 0;
		this.distances.length = 0;
		this.unranked = NONE;
	}

	/**
	 * Answers with the nearest of slots whose rows have been read, beside answers that a search gave before: those of {@link unranked} after it, whatever
	 * else was searched for meanwhile.
	 */
	rank(
		query: SlotQuery,
		unranked: Uint32Array,
		rows: Uint8Array,
		given: { readonly slots: readonly number[]; readonly distances: readonly number[] },
	): void {
		const main = this.#onDisk as DiskSearch;
		this.#forget();
		// What a filter lets through has been looked at when the slots were named.
		main.rank(query, unranked, rows, this.#eligibility({ ...query, matches: undefined }));
		this.#take(main, Number.POSITIVE_INFINITY);
		const found = given.slots.map((slot, i) => ({ slot, distance: given.distances[i] as number }));
		this.#merge(found, query.k);
	}

	/** Searches step by step: between two steps the thread may look at its clock. What has been found so far is in the answers at the end. */
	*steps(query: SlotQuery): Generator<void, void> {
		const { generation, area } = this;
		this.#forget();
		this.#tail.bytesRead = 0;
		this.widths = {};
		generation.enter(area.reader);
		try {
			// Before the slots: what is below was in the main index by then.
			const mainEnd = this.#main === undefined ? 0 : generation.mainEnd;
			const { slotEnd } = generation;
			if (mainEnd > 0) yield* this.#searchMain(query, mainEnd);
			else this.way = query.matches === undefined ? "scan" : "filtered-scan";
			if (slotEnd > mainEnd && query.mainOnly !== true) yield* this.#searchTail(query, mainEnd, slotEnd);
		} finally {
			generation.leave(area.reader);
		}
	}

	/** Queries that {@link exactMany} takes at once, and answers of each; 0: none, since its area has no room for them. */
	get manyRoom(): { readonly queries: number; readonly k: number } {
		return this.area.main?.reader.many ?? { queries: 0, k: 0 };
	}

	/**
	 * The distances of the exact nearest of many queries, ascending, in one pass over the rows. Searches may come between two steps, but for another of this.
	 */
	*exactMany(
		vectors: readonly SlotQuery["vector"][],
		{ k, change, mainOnly = false }: Pick<SlotQuery, "k" | "change" | "mainOnly">,
	): Generator<void, number[][]> {
		const { generation } = this;
		const main = this.#main as MainSearch;
		const { mainEnd, inTail } = this.#nearestOfTail(mainOnly ? [] : vectors, { k, change });
		const eligibility = this.#eligibility({ change });
		yield* main.scanMany(vectors, k, { mainEnd, dead: generation.deadInMain, eligibility });
		return vectors.map((_, i) => {
			const found = main.foundOf(i);
			const distances = found.distances.filter((_, j) => (found.slots[j] as number) < mainEnd);
			return [...distances, ...(inTail[i] ?? NOTHING)].sort((a, b) => a - b).slice(0, k);
		});
	}

	/**
	 * The nearest of the tail to each of many queries. All in one turn of this reader, and where the tail begins is looked up in it: what is not in
	 * the main index by then cannot be written over. What is taken in afterwards is found in both, and known by its slot.
	 */
	#nearestOfTail(
		vectors: readonly SlotQuery["vector"][],
		{ k, change }: Pick<SlotQuery, "k" | "change">,
	): { readonly mainEnd: number; readonly inTail: readonly (readonly number[])[] } {
		const { generation, area } = this;
		generation.enter(area.reader);
		try {
			const { mainEnd } = generation;
			const { slotEnd } = generation;
			const inTail = vectors.map((vector) => {
				this.#forget();
				const query = { vector, k, change, exact: true };
				if (slotEnd > mainEnd) for (const _ of this.#searchTail(query, mainEnd, slotEnd));
				return this.distances.slice();
			});
			return { mainEnd, inTail };
		} finally {
			generation.leave(area.reader);
		}
	}

	*#searchMain(query: SlotQuery, mainEnd: number): Generator<void, void> {
		const main = this.#main as MainSearch;
		// What a search that is cut short has done is compare.
		this.way = "scan";
		// It takes long: a file that goes meanwhile can be read to the end.
		if (query.exact && this.files !== undefined) this.#openFiles(this.files);
		const state = { mainEnd, dead: this.generation.deadInMain, eligibility: this.#eligibility(query) };
		try {
			this.way = yield* main.search(query, state);
			this.widths = main.widths;
			if (this.#onDisk !== undefined) this.unranked = this.#onDisk.unranked;
		} finally {
			// Also where the caller's time has run out: what has been found by then is the answer.
			this.#take(main, mainEnd);
		}
	}

	*#searchTail(query: SlotQuery, from: number, to: number): Generator<void, void> {
		const tail = this.#tail;
		this.#query.set(this.#rowMaker.row(query.vector));
		const visible = { change: query.change, bitmap: query.matches?.bitmap };
		try {
			yield* tail.scan(query.k, from, to, writeEligibility(this.generation, this.area, visible));
		} finally {
			// Also where the caller's time has run out: what has been found by then is the answer.
			const found: { slot: number; distance: number }[] = [];
			for (let i = 0; i < tail.found; i++) {
				found.push({ slot: tail.slotAt(i), distance: this.format.distanceOf(tail.keyAt(i)) });
			}
			this.#merge(found, query.k);
		}
	}

	/** Keeps what the main index has found. Slots beyond `mainEnd` were taken in meanwhile, and are found in the tail. */
	#take(main: MainSearch, mainEnd: number): void {
		for (let i = 0; i < main.count; i++) {
			const slot = main.slotAt(i);
			if (slot >= mainEnd) continue;
			this.slots.push(slot);
			this.distances.push(main.distanceAt(i));
		}
	}

	#merge(found: readonly { slot: number; distance: number }[], k: number): void {
		const { slots, distances } = this;
		const main = slots.length;
		for (const { slot, distance } of found) {
			slots.push(slot);
			distances.push(distance);
		}
		if (main === 0) return;
		const order = slots.map((_, i) => i).sort((a, b) => (distances[a] as number) - (distances[b] as number));
		const kept = order.slice(0, k).map((i) => [slots[i] as number, distances[i] as number] as const);
		slots.length = 0;
		distances.length = 0;
		for (const [slot, distance] of kept) {
			slots.push(slot);
			distances.push(distance);
		}
	}

	#eligibility({ change, matches }: Pick<SlotQuery, "change" | "matches">): MainState["eligibility"] {
		const { tables, size } = this.generation.handle;
		return {
			born: tables.born,
			died: tables.died,
			dated: this.generation.slotEnd,
			reader: change,
			allow: matches === undefined ? undefined : { address: matches.bitmap, covered: size.capacity },
		};
	}
}
