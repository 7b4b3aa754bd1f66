import { FREE_LEVEL, NO_NODE } from "@nigh/kernels";
import { completed, permuteRows } from "../rows/permute-rows.ts";
import type { HnswGraph } from "./graph.ts";

/**
 * Moves nodes to new places: place i gets what was at `order[i]`. Nodes that are in use must all be in `order`; places behind it are free
 * afterwards. Blocks and rows move within their memory, links and the table of labels follow.
 */
export function renumber(graph: HnswGraph, order: Uint32Array): void {
	const { arena } = graph;
	const { slots, entry } = graph;
	const whole = completed(order, slots);
	const inverse = new Uint32Array(slots);
	whole.forEach((from, to) => {
		inverse[from] = to;
	});
	permuteRows(arena, graph.blocks, graph.blockStride, whole);
	if (graph.codes !== undefined) permuteRows(arena, graph.vectors, graph.vectorStride, whole);
	const levels = graph.levels().slice();
	const upperOf = graph.upperOf().slice();
	whole.forEach((from, to) => {
		graph.levels()[to] = levels[from] as number;
		graph.upperOf()[to] = upperOf[from] as number;
	});
	const map = arena.alloc(slots * 4);
	arena.u32(map, slots).set(inverse);
	arena.kernels.remapLinks(graph.address, graph.scratch(0, 1).address, map, slots);
	arena.free(map);
	if (entry !== NO_NODE) graph.setEntry(inverse[entry] as number, graph.topLevel);
	for (let node = 0; node < order.length; node++) graph.table.set(graph.labelOf(node), node);
	graph.setSlots(order.length);
}

/** Nodes in use, in their present order. */
export function usedNodes(graph: HnswGraph): Uint32Array {
	const levels = graph.levels();
	const used = new Uint32Array(graph.size);
	let n = 0;
	for (let node = 0; node < levels.length; node++) if (levels[node] !== FREE_LEVEL) used[n++] = node;
	return used;
}
