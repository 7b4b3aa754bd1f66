import { openEligibility } from "../eligibility";
import { place } from "../topk";
import { beam, beamEligible, descend } from "./beam";
import { beamMatching } from "./matching";
import {
	aborted, coded, entryPoint, EXPANDED, ids, keys, keysToExact, labelOf, NONE, open, pool, scratch, topLevel,
} from "./state";

/**
 * A whole search (algorithm 5): down the upper layers, a beam of `ef` on layer 0, the nearest `depth` of its pool re-ranked by exact
 * keys where the payload is codes. What a `patience` above 0 does is told at {@link beam}. The query (and its code) lies in the scratch.
 * Writes at most `k` pairs {f32 key, u32 label} in ascending order of (key, label) to the scratch's answer; returns how many, or -1 when
 * the abort word was raised.
 */
export function searchGraph(
	graph: usize,
	s: usize,
	k: i32,
	ef: i32,
	depth: i32,
	patience: i32,
	eligibility: usize,
): i32 {
	open(graph, s);
	const entry = entryPoint();
	if (entry == NONE) return 0;
	if (aborted()) return -1;
	openEligibility(eligibility);
	const start = descend(entry, topLevel(), 0);
	const found =
		eligibility == 0
			? beam(start, 0, ef, depth, patience)
			: beamEligible(start, 0, ef, i32.MAX_VALUE, depth, patience);
	return found < 0 ? -1 : answerWith(found, k, depth);
}

/**
 * The same where there is a bitmap, by {@link beamMatching}: the beam of a walk through everything is `least` to `full` wide, that of one
 * through eligible nodes alone, from `count` of them (u32 at `seeds`) besides, `ef` to `widest`. There may be eligible nodes that neither
 * gets to.
 */
export function searchMatching(
	graph: usize,
	s: usize,
	k: i32,
	least: i32,
	full: i32,
	ef: i32,
	widest: i32,
	depth: i32,
	eligibility: usize,
	seeds: usize,
	count: i32,
): i32 {
	open(graph, s);
	const entry = entryPoint();
	if (entry == NONE) return 0;
	if (aborted()) return -1;
	openEligibility(eligibility);
	const start = descend(entry, topLevel(), 0);
	const found = beamMatching(start, seeds, count, k, least, full, ef, widest);
	return found < 0 ? -1 : answerWith(found, k, depth);
}

/** Ranks the nearest of a pool of `found` nodes and writes the answer; returns how many it has. */
function answerWith(found: i32, k: i32, depth: i32): i32 {
	const n = coded() ? min(found, depth) : found;
	for (let i = 0; i < n; i++) {
		store<u32>(ids + (<usize>i << 2), load<u32>(pool + (<usize>i << 3), 4) & ~EXPANDED);
	}
	if (coded()) keysToExact(n);
	else for (let i = 0; i < n; i++) store<f32>(keys + (<usize>i << 2), load<f32>(pool + (<usize>i << 3)));
	const answer = <usize>load<u32>(scratch, 52);
	let size = 0;
	for (let i = 0; i < n; i++) {
		const label = labelOf(load<u32>(ids + (<usize>i << 2)));
		size = place(answer, size, k, load<f32>(keys + (<usize>i << 2)), label);
	}
	return size;
}

/**
 * Many searches: query i of `count` has its exact row at `rows + i * rowStride` and its code at `codes + i * codeStride`, the norm
 * behind it; its answer goes to `answers + i * 8 k`, and how many there are (-1: aborted) to `found + 4 i`. Queries are shared with other
 * lanes through the cursor, a u32 in memory that starts at 0.
 */
export function searchRange(
	graph: usize,
	s: usize,
	k: i32,
	ef: i32,
	depth: i32,
	patience: i32,
	eligibility: usize,
	rows: usize,
	rowStride: usize,
	codes: usize,
	codeStride: usize,
	answers: usize,
	found: usize,
	count: i32,
	cursor: usize,
): void {
	for (;;) {
		const i = <usize>atomic.add<u32>(cursor, 1);
		if (<i32>i >= count) return;
		const code = codes + i * codeStride;
		store<u32>(s, <u32>(rows + i * rowStride), 24);
		store<u32>(s, <u32>code, 28);
		store<i32>(s, load<i32>(code + <usize>load<u32>(graph, 8)), 32);
		store<u32>(s, <u32>(answers + i * (<usize>k << 3)), 52);
		store<i32>(found + (i << 2), searchGraph(graph, s, k, ef, depth, patience, eligibility));
	}
}
