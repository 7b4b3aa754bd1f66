/**
 * Beam search on one layer (algorithm 2 of Malkov and Yashunin, arXiv 1603.09320) with one sorted pool and a cursor in place of two
 * heaps: up to an ef of some thousands, shifting a sorted array costs less than a heap's branches.
 */
import { EXPANDED_TOGETHER, SCRATCH } from "../../layout.ts";
import type { TwinMemory } from "../memory.ts";
import { expanded, type GraphState, isExpanded } from "./state.ts";

/** How many expansions lie between two looks at the abort word. */
export const BETWEEN_LOOKS = 32;

/** Puts ids[0..n) = [node] with its key into keys[0]. */
function keyOfOne(g: GraphState, node: number): number {
	g.m.storeU32(g.ids, node);
	g.keysToPayload(1);
	return g.m.loadF32(g.keys);
}

/** Greedy walk with a beam of one (algorithm 2 with ef = 1): the local minimum from `from`. */
export function descend(g: GraphState, from: number, fromLayer: number, toLayer: number): number {
	const { m, ids, keys } = g;
	let current = from;
	let best = keyOfOne(g, current);
	for (let layer = fromLayer; layer > toLayer; layer--) {
		for (let moved = true; moved; ) {
			moved = false;
			const links = g.linksOf(current, layer);
			const n = m.atomicLoadI32(links);
			m.copyWords(ids, links + 4, 4 * n);
			g.keysToPayload(n);
			for (let i = 0; i < n; i++) {
				const key = m.loadF32(keys + 4 * i);
				if (key < best) {
					best = key;
					current = m.loadU32(ids + 4 * i);
					moved = true;
				}
			}
		}
	}
	return current;
}

/** Gathers the unmarked neighbours of a node behind ids[0..n) and marks them; returns how many ids there are then. */
function gather(g: GraphState, node: number, layer: number, n: number): number {
	const { m, ids } = g;
	const links = g.linksOf(node, layer);
	const count = m.atomicLoadI32(links);
	let all = n;
	for (let i = 0; i < count; i++) {
		const neighbour = m.loadU32(links + 4 + 4 * i);
		if (g.markNew(neighbour)) {
			m.storeU32(ids + 4 * all, neighbour);
			all++;
		}
	}
	return all;
}

/** The first place of the pool from `at` on whose node has not been expanded; `size` where there is none. */
export function unexpanded(g: GraphState, at: number, size: number): number {
	let place = at;
	while (place < size && isExpanded(g.m.loadU32(g.pool + 8 * place + 4))) place++;
	return place;
}

/** Where a key goes in the sorted pool: behind equal ones. */
function placeOf(m: TwinMemory, pool: number, size: number, key: number): number {
	let low = 0;
	let high = size;
	while (low < high) {
		const mid = (low + high) >> 1;
		if (m.loadF32(pool + 8 * mid) > key) high = mid;
		else low = mid + 1;
	}
	return low;
}

/** Puts a pair into the pool, behind equal keys; where `size` is `ef`, the last pair goes, which must be farther. Returns the place. */
export function enter(g: GraphState, size: number, ef: number, key: number, node: number): number {
	const { m, pool } = g;
	const held = size < ef ? size : size - 1;
	const at = placeOf(m, pool, held, key);
	m.copyWords(pool + 8 * (at + 1), pool + 8 * at, 8 * (held - at));
	m.storeF32(pool + 8 * at, key);
	m.storeU32(pool + 8 * at + 4, node);
	return at;
}

/**
 * Searches a layer from one node. Leaves at most `ef` nearest nodes in the pool, in ascending order of key, and returns how many;
 * -1 when aborted. Every node of the pool that has been expanded has the mark of it: all but for a patience.
 *
 * With a `patience` above 0 it ends before that once so many expansions in a row have put nothing into the best `depth` of the pool, and
 * the pool holds that many (Teofili and Lin, "Patience in Proximity", ECIR 2025). Looked at after every batch of nodes that are expanded
 * together, so that up to {@link EXPANDED_TOGETHER} - 1 expansions more may be done.
 */
export function beam(g: GraphState, from: number, layer: number, ef: number, depth: number, patience: number): number {
	const most = patience === 0 ? Infinity : patience;
	const { m, pool, ids, keys } = g;
	g.unmarkAll();
	g.markNew(from);
	m.storeF32(pool, keyOfOne(g, from));
	m.storeU32(pool + 4, from);
	let size = 1;
	let cursor = 0;
	let expansions = 0;
	let look = BETWEEN_LOOKS;
	// Expansions up to the last that changed the best of the pool.
	let settled = 0;
	while (cursor < size) {
		const width = size < ef ? 1 : EXPANDED_TOGETHER;
		let n = 0;
		let next = cursor;
		for (let w = 0; w < width && next < size; w++) {
			const at = pool + 8 * next + 4;
			const node = m.loadU32(at);
			m.storeU32(at, expanded(node));
			n = gather(g, node, layer, n);
			next = unexpanded(g, next + 1, size);
			expansions++;
		}
		if (expansions >= look) {
			if (g.aborted()) return -1;
			look += BETWEEN_LOOKS;
		}
		g.keysToPayload(n);
		let changed = ef;
		for (let i = 0; i < n; i++) {
			const key = m.loadF32(keys + 4 * i);
			if (size === ef && !(key < m.loadF32(pool + 8 * (size - 1)))) continue;
			const at = enter(g, size, ef, key, m.loadU32(ids + 4 * i));
			if (size < ef) size++;
			if (at < changed) changed = at;
		}
		cursor = Math.min(next, changed);
		if (changed < depth || size < depth) settled = expansions;
		else if (expansions - settled >= most) break;
	}
	g.countExpanded(expansions);
	return size;
}

/**
 * The same where not every node may be answered: all are walked through, only eligible ones enter the pool. What is still to be
 * expanded can outgrow the pool by far, so it waits in a heap. Ends when the nearest that waits is farther than a full pool's last; -2
 * when it has expanded `most` nodes before that. Of a `patience`, only expansions of eligible nodes count: so it means as much whatever
 * share of the nodes that is.
 */
export function beamEligible(
	g: GraphState,
	from: number,
	layer: number,
	ef: number,
	most: number,
	depth: number,
	patience: number,
): number {
	const { m, eligible, pool, ids, keys } = g;
	const heap = m.loadU32(g.scratch + SCRATCH.heap);
	const last = pool + 8 * (ef - 1);
	g.unmarkAll();
	g.markNew(from);
	let size = 0;
	let waiting = push(m, heap, 0, keyOfOne(g, from), from);
	if (eligible.admits(g.labelOf(from))) {
		enter(g, 0, ef, m.loadF32(keys), from);
		size = 1;
	}
	let expansions = 0;
	// Eligible nodes expanded since the best of the pool last changed.
	let idle = 0;
	while (waiting > 0) {
		if (size === ef && m.loadF32(heap) > m.loadF32(last)) break;
		if (expansions === most) return -2;
		const node = m.loadU32(heap + 4);
		waiting = pop(m, heap, waiting);
		if (++expansions % BETWEEN_LOOKS === 0 && g.aborted()) return -1;
		const n = gather(g, node, layer, 0);
		g.keysToPayload(n);
		let changed = ef;
		for (let i = 0; i < n; i++) {
			const key = m.loadF32(keys + 4 * i);
			if (size === ef && !(key < m.loadF32(last))) continue;
			const neighbour = m.loadU32(ids + 4 * i);
			waiting = push(m, heap, waiting, key, neighbour);
			if (!eligible.admits(g.labelOf(neighbour))) continue;
			const at = enter(g, size, ef, key, neighbour);
			if (size < ef) size++;
			if (at < changed) changed = at;
		}
		if (patience === 0) continue;
		if (changed < depth || size < depth) idle = 0;
		else if (eligible.admits(g.labelOf(node)) && ++idle === patience) break;
	}
	g.countExpanded(expansions);
	return size;
}

function push(m: TwinMemory, heap: number, size: number, key: number, node: number): number {
	let at = size;
	while (at > 0) {
		const parent = (at - 1) >> 1;
		const p = heap + 8 * parent;
		if (m.loadF32(p) <= key) break;
		m.copyPair(heap + 8 * at, p);
		at = parent;
	}
	m.storeF32(heap + 8 * at, key);
	m.storeU32(heap + 8 * at + 4, node);
	return size + 1;
}

function pop(m: TwinMemory, heap: number, size: number): number {
	const left = size - 1;
	const last = heap + 8 * left;
	const key = m.loadF32(last);
	const node = m.loadU32(last + 4);
	let at = 0;
	for (;;) {
		let child = 2 * at + 1;
		if (child >= left) break;
		if (child + 1 < left && m.loadF32(heap + 8 * (child + 1)) < m.loadF32(heap + 8 * child)) child++;
		if (m.loadF32(heap + 8 * child) >= key) break;
		m.copyPair(heap + 8 * at, heap + 8 * child);
		at = child;
	}
	m.storeF32(heap + 8 * at, key);
	m.storeU32(heap + 8 * at + 4, node);
	return left;
}
