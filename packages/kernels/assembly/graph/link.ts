import { gather, select, storeLinks } from "./select";
import { capacityOf, ids, linksOf, open, queryNode } from "./state";

const CHUNK: i32 = 32;

/** Adds links from one node to `n` others; where there is no room, all are put to the heuristic again. */
@inline
function link(node: u32, layer: i32, others: usize, n: i32): void {
	const links = linksOf(node, layer);
	const capacity = capacityOf(layer);
	const count = load<i32>(links);
	let all = count;
	memory.copy(ids, links + 4, <usize>count << 2);
	for (let i = 0; i < n; i++) {
		const other = load<u32>(others + (<usize>i << 2));
		let known = other == node;
		for (let j = 0; j < count && !known; j++) known = load<u32>(ids + (<usize>j << 2)) == other;
		if (known) continue;
		store<u32>(ids + (<usize>all << 2), other);
		all++;
	}
	if (all == count) return;
	if (all <= capacity) {
		memory.copy(links + 4 + (<usize>count << 2), ids + (<usize>count << 2), <usize>(all - count) << 2);
		atomic.store<i32>(links, all);
		return;
	}
	queryNode(node);
	gather(all);
	storeLinks(links, select(all, 0, capacity));
}

/**
 * Links back: target i of `targets` gets links to sources[offsets[i] .. offsets[i + 1]). Every target is in the list once and only its
 * own list is written, so lanes do not meet. A target's sources must not outnumber what the scratch's ids hold beside M0.
 */
export function linkRange(
	graph: usize,
	scratch: usize,
	layer: i32,
	targets: usize,
	offsets: usize,
	sources: usize,
	end: i32,
	cursor: usize,
): void {
	open(graph, scratch);
	for (;;) {
		const from = <i32>atomic.add<u32>(cursor, CHUNK);
		if (from >= end) return;
		const to = min(end, from + CHUNK);
		for (let i = from; i < to; i++) {
			const first = load<u32>(offsets + (<usize>i << 2));
			const last = load<u32>(offsets + (<usize>i << 2), 4);
			link(load<u32>(targets + (<usize>i << 2)), layer, sources + (<usize>first << 2), <i32>(last - first));
		}
	}
}
