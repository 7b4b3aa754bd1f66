/**
 * The neighbour heuristic (algorithm 4): a candidate becomes a neighbour unless it is nearer to one already chosen than to the query,
 * so that links point in different directions. Rejected candidates are not taken back.
 *
 * Many vectors at the same place would fill every list with each other and cut themselves off, so that at most half of a list goes to
 * candidates at the very place of one already chosen.
 */
import { CODE_L2, codeKeysMany } from "../codes";
import { distanceMany } from "../distance";
import { IP } from "../metric";
import {
	blockOf, blocks, blockStride, candidates, EXPANDED,
	ids, keys, keysToExact, keysToPayload, metric, payload,
	PAYLOAD_CODES_DOT, PAYLOAD_CODES_L2, payloadBytes, pool, selected, vectorBytes, vectorOf, vectors, vectorStride,
} from "./state";

/** Keys of the query to ids[0..n), in the measure of selection. The dot form of codes has no symmetric key: exact ones it is. */
@inline
function keysForSelection(n: i32): void {
	if (payload == PAYLOAD_CODES_DOT) keysToExact(n);
	else keysToPayload(n);
}

/** Keys of one node to selected[from..to), into keys. */
@inline
function keysToSelected(node: u32, from: i32, n: i32): void {
	const list = selected + (<usize>from << 2);
	if (payload == PAYLOAD_CODES_L2) {
		const code = blockOf(node);
		codeKeysMany(CODE_L2, code, load<i32>(code + payloadBytes), blocks, blockStride, payloadBytes, list, n, keys);
	} else distanceMany(metric, vectorOf(node), vectors, vectorStride, vectorBytes, list, n, keys);
}

/**
 * Puts ids[0..n) with their keys to the query into the candidates, ascending by (key, node). The order of the nodes decides between
 * equal keys, so that the result does not depend on the order in which they were found.
 */
export function gather(n: i32): void {
	keysForSelection(n);
	for (let i = 0; i < n; i++) {
		const key = load<f32>(keys + (<usize>i << 2));
		const node = load<u32>(ids + (<usize>i << 2));
		let at = i;
		while (at > 0) {
			const other = candidates + (<usize>(at - 1) << 3);
			const otherKey = load<f32>(other);
			if (otherKey < key || (otherKey == key && load<u32>(other, 4) < node)) break;
			store<u64>(candidates + (<usize>at << 3), load<u64>(other));
			at--;
		}
		store<f32>(candidates + (<usize>at << 3), key);
		store<u32>(candidates + (<usize>at << 3), node, 4);
	}
}

/** The pool of a beam as candidates, without `self`; returns how many. */
export function gatherPool(size: i32, self: u32): i32 {
	let n = 0;
	for (let i = 0; i < size; i++) {
		const node = load<u32>(pool + (<usize>i << 3), 4) & ~EXPANDED;
		if (node == self) continue;
		store<u32>(ids + (<usize>n << 2), node);
		n++;
	}
	gather(n);
	return n;
}

/**
 * Adds candidates to the first `kept` nodes of `selected` until there are `most`, nearest first, by the heuristic; the kept ones stay.
 * Returns how many there are then.
 */
export function select(n: i32, kept: i32, most: i32): i32 {
	let chosen = kept;
	let doubles = -1;
	for (let i = 0; i < n && chosen < most; i++) {
		const pair = candidates + (<usize>i << 3);
		const key = load<f32>(pair);
		const node = load<u32>(pair, 4);
		let good = true;
		let double = false;
		for (let from = 0; good && from < chosen; from += 4) {
			const m = min(4, chosen - from);
			keysToSelected(node, from, m);
			for (let j = 0; j < m; j++) {
				const between = load<f32>(keys + (<usize>j << 2));
				if (between < key) {
					good = false;
					break;
				}
				// Under ip a key of 0 means orthogonal.
				if (between == 0 && metric != IP) double = true;
			}
		}
		if (!good) continue;
		if (double) {
			if (doubles < 0) doubles = countDoubles(kept);
			if (2 * (doubles + 1) > most) continue;
			doubles++;
		}
		store<u32>(selected + (<usize>chosen << 2), node);
		chosen++;
	}
	return chosen;
}

/** How many of selected[0..n) are at the very place of one before them. */
function countDoubles(n: i32): i32 {
	let doubles = 0;
	for (let i = 1; i < n; i++) {
		keysToSelected(load<u32>(selected + (<usize>i << 2)), 0, i);
		for (let j = 0; j < i; j++) {
			if (load<f32>(keys + (<usize>j << 2)) != 0) continue;
			doubles++;
			break;
		}
	}
	return doubles;
}

/** Writes the chosen nodes as the links at `links`: the count last, for readers that do not lock. */
@inline
export function storeLinks(links: usize, n: i32): void {
	memory.copy(links + 4, selected, <usize>n << 2);
	atomic.store<i32>(links, n);
}
