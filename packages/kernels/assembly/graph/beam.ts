/**
 * Beam search on one layer (algorithm 2 of Malkov and Yashunin, arXiv 1603.09320) with one sorted pool and a cursor in place of two
 * heaps: up to an ef of some thousands, shifting a sorted array costs less than a heap's branches.
 */
import {
	aborted, EXPANDED, ids, keys, keysToPayload, labelOf, linksOf, markNew, pool, scratch, unmarkAll,
} from "./state";
import { eligible } from "../eligibility";

/** How many expansions lie between two looks at the abort word. */
export const BETWEEN_LOOKS: i32 = 32;

/**
 * Nodes that are expanded together once the pool is full: the keys of all their neighbours are one batch, so that the waits for memory
 * overlap. Must equal EXPANDED_TOGETHER in ../../src/layout.ts, by which the lists are sized.
 */
export const TOGETHER: i32 = 4;

/** A pool up to so many pairs is shifted pair by pair from its end: a search for the place would cost more in wrong guesses of branches. */
const SHORT: i32 = 256;

/** Puts ids[0..n) = [node] with its key into keys[0]. */
@inline
function keyOfOne(node: u32): f32 {
	store<u32>(ids, node);
	keysToPayload(1);
	return load<f32>(keys);
}

/** Greedy walk with a beam of one (algorithm 2 with ef = 1): the local minimum from `from`. */
export function descend(from: u32, fromLayer: i32, toLayer: i32): u32 {
	let current = from;
	let best = keyOfOne(current);
	for (let layer = fromLayer; layer > toLayer; layer--) {
		for (let moved = true; moved; ) {
			moved = false;
			const links = linksOf(current, layer);
			const n = atomic.load<i32>(links);
			memory.copy(ids, links + 4, <usize>n << 2);
			keysToPayload(n);
			for (let i = 0; i < n; i++) {
				const key = load<f32>(keys + (<usize>i << 2));
				if (key < best) {
					best = key;
					current = load<u32>(ids + (<usize>i << 2));
					moved = true;
				}
			}
		}
	}
	return current;
}

/** Gathers the unmarked neighbours of a node behind ids[0..n) and marks them; returns how many ids there are then. */
@inline
function gather(node: u32, layer: i32, n: i32): i32 {
	const links = linksOf(node, layer);
	const count = atomic.load<i32>(links);
	for (let i = 0; i < count; i++) {
		const neighbour = load<u32>(links + (<usize>i << 2), 4);
		if (markNew(neighbour)) {
			store<u32>(ids + (<usize>n << 2), neighbour);
			n++;
		}
	}
	return n;
}

/** The first place of the pool from `at` on whose node has not been expanded; `size` where there is none. */
@inline
export function unexpanded(at: i32, size: i32): i32 {
	while (at < size && (load<u32>(pool + (<usize>at << 3), 4) & EXPANDED) != 0) at++;
	return at;
}

/** Moves the pairs of pool[0..size) that are farther than a key one place up; returns the place that is left, behind equal keys. */
@inline
function makeRoom(size: i32, key: f32): i32 {
	let low = 0;
	if (size > SHORT) {
		let high = size;
		while (low < high) {
			const mid = (low + high) >> 1;
			if (load<f32>(pool + (<usize>mid << 3)) > key) high = mid;
			else low = mid + 1;
		}
		const from = pool + (<usize>low << 3);
		memory.copy(from + 8, from, <usize>(size - low) << 3);
		return low;
	}
	for (low = size; low > 0; low--) {
		const before = pool + (<usize>(low - 1) << 3);
		if (!(load<f32>(before) > key)) break;
		store<u64>(before, load<u64>(before), 8);
	}
	return low;
}

/** Puts a pair into the pool, behind equal keys; where `size` is `ef`, the last pair goes, which must be farther. Returns the place. */
@inline
export function enter(size: i32, ef: i32, key: f32, node: u32): i32 {
	const at = makeRoom(size < ef ? size : size - 1, key);
	const pair = pool + (<usize>at << 3);
	store<f32>(pair, key);
	store<u32>(pair, node, 4);
	return at;
}

/**
 * Searches a layer from one node. Leaves at most `ef` nearest nodes in the pool, in ascending order of key, and returns how many;
 * -1 when aborted. The flag {@link EXPANDED} is set in every node of the pool that has been expanded: in all but for a patience.
 *
 * With a `patience` above 0 it ends before that once so many expansions in a row have put nothing into the best `depth` of the pool, and
 * the pool holds that many (Teofili and Lin, "Patience in Proximity", ECIR 2025). Looked at after every batch of nodes that are expanded
 * together, so that up to {@link TOGETHER} - 1 expansions more may be done.
 */
export function beam(from: u32, layer: i32, ef: i32, depth: i32, patience: i32): i32 {
	const most = patience == 0 ? i32.MAX_VALUE : patience;
	unmarkAll();
	markNew(from);
	store<f32>(pool, keyOfOne(from));
	store<u32>(pool, from, 4);
	let size = 1;
	let cursor = 0;
	let expanded = 0;
	let look = BETWEEN_LOOKS;
	// Expansions up to the last that changed the best of the pool.
	let settled = 0;
	while (cursor < size) {
		// Until the pool is full one by one: what the first leads to is mostly nearer than the second.
		const width = size < ef ? 1 : TOGETHER;
		let n = 0;
		let next = cursor;
		for (let w = 0; w < width && next < size; w++) {
			const at = pool + (<usize>next << 3);
			const node = load<u32>(at, 4);
			store<u32>(at, node | EXPANDED, 4);
			n = gather(node, layer, n);
			next = unexpanded(next + 1, size);
			expanded++;
		}
		if (expanded >= look) {
			if (aborted()) return -1;
			look += BETWEEN_LOOKS;
		}
		keysToPayload(n);
		let changed = ef;
		for (let i = 0; i < n; i++) {
			const key = load<f32>(keys + (<usize>i << 2));
			// Not `>=`: a NaN, which no sound index has, must not get past this.
			if (size == ef && !(key < load<f32>(pool + (<usize>(size - 1) << 3)))) continue;
			const at = enter(size, ef, key, load<u32>(ids + (<usize>i << 2)));
			if (size < ef) size++;
			if (at < changed) changed = at;
		}
		cursor = min(next, changed);
		if (changed < depth || size < depth) settled = expanded;
		else if (expanded - settled >= most) break;
	}
	store<u32>(scratch, load<u32>(scratch, 60) + <u32>expanded, 60);
	return size;
}

/**
 * The same where not every node may be answered: all are walked through, only eligible ones enter the pool. What is still to be
 * expanded can outgrow the pool by far, so it waits in a heap. Ends when the nearest that waits is farther than a full pool's last; -2
 * when it has expanded `most` nodes before that. Of a `patience`, only expansions of eligible nodes count: so it means as much whatever
 * share of the nodes that is.
 */
export function beamEligible(from: u32, layer: i32, ef: i32, most: i32, depth: i32, patience: i32): i32 {
	const heap = <usize>load<u32>(scratch, 36);
	unmarkAll();
	markNew(from);
	let size = 0;
	let waiting = push(heap, 0, keyOfOne(from), from);
	if (eligible(labelOf(from))) {
		enter(0, ef, load<f32>(keys), from);
		size = 1;
	}
	let expanded = 0;
	// Eligible nodes expanded since the best of the pool last changed.
	let idle = 0;
	while (waiting > 0) {
		if (size == ef && load<f32>(heap) > load<f32>(pool + (<usize>(ef - 1) << 3))) break;
		if (expanded == most) return -2;
		const node = load<u32>(heap, 4);
		waiting = pop(heap, waiting);
		if (++expanded % BETWEEN_LOOKS == 0 && aborted()) return -1;
		const n = gather(node, layer, 0);
		keysToPayload(n);
		let changed = ef;
		for (let i = 0; i < n; i++) {
			const key = load<f32>(keys + (<usize>i << 2));
			if (size == ef && !(key < load<f32>(pool + (<usize>(ef - 1) << 3)))) continue;
			const neighbour = load<u32>(ids + (<usize>i << 2));
			waiting = push(heap, waiting, key, neighbour);
			if (!eligible(labelOf(neighbour))) continue;
			const at = enter(size, ef, key, neighbour);
			if (size < ef) size++;
			if (at < changed) changed = at;
		}
		if (patience == 0) continue;
		if (changed < depth || size < depth) idle = 0;
		else if (eligible(labelOf(node)) && ++idle == patience) break;
	}
	store<u32>(scratch, load<u32>(scratch, 60) + <u32>expanded, 60);
	return size;
}

function push(heap: usize, size: i32, key: f32, node: u32): i32 {
	let at = size;
	while (at > 0) {
		const parent = (at - 1) >> 1;
		const p = heap + (<usize>parent << 3);
		if (load<f32>(p) <= key) break;
		store<u64>(heap + (<usize>at << 3), load<u64>(p));
		at = parent;
	}
	store<f32>(heap + (<usize>at << 3), key);
	store<u32>(heap + (<usize>at << 3), node, 4);
	return size + 1;
}

function pop(heap: usize, size: i32): i32 {
	size--;
	const last = heap + (<usize>size << 3);
	const key = load<f32>(last);
	const pair = load<u64>(last);
	let at = 0;
	for (;;) {
		let child = 2 * at + 1;
		if (child >= size) break;
		let c = heap + (<usize>child << 3);
		if (child + 1 < size && load<f32>(c + 8) < load<f32>(c)) {
			child++;
			c += 8;
		}
		if (load<f32>(c) >= key) break;
		store<u64>(heap + (<usize>at << 3), load<u64>(c));
		at = child;
	}
	store<u64>(heap + (<usize>at << 3), pair);
	return size;
}
