import { NO_NODE } from "../../layout.ts";
import { beam, descend } from "./beam.ts";
import { gatherPool, select, storeLinks } from "./select.ts";
import { type GraphState, plain } from "./state.ts";

/** How many nodes a lane takes from the cursor at a time. */
const CHUNK = 8;

/**
 * Finds the links of one new node in the graph as it is (algorithm 1 without the links back) and writes them into the node's own
 * lists. Reads other nodes, writes none but its own, so that a batch can be done on any number of threads with one result.
 */
function insert(g: GraphState, node: number, ef: number): void {
	const entry = g.entryPoint();
	const level = g.levelOf(node);
	const top = g.topLevel();
	// Layers that the graph does not have yet start out without links.
	for (let layer = level; layer >= 0; layer--) g.m.atomicStoreI32(g.linksOf(node, layer), 0);
	if (entry === NO_NODE) return;
	g.queryNode(node);
	let current = descend(g, entry, top, Math.min(level, top));
	for (let layer = Math.min(level, top); layer >= 0; layer--) {
		const size = beam(g, current, layer, ef, ef, 0);
		current = plain(g.m.loadU32(g.pool + 4));
		const n = gatherPool(g, size, node);
		storeLinks(g, g.linksOf(node, layer), select(g, n, 0, g.degree));
	}
}

/** Inserts nodes[0..end), sharing them with other lanes through the cursor, a u32 in memory that starts at 0. */
export function insertRange(
	g: GraphState,
	graph: number,
	scratch: number,
	ef: number,
	nodes: number,
	end: number,
	cursor: number,
): void {
	g.open(graph, scratch);
	for (;;) {
		const from = g.m.atomicAdd(cursor, CHUNK);
		if (from >= end) return;
		const to = Math.min(end, from + CHUNK);
		for (let i = from; i < to; i++) insert(g, g.m.loadU32(nodes + 4 * i), ef);
	}
}
