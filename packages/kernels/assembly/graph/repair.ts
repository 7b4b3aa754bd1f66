/**
 * Removal. A removed node is marked in a bitmap of nodes; then every link to it is replaced by links to what it led to, chosen by the
 * heuristic (candidates as in FreshDiskANN, arXiv 2105.09613, section 4.2). Links to nodes that stay are kept: putting whole lists to
 * the heuristic again, as it is done there, halves the mean degree at the first removal and costs recall.
 */
import { gather, select, storeLinks } from "./select";
import {
	capacityOf, FREE, ids, levelOf, linksOf, markNew, open, queryNode, selected, unmarkAll,
} from "./state";

const CHUNK: i32 = 256;

@inline
function has(bitmap: usize, node: u32): bool {
	return (load<u32>(bitmap + (<usize>(node >> 5) << 2)) & (1 << (node & 31))) != 0;
}

/** Mends one list; returns whether it had pointed to a removed node. Collects at most `room` candidates. */
function mend(node: u32, layer: i32, removed: usize, room: i32): bool {
	const links = linksOf(node, layer);
	const count = load<i32>(links);
	let lost = 0;
	for (let i = 0; i < count; i++) lost += <i32>has(removed, load<u32>(links + (<usize>i << 2), 4));
	if (lost == 0) return false;
	unmarkAll();
	markNew(node);
	let kept = 0;
	for (let i = 0; i < count; i++) {
		const neighbour = load<u32>(links + (<usize>i << 2), 4);
		if (has(removed, neighbour)) continue;
		markNew(neighbour);
		store<u32>(selected + (<usize>kept << 2), neighbour);
		kept++;
	}
	let n = 0;
	for (let i = 0; i < count; i++) {
		const neighbour = load<u32>(links + (<usize>i << 2), 4);
		if (!has(removed, neighbour)) continue;
		const beyond = linksOf(neighbour, layer);
		const m = load<i32>(beyond);
		for (let j = 0; j < m && n < room; j++) {
			const other = load<u32>(beyond + (<usize>j << 2), 4);
			if (has(removed, other) || !markNew(other)) continue;
			store<u32>(ids + (<usize>n << 2), other);
			n++;
		}
	}
	queryNode(node);
	gather(n);
	storeLinks(links, select(n, kept, capacityOf(layer)));
	return true;
}

/**
 * Mends nodes 0..end, shared through the cursor. `removed` is the bitmap; removed and free nodes are left alone. `room` bounds the
 * candidates of a list (what the scratch holds). Sets a bit in `mended` for every node of which a list was changed.
 */
export function repairRange(
	graph: usize,
	scratch: usize,
	removed: usize,
	mended: usize,
	room: i32,
	end: i32,
	cursor: usize,
): void {
	open(graph, scratch);
	for (;;) {
		const from = <i32>atomic.add<u32>(cursor, CHUNK);
		if (from >= end) return;
		const to = min(end, from + CHUNK);
		for (let i = from; i < to; i++) {
			const node = <u32>i;
			const level = levelOf(node);
			if (level == FREE || has(removed, node)) continue;
			let changed = false;
			for (let layer = <i32>level; layer >= 0; layer--) {
				if (mend(node, layer, removed, room)) changed = true;
			}
			if (changed) atomic.or<u32>(mended + (<usize>(node >> 5) << 2), 1 << (node & 31));
		}
	}
}
