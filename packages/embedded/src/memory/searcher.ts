import { adaptiveEf, type GraphReader, openReader } from "@nigh/index";
import { instantiate } from "@nigh/kernels";
import { Generation, type GenerationHandle } from "./generation.ts";
import type { ReaderArea } from "./reader-area.ts";
import { RowMaker } from "./rows.ts";
import { TailScan, writeEligibility } from "./tail-scan.ts";

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
	readonly #rows: RowMaker;
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
		const { memory, engine, format } = handle;
		this.generation = new Generation(handle);
		this.area = area;
		this.#rows = new RowMaker(format);
		this.#query = new Uint8Array(memory.buffer, area.query, handle.size.rowBytes);
		this.#tail = new TailScan(this.generation, instantiate(memory, { engine, shared: true }).kernels, area);
		this.#graph = area.graph === null ? undefined : openReader(memory, engine, area.graph);
	}

	/** What vectors have to be. */
	get format(): RowMaker["format"] {
		return this.#rows.format;
	}

	get hasGraph(): boolean {
		return this.#graph !== undefined;
	}

	/** Rows that {@link search} would compare one by one. */
	comparisons({ exact, matches }: Pick<SlotQuery, "exact" | "matches">): number {
		const { slotEnd, mainEnd } = this.generation;
		const tail = slotEnd - (this.#graph === undefined ? 0 : mainEnd);
		return exact ? (matches === undefined ? slotEnd : Math.min(slotEnd, matches.count + tail)) : tail;
	}

	/** Searches to the end. */
	search(query: SlotQuery): number {
		const steps = this.steps(query);
		while (steps.next().done !== true);
		return this.slots.length;
	}

	/** Searches step by step: between two steps the thread may look at its clock. What has been found so far is in the answers at the end. */
	*steps(query: SlotQuery): Generator<void, void> {
		const { generation, area } = this;
		this.slots.length = 0;
		this.distances.length = 0;
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
		if (matches !== undefined && (query.exact || isRanked(matches.count, mainEnd, k))) {
			return this.#rank(query, matches, mainEnd);
		}
		if (!query.exact) {
			const { deadInMain } = this.generation;
			const usual = query.ef ?? Math.max(graph.spec.ef, k > 10 ? adaptiveEf(k) : k);
			const ef = matches === undefined || query.isWidthAsked ? usual : filteredEf(k, matches.count / mainEnd, usual);
			this.way = matches === undefined ? "index" : "filtered-index";
			this.ef = ef;
			const wanted = Math.min(k, matches?.count ?? mainEnd - deadInMain);
			const dropAfter = matches === undefined && deadInMain <= mainEnd * MOST_DROPPED;
			let found = graph.search(vector, k, { ef, eligibility, dropAfter });
			if (found < wanted && dropAfter) found = graph.search(vector, k, { ef, eligibility });
			// A walk can miss parts of a graph. What was promised is min(k, matches) answers.
			if (found >= wanted) return this.#take(graph, mainEnd);
		}
		if (matches !== undefined) return this.#rank(query, matches, mainEnd);
		this.way = "scan";
		const steps = graph.scan(vector, k, { eligibility });
		while (steps.next().done !== true) yield;
		this.#take(graph, mainEnd);
	}

	/** Compares the matches of a filter, one by one. */
	#rank(query: SlotQuery, matches: Matches, mainEnd: number): void {
		const graph = this.#graph as GraphReader;
		this.way = "filtered-scan";
		graph.rank(query.vector, this.#matching(matches, mainEnd), query.k, { eligibility: this.#eligibility(query) });
		this.#take(graph, mainEnd);
	}

	*#searchTail(query: SlotQuery, from: number, to: number): Generator<void, void> {
		const tail = this.#tail;
		this.#query.set(this.#rows.row(query.vector));
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

	/** The slots of a bitmap that are in the main index. */
	#matching({ bitmap, count }: Matches, mainEnd: number): Uint32Array {
		const words = new Uint32Array(this.generation.handle.memory.buffer, bitmap, Math.ceil(mainEnd / 32));
		const slots = new Uint32Array(count);
		let found = 0;
		for (let word = 0; word < words.length; word++) {
			for (let rest = words[word] as number; rest !== 0; rest &= rest - 1) {
				const slot = 32 * word + 31 - Math.clz32(rest & -rest);
				if (slot < mainEnd && found < count) slots[found++] = slot;
			}
		}
		return slots.subarray(0, found);
	}
}

/** Dead slots, as a share, up to which an unfiltered walk drops them afterwards instead of minding them on the way. */
const MOST_DROPPED = 0.05;

/**
 * Whether a filter's matches are compared one by one. A walk that may answer a share s of the nodes goes on until it has met ef of those,
 * so about ef / s nodes; comparing all matches costs s n. Both cost about the same per node, so they meet at s = sqrt(ef / n).
 */
function isRanked(matches: number, nodes: number, k: number): boolean {
	return matches <= RANKED_FACTOR * Math.sqrt(leastEf(k) * nodes);
}

/** A step of a walk costs so many times a comparison: it reads links as well. */
const RANKED_FACTOR = 1.4;

/**
 * Beam width of a filtered walk: by the time it has met ef nodes that match it has seen ef / s, so where few match a narrow beam looks
 * around as far as a wide one without a filter.
 */
function filteredEf(k: number, share: number, usual: number): number {
	return Math.max(leastEf(k), Math.round(usual * 1.1 * Math.sqrt(Math.min(1, share))));
}

function leastEf(k: number): number {
	return k + 10;
}
