/**
 * Removal. A removed node is marked in a bitmap of nodes; then every link to it is replaced by links to what it led to, chosen by the
 * heuristic (candidates as in FreshDiskANN, arXiv 2105.09613, section 4.2). Links to nodes that stay are kept: putting whole lists to
 * the heuristic again, as it is done there, halves the mean degree at the first removal and costs recall.
 */
import { FREE_LEVEL } from "../../layout.ts";
import { gather, select, storeLinks } from "./select.ts";
import type { GraphState } from "./state.ts";

const CHUNK = 256;

function has(g: GraphState, bitmap: number, node: number): boolean {
	return (g.m.loadU32(bitmap + 4 * (node >>> 5)) & (1 << (node & 31))) !== 0;
}

/** Mends one list; returns whether it had pointed to a removed node. Collects at most `room` candidates. */
function mend(g: GraphState, node: number, layer: number, removed: number, room: number): boolean {
	const { m, ids } = g;
	const links = g.linksOf(node, layer);
	const count = m.loadI32(links);
	let lost = 0;
	for (let i = 0; i < count; i++) if (has(g, removed, m.loadU32(links + 4 + 4 * i))) lost++;
	if (lost === 0) return false;
	g.unmarkAll();
	g.markNew(node);
	let kept = 0;
	for (let i = 0; i < count; i++) {
		const neighbour = m.loadU32(links + 4 + 4 * i);
		if (has(g, removed, neighbour)) continue;
		g.markNew(neighbour);
		m.storeU32(g.selected + 4 * kept, neighbour);
		kept++;
	}
	let n = 0;
	for (let i = 0; i < count; i++) {
		const neighbour = m.loadU32(links + 4 + 4 * i);
		if (!has(g, removed, neighbour)) continue;
		const beyond = g.linksOf(neighbour, layer);
		const reach = m.loadI32(beyond);
		for (let j = 0; j < reach && n < room; j++) {
			const other = m.loadU32(beyond + 4 + 4 * j);
			if (has(g, removed, other) || !g.markNew(other)) continue;
			m.storeU32(ids + 4 * n, other);
			n++;
		}
	}
	g.queryNode(node);
	gather(g, n);
	storeLinks(g, links, select(g, n, kept, g.capacityOf(layer)));
	return true;
}

/**
 * Mends nodes 0..end, shared through the cursor. `removed` is the bitmap; removed and free nodes are left alone. `room` bounds the
 * candidates of a list (what the scratch holds). Sets a bit in `mended` for every node of which a list was changed.
 */
export function repairRange(
	g: GraphState,
	graph: number,
	scratch: number,
	removed: number,
	mended: number,
	room: number,
	end: number,
	cursor: number,
): void {
	g.open(graph, scratch);
	for (;;) {
		const from = g.m.atomicAdd(cursor, CHUNK);
		if (from >= end) return;
		const to = Math.min(end, from + CHUNK);
		for (let node = from; node < to; node++) {
			const level = g.levelOf(node);
			if (level === FREE_LEVEL || has(g, removed, node)) continue;
			let changed = false;
			for (let layer = level; layer >= 0; layer--) {
				if (mend(g, node, layer, removed, room)) changed = true;
			}
			if (changed) g.m.atomicOr(mended + 4 * (node >>> 5), 1 << (node & 31));
		}
	}
}
