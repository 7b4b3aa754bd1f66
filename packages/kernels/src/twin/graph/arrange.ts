import { FREE_LEVEL } from "../../layout.ts";
import type { TwinMemory } from "../memory.ts";
import type { GraphState } from "./state.ts";

const UNREACHED = 0xffff;

/**
 * Breadth-first search over layer 0 from `source`. `depths` (u16 a node) must be 0xffff where a node has not been reached; reached ones
 * get their distance in links, and stand in `queue` (u32 a node) in the order they were reached. Starts behind `reached` nodes that
 * earlier calls have left in both. Returns how many are reached by then.
 */
export function bfs(
	g: GraphState,
	graph: number,
	scratch: number,
	source: number,
	depths: number,
	queue: number,
	reached: number,
): number {
	g.open(graph, scratch);
	const { m } = g;
	if (m.loadU16(depths + 2 * source) !== UNREACHED) return reached;
	m.storeU16(depths + 2 * source, 0);
	m.storeU32(queue + 4 * reached, source);
	let head = reached;
	let tail = reached + 1;
	while (head < tail) {
		const node = m.loadU32(queue + 4 * head);
		head++;
		const next = Math.min(UNREACHED - 1, m.loadU16(depths + 2 * node) + 1);
		const links = g.linksOf(node, 0);
		const count = m.loadI32(links);
		for (let i = 0; i < count; i++) {
			const neighbour = m.loadU32(links + 4 + 4 * i);
			const at = depths + 2 * neighbour;
			if (m.loadU16(at) !== UNREACHED) continue;
			m.storeU16(at, next);
			m.storeU32(queue + 4 * tail, neighbour);
			tail++;
		}
	}
	return tail;
}

/**
 * Puts `n` rows of `stride` bytes into a new order in place: row i becomes what row order[i] was. Follows the cycles of the permutation
 * with one row of `spare` memory and a zeroed bitmap `done` of n bits. `stride` is a multiple of 4.
 */
export function permuteRows(
	m: TwinMemory,
	base: number,
	stride: number,
	order: number,
	n: number,
	spare: number,
	done: number,
): void {
	for (let start = 0; start < n; start++) {
		if ((m.loadU32(done + 4 * (start >>> 5)) & (1 << (start & 31))) !== 0) continue;
		m.copyWords(spare, base + start * stride, stride);
		let to = start;
		for (;;) {
			const doneAt = done + 4 * (to >>> 5);
			m.storeU32(doneAt, m.loadU32(doneAt) | (1 << (to & 31)));
			const from = m.loadI32(order + 4 * to);
			if (from === start) break;
			m.copyWords(base + to * stride, base + from * stride, stride);
			to = from;
		}
		m.copyWords(base + to * stride, spare, stride);
	}
}

/** Renames the nodes in the links of nodes 0..end: node i is now newNode[i]. Run after the blocks, levels and upper numbers have moved. */
export function remapLinks(g: GraphState, graph: number, scratch: number, newNode: number, end: number): void {
	g.open(graph, scratch);
	const { m } = g;
	for (let node = 0; node < end; node++) {
		const level = g.levelOf(node);
		if (level === FREE_LEVEL) continue;
		for (let layer = level; layer >= 0; layer--) {
			const links = g.linksOf(node, layer);
			const count = m.loadI32(links);
			for (let j = 0; j < count; j++) {
				const at = links + 4 + 4 * j;
				m.storeU32(at, m.loadU32(newNode + 4 * m.loadU32(at)));
			}
		}
	}
}
