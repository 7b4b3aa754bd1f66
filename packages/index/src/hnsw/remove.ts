import { FREE_LEVEL, NO_NODE } from "@nigh/kernels";
import type { Label } from "../vector-index.ts";
import type { HnswGraph } from "./graph.ts";
import { reconnect } from "./rebalance.ts";

/** Bits set in a bitmap. */
const countBits = (words: Uint32Array): number => {
	let count = 0;
	for (let word of words) for (; word !== 0; word &= word - 1) count++;
	return count;
};

export interface RemoveReport {
	readonly removed: number;
	/** Nodes of which a list was mended. */
	readonly mended: number;
}

/**
 * Takes nodes out of the graph for good. Every link to one of them is replaced by links to what it led to, on every layer, so that nothing
 * ever points to a removed node; the entry point moves to a tallest remaining node; what nothing leads to any more is linked again.
 */
export function removeLabels(graph: HnswGraph, labels: Iterable<Label>): RemoveReport {
	const nodes = new Set<number>();
	for (const label of labels) {
		const node = graph.table.get(label);
		if (node !== undefined) nodes.add(node);
	}
	if (nodes.size === 0) return { removed: 0, mended: 0 };
	if (nodes.size === graph.size) {
		const removed = nodes.size;
		graph.clear();
		return { removed, mended: 0 };
	}
	const mended = mendLinks(graph, nodes);
	const { entry } = graph;
	for (const node of nodes) graph.release(node);
	if (nodes.has(entry)) {
		const next = tallest(graph);
		graph.setEntry(next, next === NO_NODE ? 0 : graph.levelOf(next));
	}
	reconnect(graph);
	return { removed: nodes.size, mended };
}

function mendLinks(graph: HnswGraph, nodes: ReadonlySet<number>): number {
	const { arena } = graph;
	const words = Math.ceil(graph.slots / 32);
	const scratch = graph.scratch(0, graph.parameters.efConstruction);
	const removed = arena.alloc(words * 4);
	const mended = arena.alloc(words * 4);
	try {
		const bits = arena.u32(removed, words);
		for (const node of nodes) bits[node >>> 5] = (bits[node >>> 5] as number) | (1 << (node & 31));
		arena.u32(scratch.cursor, 1)[0] = 0;
		arena.kernels.repairRange(
			graph.address,
			scratch.address,
			removed,
			mended,
			scratch.room,
			graph.slots,
			scratch.cursor,
		);
		return countBits(arena.u32(mended, words));
	} finally {
		arena.free(mended);
		arena.free(removed);
	}
}

/** A node of the highest level there is, or none. */
function tallest(graph: HnswGraph): number {
	const levels = graph.levels();
	let best = NO_NODE;
	for (let node = 0; node < levels.length; node++) {
		const level = levels[node] as number;
		if (level !== FREE_LEVEL && (best === NO_NODE || level > (levels[best] as number))) best = node;
	}
	return best;
}
