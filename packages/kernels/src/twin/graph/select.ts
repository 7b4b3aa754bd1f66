/**
 * The neighbour heuristic (algorithm 4): a candidate becomes a neighbour unless it is nearer to one already chosen than to the query,
 * so that links point in different directions. Rejected candidates are not taken back.
 *
 * Many vectors at the same place would fill every list with each other and cut themselves off, so that at most half of a list goes to
 * candidates at the very place of one already chosen.
 */
import { BLOCK_TAIL, CODE_FORMS, METRIC_CODES, PAYLOADS } from "../../layout.ts";
import { codeKeysMany } from "../codes.ts";
import { distanceMany } from "../distance.ts";
import { type GraphState, plain } from "./state.ts";

/** Keys of the query to ids[0..n), in the measure of selection. The dot form of codes has no symmetric key: exact ones it is. */
function keysForSelection(g: GraphState, n: number): void {
	if (g.payload === PAYLOADS.codesDot) g.keysToExact(n);
	else g.keysToPayload(n);
}

/** Keys of one node to selected[from..to), into keys. */
function keysToSelected(g: GraphState, node: number, from: number, n: number): void {
	const { m, blocks, blockStride, payloadBytes, keys } = g;
	const list = g.selected + 4 * from;
	if (g.payload === PAYLOADS.codesL2) {
		const code = g.blockOf(node);
		const norm = m.loadI32(code + payloadBytes + BLOCK_TAIL.norm);
		codeKeysMany(m, CODE_FORMS.l2, code, norm, blocks, blockStride, payloadBytes, list, n, keys);
	} else distanceMany(m, g.metric, g.vectorOf(node), g.vectors, g.vectorStride, g.vectorBytes, list, n, keys);
}

/**
 * Puts ids[0..n) with their keys to the query into the candidates, ascending by (key, node). The order of the nodes decides between
 * equal keys, so that the result does not depend on the order in which they were found.
 */
export function gather(g: GraphState, n: number): void {
	const { m, ids, keys, candidates } = g;
	keysForSelection(g, n);
	for (let i = 0; i < n; i++) {
		const key = m.loadF32(keys + 4 * i);
		const node = m.loadU32(ids + 4 * i);
		let at = i;
		while (at > 0) {
			const other = candidates + 8 * (at - 1);
			const otherKey = m.loadF32(other);
			if (otherKey < key || (otherKey === key && m.loadU32(other + 4) < node)) break;
			m.copyPair(candidates + 8 * at, other);
			at--;
		}
		m.storeF32(candidates + 8 * at, key);
		m.storeU32(candidates + 8 * at + 4, node);
	}
}

/** The pool of a beam as candidates, without `self`; returns how many. */
export function gatherPool(g: GraphState, size: number, self: number): number {
	const { m, pool, ids } = g;
	let n = 0;
	for (let i = 0; i < size; i++) {
		const node = plain(m.loadU32(pool + 8 * i + 4));
		if (node === self) continue;
		m.storeU32(ids + 4 * n, node);
		n++;
	}
	gather(g, n);
	return n;
}

/**
 * Adds candidates to the first `kept` nodes of `selected` until there are `most`, nearest first, by the heuristic; the kept ones stay.
 * Returns how many there are then.
 */
export function select(g: GraphState, n: number, kept: number, most: number): number {
	const { m, candidates, selected, keys } = g;
	let chosen = kept;
	let doubles = -1;
	for (let i = 0; i < n && chosen < most; i++) {
		const key = m.loadF32(candidates + 8 * i);
		const node = m.loadU32(candidates + 8 * i + 4);
		let good = true;
		let double = false;
		for (let from = 0; good && from < chosen; from += 4) {
			const some = Math.min(4, chosen - from);
			keysToSelected(g, node, from, some);
			for (let j = 0; j < some; j++) {
				const between = m.loadF32(keys + 4 * j);
				if (between < key) {
					good = false;
					break;
				}
				// Under ip a key of 0 means orthogonal.
				if (between === 0 && g.metric !== METRIC_CODES.ip) double = true;
			}
		}
		if (!good) continue;
		if (double) {
			if (doubles < 0) doubles = countDoubles(g, kept);
			if (2 * (doubles + 1) > most) continue;
			doubles++;
		}
		m.storeU32(selected + 4 * chosen, node);
		chosen++;
	}
	return chosen;
}

/** How many of selected[0..n) are at the very place of one before them. */
function countDoubles(g: GraphState, n: number): number {
	const { m, selected, keys } = g;
	let doubles = 0;
	for (let i = 1; i < n; i++) {
		keysToSelected(g, m.loadU32(selected + 4 * i), 0, i);
		for (let j = 0; j < i; j++) {
			if (m.loadF32(keys + 4 * j) !== 0) continue;
			doubles++;
			break;
		}
	}
	return doubles;
}

/** Writes the chosen nodes as the links at `links`: the count last, for readers that do not lock. */
export function storeLinks(g: GraphState, links: number, n: number): void {
	g.m.copyWords(links + 4, g.selected, 4 * n);
	g.m.atomicStoreI32(links, n);
}
