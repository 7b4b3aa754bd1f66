import { beam, descend } from "./beam";
import { gatherPool, select, storeLinks } from "./select";
import { degree, entryPoint, EXPANDED, levelOf, linksOf, NONE, open, pool, queryNode, topLevel } from "./state";

/** How many nodes a lane takes from the cursor at a time. */
const CHUNK: i32 = 8;

/**
 * Finds the links of one new node in the graph as it is (algorithm 1 without the links back) and writes them into the node's own
 * lists. Reads other nodes, writes none but its own, so that a batch can be done on any number of threads with one result.
 */
@inline
function insert(node: u32, ef: i32): void {
	const entry = entryPoint();
	const level = <i32>levelOf(node);
	const top = topLevel();
	// Layers that the graph does not have yet start out without links.
	for (let layer = level; layer >= 0; layer--) atomic.store<i32>(linksOf(node, layer), 0);
	if (entry == NONE) return;
	queryNode(node);
	let current = descend(entry, top, min(level, top));
	for (let layer = min(level, top); layer >= 0; layer--) {
		const size = beam(current, layer, ef, ef, 0);
		current = load<u32>(pool, 4) & ~EXPANDED;
		const n = gatherPool(size, node);
		storeLinks(linksOf(node, layer), select(n, 0, degree));
	}
}

/** Inserts nodes[0..end), sharing them with other lanes through the cursor, a u32 in memory that starts at 0. */
export function insertRange(graph: usize, scratch: usize, ef: i32, nodes: usize, end: i32, cursor: usize): void {
	open(graph, scratch);
	for (;;) {
		const from = <i32>atomic.add<u32>(cursor, CHUNK);
		if (from >= end) return;
		const to = min(end, from + CHUNK);
		for (let i = from; i < to; i++) insert(load<u32>(nodes + (<usize>i << 2)), ef);
	}
}
