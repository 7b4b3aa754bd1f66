/**
 * A walk through eligible nodes alone (after ACORN-1: Patel et al., arXiv 2403.04871): keys are computed for no others, and past a
 * neighbour that is not eligible the walk looks at that one's own neighbours. So it costs nothing how much that is not eligible lies nearer
 * to the query.
 *
 * The nearest eligible nodes of a query that lies far from all of them lie far from one another as well, and are not met by a beam that
 * serves a query in their midst. To tell the two apart by distance: around the first, many are about as near as the k-th. The pool is
 * therefore as wide as there are nodes not much farther than the k-th, between two bounds (termination by distance: Al-Jazzazi et al.,
 * arXiv 2505.15636).
 */
import { alive, allowedBit, eligible } from "../eligibility";
import { beamEligible, enter, BETWEEN_LOOKS, TOGETHER, unexpanded } from "./beam";
import {
	aborted, degree0, EXPANDED, ids, keys, keysToPayload, labelHere, linksOf, mark, markNew, marks,
	pool, scratch, selected, unmarkAll,
} from "./state";

/** Looks past neighbours that are not eligible unless this share is: the links that are left then lead everywhere, only less directly. */
const ENOUGH: f32 = 0.5;

/** A pool wider than `ef` holds what is within so many times the k-th squared distance: about 12 % more in distance. */
const REACH: f32 = 1.25;

/** Where this share of what is around the nearest node is eligible, a walk through everything costs no more. */
const MANY: f32 = 0.045;

/** Such a walk expands about its width / the share nodes; after so many times that, what it took for the share is not. */
const MARGIN: f32 = 1.5;

@inline
function isMarked(node: u32): bool {
	return <u32>load<u16>(marks + (<usize>node << 1)) == mark;
}

/** Keeps of list[from..to) the unmarked nodes that are alive, marked; returns their new end. */
@inline
function keepNew(list: usize, from: i32, to: i32): i32 {
	let n = from;
	for (let i = from; i < to; i++) {
		const node = load<u32>(list + (<usize>i << 2));
		if (isMarked(node) || !alive(labelHere(node))) continue;
		markNew(node);
		store<u32>(list + (<usize>n << 2), node);
		n++;
	}
	return n;
}

/**
 * Gathers unmarked eligible nodes behind ids[0..n): the node's neighbours and, where some of them are not eligible, what those lead to,
 * as far as there is room in a list of links. Marks what it has gathered or looked past; returns how many ids there are then.
 */
function gatherEligible(node: u32, n: i32): i32 {
	const links = linksOf(node, 0);
	const count = atomic.load<i32>(links);
	const end = n + degree0;
	let met = n;
	let others = 0;
	for (let i = 0; i < count; i++) {
		const neighbour = load<u32>(links + (<usize>i << 2), 4);
		const bit = allowedBit(labelHere(neighbour));
		store<u32>(ids + (<usize>met << 2), neighbour);
		store<u32>(selected + (<usize>others << 2), neighbour);
		met += bit;
		others += 1 - bit;
	}
	const isEnough = <f32>(met - n) >= <f32>count * ENOUGH;
	n = keepNew(ids, n, met);
	if (isEnough) return n;
	for (let i = 0; i < others && n < end; i++) {
		const other = load<u32>(selected + (<usize>i << 2));
		if (!markNew(other)) continue;
		const beyond = linksOf(other, 0);
		const most = atomic.load<i32>(beyond);
		met = n;
		for (let j = 0; j < most; j++) {
			const neighbour = load<u32>(beyond + (<usize>j << 2), 4);
			store<u32>(ids + (<usize>met << 2), neighbour);
			met += allowedBit(labelHere(neighbour));
		}
		n = keepNew(ids, n, met);
	}
	// What there is no room for may be met again.
	for (; n > end; ) {
		n--;
		store<u16>(marks + (<usize>load<u32>(ids + (<usize>n << 2)) << 1), 0);
	}
	return n;
}

/** The share of eligible labels among a node's neighbours and theirs, by the bitmap. */
function shareAround(node: u32): f32 {
	const links = linksOf(node, 0);
	const count = atomic.load<i32>(links);
	let met = 0;
	let all = count;
	for (let i = 0; i < count; i++) {
		const neighbour = load<u32>(links + (<usize>i << 2), 4);
		met += allowedBit(labelHere(neighbour));
		const beyond = linksOf(neighbour, 0);
		const most = atomic.load<i32>(beyond);
		all += most;
		for (let j = 0; j < most; j++) met += allowedBit(labelHere(load<u32>(beyond + (<usize>j << 2), 4)));
	}
	return all == 0 ? 0 : <f32>met / <f32>all;
}

/** What is farther is not wanted. Under ip, whose keys are no distances, that is what is behind the first `ef`. */
@inline
function reach(size: i32, k: i32, ef: i32): f32 {
	if (size < ef) return Infinity;
	const last = load<f32>(pool + (<usize>(ef - 1) << 3));
	return max<f32>(last, load<f32>(pool + (<usize>(k - 1) << 3)) * REACH);
}

/** The first place of the pool that {@link take} has changed. */
let changed: i32 = 0;

/** Computes the keys of ids[0..n) and puts what is near enough into the pool of `size`; returns its new size. */
function take(n: i32, size: i32, k: i32, ef: i32, widest: i32): i32 {
	keysToPayload(n);
	let most = reach(size, k, ef);
	for (let i = 0; i < n; i++) {
		const key = load<f32>(keys + (<usize>i << 2));
		if (size >= ef && !(key < most)) continue;
		// Not `>=`: a NaN, which no sound index has, must not get past this.
		if (size == widest && !(key < load<f32>(pool + (<usize>(size - 1) << 3)))) continue;
		const at = enter(size, widest, key, load<u32>(ids + (<usize>i << 2)));
		if (size < widest) size++;
		if (at < changed) changed = at;
		most = reach(size, k, ef);
	}
	return size;
}

/**
 * Searches layer 0 from a node, eligible or not, and from `count` eligible `seeds`. Leaves the nearest eligible nodes it has met in the
 * pool, `ef` to `widest` of them, in ascending order of key, and returns how many; -1 when aborted.
 */
function beamThroughEligible(from: u32, seeds: usize, count: i32, k: i32, ef: i32, widest: i32): i32 {
	unmarkAll();
	let n = 0;
	for (let i = 0; i < count; i++) {
		const seed = load<u32>(seeds + (<usize>i << 2));
		if (!markNew(seed)) continue;
		store<u32>(ids + (<usize>n << 2), seed);
		n++;
	}
	changed = 0;
	let size = take(n, 0, k, ef, widest);
	n = 0;
	if (markNew(from) && eligible(labelHere(from))) {
		store<u32>(ids, from);
		n = 1;
	}
	size = take(gatherEligible(from, n), size, k, ef, widest);
	let expanded = 1;
	let look = BETWEEN_LOOKS;
	let cursor = 0;
	while (cursor < size && !(load<f32>(pool + (<usize>cursor << 3)) > reach(size, k, ef))) {
		const width = size < ef ? 1 : TOGETHER;
		let next = cursor;
		n = 0;
		for (let w = 0; w < width && next < size; w++) {
			const at = pool + (<usize>next << 3);
			const node = load<u32>(at, 4);
			store<u32>(at, node | EXPANDED, 4);
			n = gatherEligible(node, n);
			next = unexpanded(next + 1, size);
			expanded++;
		}
		if (expanded >= look) {
			if (aborted()) return -1;
			look += BETWEEN_LOOKS;
		}
		changed = next;
		size = take(n, size, k, ef, widest);
		cursor = changed;
	}
	store<u32>(scratch, load<u32>(scratch, 60) + <u32>expanded, 60);
	return size;
}

/**
 * The nearest eligible nodes, from the nearest node of all: where enough around that one are eligible by a walk through everything, else
 * through eligible nodes alone. By the time the first has met a number of eligible nodes it has looked around as far as a wider beam
 * without a filter, so that `full`, the width without one, is narrowed by the root of the share, but not below `least`. Returns as
 * {@link beamThroughEligible}; none instead of the second walk where `widest` is 0.
 */
export function beamMatching(
	from: u32,
	seeds: usize,
	count: i32,
	k: i32,
	least: i32,
	full: i32,
	ef: i32,
	widest: i32,
): i32 {
	const share = shareAround(from);
	if (share >= MANY) {
		const width = max<i32>(least, <i32>(<f32>full * Mathf.sqrt(share)));
		const found = beamEligible(from, 0, width, <i32>((<f32>width * MARGIN) / share), width, 0);
		if (found != -2) return found;
	}
	return widest == 0 ? 0 : beamThroughEligible(from, seeds, count, k, ef, widest);
}
