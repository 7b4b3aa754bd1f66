import { BOUNDS, type Distance } from "@nigh/contract";
import { checkAborted, writeEligibility } from "../eligibility.ts";
import type { Neighbor, SearchOptions } from "../vector-index.ts";
import type { HnswGraph } from "./graph.ts";
import { rankLabels, SCAN_BYTES, SCAN_ROWS, type ScanOptions, scanChunk } from "./scan.ts";
import type { Scratch } from "./scratch.ts";
import { beamWidth, patienceOf, rerankDepth, walk } from "./walk.ts";

/** The nearest k of a checked query: by a beam of `ef`, or by looking at all that may be answered where that is surer or costs less. */
export function search(
	graph: HnswGraph,
	query: Float32Array | Uint8Array,
	k: number,
	options: SearchOptions,
): Neighbor[] {
	const { allow, abort } = options;
	const ef = beamWidth(graph, k, options.ef);
	const patience = patienceOf(options.patience);
	const wanted = Math.min(k, graph.size);
	if (wanted === 0) return [];
	const scratch = graph.scratch(0, Math.max(ef, k));
	graph.rows.write(query, scratch.query);
	const eligibility = writeEligibility(graph.arena, scratch.eligibility, allow);
	if (allow !== undefined && allow.size <= ef) {
		checkAborted(abort);
		const found = rankLabels(graph, scratch, allow, (label) => graph.table.get(label), { k: wanted, eligibility: 0 });
		return answer(graph, scratch.get("answer"), found);
	}
	if (isWalked(k, ef, options)) {
		if (eligibility !== 0) scratch.fitHeap();
		const found = walk(graph, scratch, {
			k: wanted,
			ef,
			depth: rerankDepth(wanted, ef),
			patience,
			eligibility,
			abort: abort?.address ?? 0,
		});
		// A walk can miss parts of a graph that nothing it met leads to. What was promised is min(k, matches) answers.
		if (found >= leastFound(wanted, allow)) return answer(graph, scratch.get("answer"), found);
	}
	const found = scan(graph, scratch, { k: wanted, eligibility }, abort);
	return answer(graph, scratch.get("answer"), found);
}

/** Whether a search goes over the graph. A beam that few can fill would go through all of it: those few are ranked instead. */
export function isWalked(k: number, ef: number, { allow, exact }: SearchOptions): boolean {
	return exact !== true && k <= BOUNDS.k.exactAbove && (allow === undefined || allow.size > ef);
}

/** Answers that a search for `wanted` owes where only `allow` may be answered. */
export function leastFound(wanted: number, allow: SearchOptions["allow"]): number {
	return allow === undefined ? wanted : Math.min(wanted, allow.size);
}

/** Every node by exact keys. Returns how many answers there are. */
function scan(graph: HnswGraph, scratch: Scratch, options: ScanOptions, abort: SearchOptions["abort"]): number {
	const { arena, slots } = graph;
	const room = arena.alloc(SCAN_BYTES);
	let size = 0;
	try {
		for (let first = 0; first < slots; first += SCAN_ROWS) {
			checkAborted(abort);
			const n = Math.min(SCAN_ROWS, slots - first);
			size = scanChunk(graph, scratch, { first, n, room, size }, options);
		}
	} finally {
		arena.free(room);
	}
	return size;
}

/** The pairs {key, label} that a kernel has left, as neighbours. */
export function answer(graph: HnswGraph, at: number, n: number): Neighbor[] {
	const keys = graph.arena.f32(at, 2 * n);
	const labels = graph.arena.u32(at, 2 * n);
	return Array.from({ length: n }, (_, i) => ({
		label: labels[2 * i + 1] as number,
		distance: graph.rows.distanceOf(keys[2 * i] as number) as Distance,
	}));
}
