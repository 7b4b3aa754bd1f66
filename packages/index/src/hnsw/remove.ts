import type { Label } from "../vector-index.ts";
import type { HnswGraph } from "./graph.ts";
import { runStep } from "./link.ts";
import { Reach } from "./reach.ts";
import { reconnect } from "./rebalance.ts";
import type { Scratch } from "./scratch.ts";

/**
 * At most this share of the graph goes at once. A list is mended with what its removed nodes led to; where most of those go as well,
 * nothing is left to mend it with. Measured on 5,000 x 64 with nine in ten removed, recall@10 at ef 10 against a graph built anew:
 * 0.04 less in one go, less than 0.01 less in fifths.
 */
const WAVE_SHARE = 0.2;
const LEAST_WAVE = 64;

/** Nodes that are linked back to in one step: few, since the lists for it are kept and there is only this thread to work them off. */
const LINKED_AT_A_TIME = 64;

/**
 * Takes nodes out of the graph for good. On every layer each link to one of them is replaced by links to what it led to, and the nodes
 * that got new links are linked back to, so that lists stay as full as they were. Nothing ever points to a removed node; the entry point
 * moves to a tallest node; what nothing leads to any more is linked again. Returns how many there were.
 */
export function removeLabels(graph: HnswGraph, labels: Iterable<Label>): number {
	const nodes = new Set<number>();
	for (const label of labels) {
		const node = graph.table.get(label);
		if (node !== undefined) nodes.add(node);
	}
	if (nodes.size === 0) return 0;
	const all = Uint32Array.from(nodes);
	if (all.length === graph.size) {
		graph.release(all);
		return all.length;
	}
	// All the memory at first: where there is none, nothing has been removed yet.
	const scratch = graph.scratch(0, graph.efConstruction);
	graph.linker.reserve(Math.min(graph.size, LINKED_AT_A_TIME));
	const reach = new Reach(graph);
	try {
		const bitmaps = new Bitmaps(graph);
		try {
			for (let from = 0; from < all.length; ) {
				const wave = all.subarray(from, from + Math.max(LEAST_WAVE, Math.floor(graph.size * WAVE_SHARE)));
				removeWave(graph, wave, scratch, bitmaps);
				from += wave.length;
			}
		} finally {
			bitmaps.dispose();
		}
		reconnect(graph, reach);
	} finally {
		reach.dispose();
	}
	return all.length;
}

function removeWave(graph: HnswGraph, nodes: Uint32Array, scratch: Scratch, bitmaps: Bitmaps): void {
	const { arena } = graph;
	const { removed, mended } = bitmaps.cleared(nodes);
	arena.u32(scratch.cursor, 1)[0] = 0;
	arena.kernels.repairRange(graph.address, scratch.address, removed, mended, scratch.room, graph.slots, scratch.cursor);
	graph.release(nodes);
	const changed = bitmaps.mendedNodes();
	for (let layer = 0; layer <= graph.topLevel; layer++) {
		for (const step of graph.linker.linkBack(layer, changed, [scratch.address], LINKED_AT_A_TIME)) runStep(graph, step);
	}
}

/** A bit for every node: which are removed, and of which a list was mended. */
class Bitmaps {
	readonly #graph: HnswGraph;
	readonly #words: number;
	readonly #address: number;

	constructor(graph: HnswGraph) {
		this.#graph = graph;
		this.#words = Math.ceil(graph.slots / 32);
		this.#address = graph.arena.alloc(this.#words * 8);
	}

	/** The addresses, with the bits of the removed nodes set and no other. */
	cleared(removed: Uint32Array): { removed: number; mended: number } {
		const bits = this.#graph.arena.u32(this.#address, 2 * this.#words).fill(0);
		for (const node of removed) bits[node >>> 5] = (bits[node >>> 5] as number) | (1 << (node & 31));
		return { removed: this.#address, mended: this.#address + 4 * this.#words };
	}

	/** The nodes of which a list was mended, ascending. */
	mendedNodes(): Uint32Array {
		return bitsOf(this.#graph.arena.u32(this.#address + 4 * this.#words, this.#words));
	}

	dispose(): void {
		this.#graph.arena.free(this.#address);
	}
}

/** The numbers of the bits that are set, ascending. */
function bitsOf(words: Uint32Array): Uint32Array {
	const numbers: number[] = [];
	words.forEach((word, at) => {
		for (let rest = word; rest !== 0; rest &= rest - 1) numbers.push(32 * at + 31 - Math.clz32(rest & -rest));
	});
	return Uint32Array.from(numbers);
}
