import { isNighError } from "@nigh/contract";
import { type AllowedWidths, adaptiveEf, type GraphReader, HNSW_BOUNDS, openReader } from "@nigh/index";
import { Generation, type GenerationHandle } from "./generation.ts";
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
	readonly matches?: Matches | undefined;
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

/** How an answer was found. */
export type Way = "index" | "filtered-index" | "filtered-scan" | "scan";

/** Searches one generation from one thread. It takes no memory; the answers stay until the next search. */
export class Searcher {
	readonly generation: Generation;
	readonly area: ReaderArea;
	#rows: RowMaker | undefined;
	readonly #query: Uint8Array;
	readonly #tail: TailScan;
	readonly #graph: GraphReader | undefined;
	/** Answers of the last search, nearest first. */
	readonly slots: number[] = [];
	readonly distances: number[] = [];
	way: Way = "scan";
	/** The beam width of the last search, where it walked. */
	ef: number | undefined;

	constructor(handle: GenerationHandle, area: ReaderArea) {
		const { memory, engine } = handle;
		this.generation = new Generation(handle);
		this.area = area;
		this.#prepare();
		this.#query = new Uint8Array(memory.buffer, area.query, handle.size.rowBytes);
		this.#tail = new TailScan(this.generation, area);
		this.#graph = area.graph === null ? undefined : openReader(memory, engine, area.graph);
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

	get hasGraph(): boolean {
		return this.#graph !== undefined;
	}

	/** Bytes that {@link search} would read to compare rows one by one, about. */
	bytesCompared({ exact, matches, k }: Pick<SlotQuery, "exact" | "matches" | "k">): number {
		const { slotEnd, size } = this.generation;
		const mainEnd = this.#graph === undefined ? 0 : this.generation.mainEnd;
		const main = exact ? Math.min(mainEnd, matches?.count ?? mainEnd) : 0;
		return main * size.rowBytes + this.#tail.bytesOf(slotEnd - mainEnd, k);
	}

	/**
	 * Searches to the end.
	 *
	 * @param mostBytes What may be read of the tail, about.
	 * @returns `false`, without answers, where it would take more: what {@link bytesCompared} tells holds for rows that codes tell apart.
	 */
	search(query: SlotQuery, mostBytes = Number.POSITIVE_INFINITY): boolean {
		const steps = this.steps(query);
		while (steps.next().done !== true) {
			if (this.#tail.bytesRead <= mostBytes) continue;
			steps.return();
			this.#forget();
			return false;
		}
		return true;
	}

	#forget(): void {
		this.slots.length = 0;
		this.distances.length = 0;
	}

	/** Searches step by step: between two steps the thread may look at its clock. What has been found so far is in the answers at the end. */
	*steps(query: SlotQuery): Generator<void, void> {
		const { generation, area } = this;
		this.#forget();
		this.#tail.bytesRead = 0;
		this.ef = undefined;
		generation.enter(area.reader);
		try {
			// Before the slots: what is below was in the main index by then.
			const mainEnd = this.#graph === undefined ? 0 : generation.mainEnd;
			const { slotEnd } = generation;
			if (mainEnd > 0) yield* this.#searchMain(query, mainEnd);
			else this.way = query.matches === undefined ? "scan" : "filtered-scan";
			if (slotEnd > mainEnd) yield* this.#searchTail(query, mainEnd, slotEnd);
		} finally {
			generation.leave(area.reader);
		}
	}

	*#searchMain(query: SlotQuery, mainEnd: number): Generator<void, void> {
		const graph = this.#graph as GraphReader;
		const { vector, k, matches } = query;
		const eligibility = this.#eligibility(query);
		const usual = this.#width(query);
		if (matches !== undefined && (query.exact || isRanked(matches.count, mainEnd, usual))) {
			return this.#rank(query, mainEnd);
		}
		if (!query.exact) {
			const { deadInMain } = this.generation;
			const { ef, allowedWidths } =
				matches === undefined ? { ef: usual } : filteredWalk(query, matches.count, mainEnd, usual);
			this.way = matches === undefined ? "index" : "filtered-index";
			this.ef = ef;
			const wanted = Math.min(k, matches?.count ?? mainEnd - deadInMain);
			const dropAfter = matches === undefined && deadInMain <= mainEnd * MOST_DROPPED;
			let found = graph.search(vector, k, { ef, eligibility, dropAfter, allowedWidths });
			if (found < wanted && dropAfter) found = graph.search(vector, k, { ef, eligibility });
			// A walk can miss parts of a graph. What was promised is min(k, matches) answers.
			if (found >= wanted) return this.#take(graph, mainEnd);
		}
		if (matches !== undefined) return this.#rank(query, mainEnd);
		this.way = "scan";
		const steps = graph.scan(vector, k, { eligibility });
		try {
			while (steps.next().done !== true) yield;
		} finally {
			// Also where the caller's time has run out: what has been found by then is the answer.
			this.#take(graph, mainEnd);
		}
	}

	/** Beam width where there is no filter. */
	#width({ k, ef }: SlotQuery): number {
		return ef ?? Math.max(this.#graph?.spec.ef ?? 0, k > 10 ? adaptiveEf(k) : k);
	}

	/** Compares the matches of a filter, one by one. */
	#rank(query: SlotQuery, mainEnd: number): void {
		const graph = this.#graph as GraphReader;
		this.way = "filtered-scan";
		graph.rankAllowed(query.vector, query.k, { eligibility: this.#eligibility(query) });
		this.#take(graph, mainEnd);
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

	/** Keeps what the graph has found. Slots beyond `mainEnd` were taken in meanwhile, and are found in the tail. */
	#take(graph: GraphReader, mainEnd: number): void {
		for (let i = 0; i < graph.count; i++) {
			const slot = graph.labelAt(i);
			if (slot >= mainEnd) continue;
			this.slots.push(slot);
			this.distances.push(graph.distanceAt(i));
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

	#eligibility({ change, matches }: SlotQuery) {
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

/** Dead slots, as a share, up to which an unfiltered walk drops them afterwards instead of minding them on the way. */
const MOST_DROPPED = 0.05;

/** Filters that let this share of the nodes through stand in the way of a walk so little that it goes through everything. */
const LARGE_SHARE = 0.2;

/**
 * Whether a filter's matches are compared one by one, most of them by their codes alone, at about 60 ns each. A walk takes about as long as
 * for so many matches, one through much that matches far less; and where few nodes match, a walk through those does not get everywhere.
 */
function isRanked(matches: number, nodes: number, usual: number): boolean {
	const perWidth = matches < LARGE_SHARE * nodes ? RANKED_PER_WIDTH : RANKED_OF_MANY;
	return matches <= perWidth * usual || matches <= LEAST_WALKED * nodes;
}

const RANKED_PER_WIDTH = 75;
const RANKED_OF_MANY = 10;
const LEAST_WALKED = 0.0125;

/**
 * How a filtered walk goes. By the time it has met ef nodes that match, of a share s, it has seen ef / s, so that the beam may be narrower
 * than without a filter. A query that lies far from what matches is not served so: up to a number its matches are compared all the same,
 * which finds them all; of more, the walk goes through those that match alone, with a wider beam where they are far apart.
 */
function filteredWalk(
	{ k, isWidthAsked }: SlotQuery,
	matches: number,
	nodes: number,
	usual: number,
): { readonly ef: number; readonly allowedWidths?: AllowedWidths } {
	const share = matches / nodes;
	if (share >= LARGE_SHARE) {
		const width = Math.max(k + 10, Math.round(usual * Math.min(1, 1.6 * Math.sqrt(share))));
		return { ef: isWidthAsked ? usual : Math.min(HNSW_BOUNDS.ef.max, width) };
	}
	if (isWidthAsked) return { ef: usual, allowedWidths: { least: usual, full: usual, widest: usual } };
	const around = { least: k + 4, full: Math.round(1.2 * usual) };
	if (matches <= RANKED_WHEN_FAR * usual) return { ef: usual, allowedWidths: { ...around, widest: 0 } };
	const ef = Math.max(k, Math.min(HNSW_BOUNDS.ef.max, Math.round(usual * Math.max(1, 0.05 / share))));
	return { ef, allowedWidths: { ...around, widest: 8 * ef } };
}

const RANKED_WHEN_FAR = 300;
