/**
 * Beam search on one layer (algorithm 2 of Malkov and Yashunin, arXiv 1603.09320) with one sorted pool and a cursor in place of two
 * heaps: up to an ef of some thousands, shifting a sorted array costs less than a heap's branches.
 */
import { SCRATCH } from "../../layout.ts";
import type { TwinMemory } from "../memory.ts";
import { expanded, type GraphState, isExpanded } from "./state.ts";

/** How many expansions lie between two looks at the abort word. */
const PATIENCE = 32;

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

/** Gathers the unmarked neighbours of a node into ids, marks them, computes their keys; returns how many. */
function expand(g: GraphState, node: number, layer: number): number {
	const { m, ids } = g;
	const links = g.linksOf(node, layer);
	const count = m.atomicLoadI32(links);
	let n = 0;
	for (let i = 0; i < count; i++) {
		const neighbour = m.loadU32(links + 4 + 4 * i);
		if (g.markNew(neighbour)) {
			m.storeU32(ids + 4 * n, neighbour);
			n++;
		}
	}
	g.keysToPayload(n);
	return n;
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

/** Shifts the pool's pairs from `low` on (the last one out where the pool of `size` is full) and writes one there. */
function insertPair(m: TwinMemory, pool: number, size: number, low: number, key: number, node: number): void {
	const to = pool + 8 * low;
	m.copyWords(to + 8, to, 8 * (size - 1 - low));
	m.storeF32(to, key);
	m.storeU32(to + 4, node);
}

/**
 * Searches a layer from one node. Leaves at most `ef` nearest nodes in the pool, in ascending order of key, and returns how many;
 * -1 when aborted. Every node of the pool has the mark of having been expanded.
 */
export function beam(g: GraphState, from: number, layer: number, ef: number): number {
	const { m, pool, ids, keys } = g;
	g.unmarkAll();
	g.markNew(from);
	m.storeF32(pool, keyOfOne(g, from));
	m.storeU32(pool + 4, from);
	let size = 1;
	let cursor = 0;
	let expansions = 0;
	while (cursor < size) {
		const at = pool + 8 * cursor + 4;
		const node = m.loadU32(at);
		m.storeU32(at, expanded(node));
		if (++expansions % PATIENCE === 0 && g.aborted()) return -1;
		const n = expand(g, node, layer);
		let first = size;
		for (let i = 0; i < n; i++) {
			const key = m.loadF32(keys + 4 * i);
			if (size === ef && !(key < m.loadF32(pool + 8 * (size - 1)))) continue;
			const low = placeOf(m, pool, size, key);
			if (size < ef) size++;
			insertPair(m, pool, size, low, key, m.loadU32(ids + 4 * i));
			if (low < first) first = low;
		}
		cursor = first <= cursor ? first : cursor + 1;
		while (cursor < size && isExpanded(m.loadU32(pool + 8 * cursor + 4))) cursor++;
	}
	g.countExpanded(expansions);
	return size;
}

/**
 * The same where not every node may be answered: all are walked through, only eligible ones enter the pool. What is still to be
 * expanded can outgrow the pool by far, so it waits in a heap. Ends when the nearest that waits is farther than a full pool's last.
 */
export function beamEligible(g: GraphState, from: number, layer: number, ef: number): number {
	const { m, eligible, pool, ids, keys } = g;
	const heap = m.loadU32(g.scratch + SCRATCH.heap);
	const last = pool + 8 * (ef - 1);
	g.unmarkAll();
	g.markNew(from);
	let size = 0;
	let waiting = push(m, heap, 0, keyOfOne(g, from), from);
	if (eligible.admits(g.labelOf(from))) size = enter(m, pool, 0, ef, m.loadF32(keys), from);
	let expansions = 0;
	while (waiting > 0) {
		if (size === ef && m.loadF32(heap) > m.loadF32(last)) break;
		const node = m.loadU32(heap + 4);
		waiting = pop(m, heap, waiting);
		if (++expansions % PATIENCE === 0 && g.aborted()) return -1;
		const n = expand(g, node, layer);
		for (let i = 0; i < n; i++) {
			const key = m.loadF32(keys + 4 * i);
			if (size === ef && !(key < m.loadF32(last))) continue;
			const neighbour = m.loadU32(ids + 4 * i);
			waiting = push(m, heap, waiting, key, neighbour);
			if (eligible.admits(g.labelOf(neighbour))) size = enter(m, pool, size, ef, key, neighbour);
		}
	}
	g.countExpanded(expansions);
	return size;
}

/** Puts a pair into the sorted pool of at most `ef`, behind equal keys; returns the new size. */
function enter(m: TwinMemory, pool: number, size: number, ef: number, key: number, node: number): number {
	const low = placeOf(m, pool, size, key);
	if (low === ef) return size;
	const held = size < ef ? size + 1 : size;
	insertPair(m, pool, held, low, key, node);
	return held;
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
