import { FREE, levelOf, linksOf, open } from "./state";

/**
 * Breadth-first search over layer 0 from `source`. `depths` (u16 a node) must be 0xffff where a node has not been reached; reached ones
 * get their distance in links, and stand in `queue` (u32 a node) in the order they were reached. Starts behind `reached` nodes that
 * earlier calls have left in both. Returns how many are reached by then.
 */
export function bfs(graph: usize, scratch: usize, source: u32, depths: usize, queue: usize, reached: i32): i32 {
	open(graph, scratch);
	if (load<u16>(depths + (<usize>source << 1)) != 0xffff) return reached;
	store<u16>(depths + (<usize>source << 1), 0);
	store<u32>(queue + (<usize>reached << 2), source);
	let head = reached;
	let tail = reached + 1;
	while (head < tail) {
		const node = load<u32>(queue + (<usize>head << 2));
		head++;
		const next = min<u32>(0xfffe, <u32>load<u16>(depths + (<usize>node << 1)) + 1);
		const links = linksOf(node, 0);
		const count = load<i32>(links);
		for (let i = 0; i < count; i++) {
			const neighbour = load<u32>(links + (<usize>i << 2), 4);
			const at = depths + (<usize>neighbour << 1);
			if (load<u16>(at) != 0xffff) continue;
			store<u16>(at, <u16>next);
			store<u32>(queue + (<usize>tail << 2), neighbour);
			tail++;
		}
	}
	return tail;
}

/**
 * Puts `n` rows of `stride` bytes into a new order in place: row i becomes what row order[i] was. Follows the cycles of the permutation
 * with one row of `spare` memory and a zeroed bitmap `done` of n bits. `stride` is a multiple of 4.
 */
export function permuteRows(base: usize, stride: usize, order: usize, n: i32, spare: usize, done: usize): void {
	for (let start = 0; start < n; start++) {
		const word = done + (<usize>(start >> 5) << 2);
		if ((load<u32>(word) & (1 << (start & 31))) != 0) continue;
		memory.copy(spare, base + <usize>start * stride, stride);
		let to = start;
		for (;;) {
			const doneAt = done + (<usize>(to >> 5) << 2);
			store<u32>(doneAt, load<u32>(doneAt) | (1 << (to & 31)));
			const from = load<i32>(order + (<usize>to << 2));
			if (from == start) break;
			memory.copy(base + <usize>to * stride, base + <usize>from * stride, stride);
			to = from;
		}
		memory.copy(base + <usize>to * stride, spare, stride);
	}
}

/** Renames the nodes in the links of nodes 0..end: node i is now newNode[i]. Run after the blocks, levels and upper numbers have moved. */
export function remapLinks(graph: usize, scratch: usize, newNode: usize, end: i32): void {
	open(graph, scratch);
	for (let i = 0; i < end; i++) {
		const level = levelOf(i);
		if (level == FREE) continue;
		for (let layer = <i32>level; layer >= 0; layer--) {
			const links = linksOf(i, layer);
			const count = load<i32>(links);
			for (let j = 0; j < count; j++) {
				const at = links + 4 + (<usize>j << 2);
				store<u32>(at, load<u32>(newNode + (<usize>load<u32>(at) << 2)));
			}
		}
	}
}
