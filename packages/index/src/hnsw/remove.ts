import type { Label } from "../vector-index.ts";
import type { HnswGraph } from "./graph.ts";
import { runStep } from "./link.ts";
import { reconnect } from "./rebalance.ts";
import { EXTRA_ROOM } from "./scratch.ts";

/**
 * At most this share of the graph goes at once. A list is mended with what its removed nodes led to; where most of those go as well,
 * nothing is left to mend it with. Measured on 5,000 x 64 with nine in ten removed, recall@10 at ef 10 against a graph built anew:
 * 0.04 less in one go, less than 0.01 less in fifths.
 */
const WAVE_SHARE = 0.2;
const LEAST_WAVE = 64;

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
	if (all.length === graph.size) graph.release(all);
	else {
		for (let from = 0; from < all.length; ) {
			const wave = all.subarray(from, from + Math.max(LEAST_WAVE, Math.floor(graph.size * WAVE_SHARE)));
			removeWave(graph, wave);
			from += wave.length;
		}
		reconnect(graph);
	}
	return all.length;
}

function removeWave(graph: HnswGraph, nodes: Uint32Array): void {
	const mended = mendLinks(graph, nodes);
	graph.release(nodes);
	const { address } = graph.scratch(0, graph.parameters.efConstruction);
	for (let layer = 0; layer <= graph.topLevel; layer++) {
		for (const step of graph.linker.linkBack(layer, mended, [address])) runStep(graph, step);
	}
}

/** Replaces the links to nodes; returns the nodes of which a list was changed, ascending. */
function mendLinks(graph: HnswGraph, nodes: Uint32Array): Uint32Array {
	const { arena } = graph;
	const words = Math.ceil(graph.slots / 32);
	const scratch = graph.scratch(0, graph.parameters.efConstruction);
	// Before the two bitmaps: what fails later would leave nodes that are neither in the graph nor gone.
	graph.linker.reserve(Math.min(graph.slots, EXTRA_ROOM));
	const bitmaps = arena.alloc(words * 8);
	const mended = bitmaps + words * 4;
	try {
		const bits = arena.u32(bitmaps, words);
		for (const node of nodes) bits[node >>> 5] = (bits[node >>> 5] as number) | (1 << (node & 31));
		arena.u32(scratch.cursor, 1)[0] = 0;
		arena.kernels.repairRange(
			graph.address,
			scratch.address,
			bitmaps,
			mended,
			scratch.room,
			graph.slots,
			scratch.cursor,
		);
		return bitsOf(arena.u32(mended, words));
	} finally {
		arena.free(bitmaps);
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
