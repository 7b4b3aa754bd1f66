import { ELIGIBILITY, EXPANDED_TOGETHER, rowBytes, SCRATCH } from "@nigh/kernels";
import type { HnswGraph } from "./graph.ts";

/** Beside a beam, the lists hold at least so many nodes more than M0: links back to one node in one call, candidates of a repair. */
export const EXTRA_ROOM = 1_024;

const PAIR = 8;

/** The working memory of one thread: marks, pool, lists, the query. Grows with the graph and with ef. */
export class Scratch {
	readonly address: number;
	/** Nodes the lists hold. */
	room = 0;
	readonly #graph: HnswGraph;
	#nodes = 0;
	#lists = 0;
	#marks = 0;
	#heap = 0;
	#heapNodes = 0;
	readonly query: number;
	readonly queryCode: number;
	readonly eligibility: number;
	/** A u32 that lanes of one call share: only the first lane's is used. */
	readonly cursor: number;

	constructor(graph: HnswGraph) {
		this.#graph = graph;
		const { arena } = graph;
		this.address = arena.alloc(SCRATCH.bytes);
		this.query = arena.alloc(graph.rows.bytes);
		// The norm stands behind the codes.
		this.queryCode = arena.alloc(rowBytes(graph.payloadBytes) + 16);
		this.eligibility = arena.alloc(ELIGIBILITY.bytes);
		this.cursor = arena.alloc(4);
		this.set("query", this.query);
		this.set("queryCode", this.queryCode);
	}

	get bytes(): number {
		return this.#nodes * 2 + this.#heapNodes * PAIR + this.room * (3 * PAIR + 12) + SCRATCH.bytes;
	}

	/** Makes room for a graph of so many nodes and a beam of `ef`. */
	fit(nodes: number, ef: number): void {
		const { arena, M0 } = this.#graph;
		if (nodes > this.#nodes) {
			arena.free(this.#marks);
			// Nothing is left to be freed again where the arena ends here.
			this.#marks = 0;
			this.#nodes = 0;
			this.#marks = arena.alloc(nodes * 2);
			this.#nodes = nodes;
			this.set("marks", this.#marks);
			this.set("markCount", nodes);
			this.set("mark", 0);
		}
		const room = Math.max(ef, EXTRA_ROOM, EXPANDED_TOGETHER * M0) + M0 + 1;
		if (room > this.room) {
			arena.free(this.#lists);
			this.#lists = 0;
			this.room = 0;
			this.#lists = arena.alloc(room * (3 * PAIR + 12));
			this.room = room;
			let at = this.#lists;
			for (const pairs of ["pool", "candidates", "answer"] as const) {
				this.set(pairs, at);
				at += room * PAIR;
			}
			for (const words of ["ids", "keys", "selected"] as const) {
				this.set(words, at);
				at += room * 4;
			}
		}
	}

	/** Makes room for the heap of a search that may not answer every node. */
	fitHeap(): void {
		if (this.#heapNodes >= this.#graph.capacity) return;
		this.#graph.arena.free(this.#heap);
		this.#heap = 0;
		this.#heapNodes = 0;
		this.#heap = this.#graph.arena.alloc((this.#graph.capacity + 1) * PAIR);
		this.#heapNodes = this.#graph.capacity;
		this.set("heap", this.#heap);
	}

	get(field: keyof typeof SCRATCH): number {
		return this.#graph.arena.u32(this.address, SCRATCH.bytes / 4)[SCRATCH[field] / 4] as number;
	}

	set(field: keyof typeof SCRATCH, value: number): void {
		this.#graph.arena.u32(this.address, SCRATCH.bytes / 4)[SCRATCH[field] / 4] = value;
	}

	dispose(): void {
		const { arena } = this.#graph;
		for (const address of [
			this.#marks,
			this.#lists,
			this.#heap,
			this.query,
			this.queryCode,
			this.eligibility,
			this.cursor,
			this.address,
		]) {
			arena.free(address);
		}
	}
}
