import { openEligibility } from "../eligibility";
import { place } from "../topk";
import { beam, beamEligible, descend } from "./beam";
import {
	aborted, coded, entryPoint, EXPANDED, ids, keys, keysToExact, labelOf, NONE, open, pool, scratch, topLevel,
} from "./state";

/**
 * A whole search (algorithm 5): down the upper layers, a beam of `ef` on layer 0, the nearest `depth` of its pool re-ranked by exact
 * keys where the payload is codes. The query (and its code) lies in the scratch. Writes at most `k` pairs {f32 key, u32 label} in
 * ascending order of (key, label) to the scratch's answer; returns how many, or -1 when the abort word was raised.
 */
export function searchGraph(graph: usize, s: usize, k: i32, ef: i32, depth: i32, eligibility: usize): i32 {
	open(graph, s);
	const entry = entryPoint();
	if (entry == NONE) return 0;
	if (aborted()) return -1;
	openEligibility(eligibility);
	const start = descend(entry, topLevel(), 0);
	const found = eligibility == 0 ? beam(start, 0, ef) : beamEligible(start, 0, ef);
	if (found < 0) return -1;
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
