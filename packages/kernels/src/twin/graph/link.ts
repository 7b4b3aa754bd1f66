import { gather, select, storeLinks } from "./select.ts";
import type { GraphState } from "./state.ts";

const CHUNK = 32;

/** Adds links from one node to `n` others; where there is no room, all are put to the heuristic again. */
function link(g: GraphState, node: number, layer: number, others: number, n: number): void {
	const { m, ids } = g;
	const links = g.linksOf(node, layer);
	const capacity = g.capacityOf(layer);
	const count = m.loadI32(links);
	let all = count;
	m.copyWords(ids, links + 4, 4 * count);
	for (let i = 0; i < n; i++) {
		const other = m.loadU32(others + 4 * i);
		let known = other === node;
		for (let j = 0; j < count && !known; j++) known = m.loadU32(ids + 4 * j) === other;
		if (known) continue;
		m.storeU32(ids + 4 * all, other);
		all++;
	}
	if (all === count) return;
	if (all <= capacity) {
		m.copyWords(links + 4 + 4 * count, ids + 4 * count, 4 * (all - count));
		m.atomicStoreI32(links, all);
		return;
	}
	g.queryNode(node);
	gather(g, all);
	storeLinks(g, links, select(g, all, 0, capacity));
}

/**
 * Links back: target i of `targets` gets links to sources[offsets[i] .. offsets[i + 1]). Every target is in the list once and only its
 * own list is written, so lanes do not meet. A target's sources must not outnumber what the scratch's ids hold beside M0.
 */
export function linkRange(
	g: GraphState,
	graph: number,
	scratch: number,
	layer: number,
	targets: number,
	offsets: number,
	sources: number,
	end: number,
	cursor: number,
): void {
	g.open(graph, scratch);
	for (;;) {
		const from = g.m.atomicAdd(cursor, CHUNK);
		if (from >= end) return;
		const to = Math.min(end, from + CHUNK);
		for (let i = from; i < to; i++) {
			const first = g.m.loadU32(offsets + 4 * i);
			const last = g.m.loadU32(offsets + 4 * (i + 1));
			link(g, g.m.loadU32(targets + 4 * i), layer, sources + 4 * first, last - first);
		}
	}
}
