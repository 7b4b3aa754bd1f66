/**
 * Beam search on one layer (algorithm 2 of Malkov and Yashunin, arXiv 1603.09320) with one sorted pool and a cursor in place of two
 * heaps: up to an ef of some thousands, shifting a sorted array costs less than a heap's branches.
 */
import {
	aborted, EXPANDED, ids, keys, keysToPayload, labelOf, linksOf, markNew, pool, scratch, unmarkAll,
} from "./state";
import { eligible } from "../eligibility";

/** How many expansions lie between two looks at the abort word. */
const PATIENCE: i32 = 32;

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

/** Gathers the unmarked neighbours of a node into ids, marks them, computes their keys; returns how many. */
@inline
function expand(node: u32, layer: i32): i32 {
	const links = linksOf(node, layer);
	const count = atomic.load<i32>(links);
	let n = 0;
	for (let i = 0; i < count; i++) {
		const neighbour = load<u32>(links + (<usize>i << 2), 4);
		if (markNew(neighbour)) {
			store<u32>(ids + (<usize>n << 2), neighbour);
			n++;
		}
	}
	keysToPayload(n);
	return n;
}

/**
 * Searches a layer from one node. Leaves at most `ef` nearest nodes in the pool, in ascending order of key, and returns how many;
 * -1 when aborted. The flag {@link EXPANDED} is set in every node of the pool.
 */
export function beam(from: u32, layer: i32, ef: i32): i32 {
	unmarkAll();
	markNew(from);
	store<f32>(pool, keyOfOne(from));
	store<u32>(pool, from, 4);
	let size = 1;
	let cursor = 0;
	let expanded = 0;
	while (cursor < size) {
		const at = pool + (<usize>cursor << 3);
		const node = load<u32>(at, 4);
		store<u32>(at, node | EXPANDED, 4);
		if (++expanded % PATIENCE == 0 && aborted()) return -1;
		const n = expand(node, layer);
		let first = size;
		for (let i = 0; i < n; i++) {
			const key = load<f32>(keys + (<usize>i << 2));
			// Not `>=`: a NaN, which no sound index has, must not get past this.
			if (size == ef && !(key < load<f32>(pool + (<usize>(size - 1) << 3)))) continue;
			let low = 0;
			let high = size;
			while (low < high) {
				const mid = (low + high) >> 1;
				if (load<f32>(pool + (<usize>mid << 3)) > key) high = mid;
				else low = mid + 1;
			}
			if (size < ef) size++;
			const to = pool + (<usize>low << 3);
			memory.copy(to + 8, to, <usize>(size - 1 - low) << 3);
			store<f32>(to, key);
			store<u32>(to, load<u32>(ids + (<usize>i << 2)), 4);
			if (low < first) first = low;
		}
		cursor = first <= cursor ? first : cursor + 1;
		while (cursor < size && (load<u32>(pool + (<usize>cursor << 3), 4) & EXPANDED) != 0) cursor++;
	}
	store<u32>(scratch, load<u32>(scratch, 60) + <u32>expanded, 60);
	return size;
}

/**
 * The same where not every node may be answered: all are walked through, only eligible ones enter the pool. What is still to be
 * expanded can outgrow the pool by far, so it waits in a heap. Ends when the nearest that waits is farther than a full pool's last.
 */
export function beamEligible(from: u32, layer: i32, ef: i32): i32 {
	const heap = <usize>load<u32>(scratch, 36);
	unmarkAll();
	markNew(from);
	let size = 0;
	let waiting = push(heap, 0, keyOfOne(from), from);
	if (eligible(labelOf(from))) size = enter(0, ef, load<f32>(keys), from);
	let expanded = 0;
	while (waiting > 0) {
		if (size == ef && load<f32>(heap) > load<f32>(pool + (<usize>(ef - 1) << 3))) break;
		const node = load<u32>(heap, 4);
		waiting = pop(heap, waiting);
		if (++expanded % PATIENCE == 0 && aborted()) return -1;
		const n = expand(node, layer);
		for (let i = 0; i < n; i++) {
			const key = load<f32>(keys + (<usize>i << 2));
			if (size == ef && !(key < load<f32>(pool + (<usize>(ef - 1) << 3)))) continue;
			const neighbour = load<u32>(ids + (<usize>i << 2));
			waiting = push(heap, waiting, key, neighbour);
			if (eligible(labelOf(neighbour))) size = enter(size, ef, key, neighbour);
		}
	}
	store<u32>(scratch, load<u32>(scratch, 60) + <u32>expanded, 60);
	return size;
}

/** Puts a pair into the sorted pool of at most `ef`, behind equal keys; returns the new size. */
@inline
function enter(size: i32, ef: i32, key: f32, node: u32): i32 {
	let low = 0;
	let high = size;
	while (low < high) {
		const mid = (low + high) >> 1;
		if (load<f32>(pool + (<usize>mid << 3)) > key) high = mid;
		else low = mid + 1;
	}
	if (low == ef) return size;
	if (size < ef) size++;
	const at = pool + (<usize>low << 3);
	memory.copy(at + 8, at, <usize>(size - 1 - low) << 3);
	store<f32>(at, key);
	store<u32>(at, node, 4);
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
