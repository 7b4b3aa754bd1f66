import { BOUNDS, checkInteger, type Distance, NighError } from "@nigh/contract";
import { FREE_LEVEL, PAYLOADS } from "@nigh/kernels";
import { checkAborted, writeEligibility } from "../eligibility.ts";
import type { Label, Neighbor, SearchOptions } from "../vector-index.ts";
import type { HnswGraph } from "./graph.ts";
import { adaptiveEf, HNSW_BOUNDS } from "./parameters.ts";
import type { Scratch } from "./scratch.ts";

/** Rows of an exact scan that are done at a time. */
const SCAN_ROWS = 4_096;

/** The nearest k of a checked query: by a beam of `ef`, or by looking at all that may be answered where that is surer or costs less. */
export function search(
	graph: HnswGraph,
	query: Float32Array | Uint8Array,
	k: number,
	options: SearchOptions,
): Neighbor[] {
	const { allow, abort } = options;
	const ef = beamWidth(graph, k, options.ef);
	const wanted = Math.min(k, graph.size);
	if (wanted === 0) return [];
	const scratch = graph.scratch(0, Math.max(ef, k));
	graph.rows.write(query, scratch.query);
	const eligibility = writeEligibility(graph.arena, scratch.eligibility, allow);
	if (allow !== undefined && allow.size <= ef)
		return answer(graph, scratch.get("answer"), rank(graph, scratch, wanted, allow, abort));
	if (isWalked(k, ef, options)) {
		const found = walk(graph, scratch, wanted, ef, eligibility, abort);
		// A walk can miss parts of a graph that nothing it met leads to. What was promised is min(k, matches) answers.
		if (found >= leastFound(wanted, allow)) return answer(graph, scratch.get("answer"), found);
	}
	return answer(graph, scratch.get("answer"), scan(graph, scratch, wanted, eligibility, abort));
}

/** Whether a search goes over the graph. A beam that few can fill would go through all of it: those few are ranked instead. */
export function isWalked(k: number, ef: number, { allow, exact }: SearchOptions): boolean {
	return exact !== true && k <= BOUNDS.k.exactAbove && (allow === undefined || allow.size > ef);
}

/** Answers that a search for `wanted` owes where only `allow` may be answered. */
export function leastFound(wanted: number, allow: SearchOptions["allow"]): number {
	return allow === undefined ? wanted : Math.min(wanted, allow.size);
}

function walk(
	graph: HnswGraph,
	scratch: Scratch,
	k: number,
	ef: number,
	eligibility: number,
	abort: SearchOptions["abort"],
): number {
	scratch.set("queryNorm", encodeQuery(graph, scratch.query, scratch.queryCode));
	if (eligibility !== 0) scratch.fitHeap();
	scratch.set("abort", abort?.address ?? 0);
	const depth = rerankDepth(k, ef);
	const found = graph.arena.kernels.searchGraph(graph.address, scratch.address, k, ef, depth, eligibility);
	if (found < 0) throw new NighError("ABORTED", "the search was aborted: its abort flag is raised");
	return found;
}

/** The ef in force: the one asked for, never below k; else the index's, and no less than k calls for. */
export function beamWidth(graph: HnswGraph, k: number, asked: number | undefined): number {
	if (asked === undefined) return Math.max(graph.parameters.ef, k > 10 ? adaptiveEf(k) : k);
	return checkInteger("ef", asked, { ...HNSW_BOUNDS.ef, min: Math.min(k, HNSW_BOUNDS.ef.max) });
}

/** How many of the pool's best are ranked again by exact keys: codes swap neighbours that are close to one another. */
export function rerankDepth(k: number, ef: number): number {
	return Math.min(ef, Math.max(2 * k, k + 16));
}

/** Codes the query at an address, where the graph is searched by codes; returns the norm of the code (0 where it has none). */
export function encodeQuery(graph: HnswGraph, query: number, code: number): number {
	const { codes, arena } = graph;
	if (codes === undefined) return 0;
	if (graph.payload !== PAYLOADS.codesDot) return codes.encode(query, code);
	arena.kernels.encodeSigned(query, graph.rows.bytes, code, codes.bytes);
	return 0;
}

/** Every node by exact keys. Returns how many answers there are. */
function scan(
	graph: HnswGraph,
	scratch: Scratch,
	k: number,
	eligibility: number,
	abort: SearchOptions["abort"],
): number {
	const { arena } = graph;
	const { kernels } = arena;
	const keys = arena.alloc(SCAN_ROWS * 8);
	const labels = keys + SCAN_ROWS * 4;
	let size = 0;
	try {
		for (let first = 0; first < graph.slots; first += SCAN_ROWS) {
			checkAborted(abort);
			const n = Math.min(SCAN_ROWS, graph.slots - first);
			kernels.distanceBlock(
				graph.rows.metricCode,
				scratch.query,
				graph.vectorOf(first),
				graph.vectorStride,
				graph.rows.bytes,
				n,
				keys,
			);
			const used = packUsed(graph, first, n, keys, labels);
			size = kernels.topk(keys, labels, used, k, scratch.get("answer"), size, eligibility);
		}
	} finally {
		arena.free(keys);
	}
	return size;
}

/** Some labels by exact keys; those that are not there are passed over. Returns how many answers there are. */
function rank(
	graph: HnswGraph,
	scratch: Scratch,
	k: number,
	chosen: Iterable<Label>,
	abort: SearchOptions["abort"],
): number {
	const { arena } = graph;
	checkAborted(abort);
	const labels: Label[] = [];
	const nodes: number[] = [];
	for (const label of chosen) {
		const node = graph.table.get(label);
		if (node === undefined) continue;
		labels.push(label);
		nodes.push(node);
	}
	// At most ef of them, which is what the lists of a scratch hold.
	const [ids, keys] = [scratch.get("ids"), scratch.get("keys")];
	const n = nodes.length;
	arena.u32(ids, n).set(nodes);
	const { metricCode, bytes } = graph.rows;
	arena.kernels.distanceMany(metricCode, scratch.query, graph.vectors, graph.vectorStride, bytes, ids, n, keys);
	arena.u32(ids, n).set(labels);
	return arena.kernels.topk(keys, ids, n, k, scratch.get("answer"), 0, 0);
}

/** Closes the gaps that free places leave among keys, and writes the labels of the rest. */
function packUsed(graph: HnswGraph, first: number, n: number, keysAt: number, labelsAt: number): number {
	const { arena } = graph;
	const keys = arena.f32(keysAt, n);
	const labels = arena.u32(labelsAt, n);
	const levels = graph.levels();
	const blocks = arena.u32(graph.blockOf(first), (n * graph.blockStride) / 4);
	const step = graph.blockStride / 4;
	const labelAt = graph.payloadBytes / 4 + 1;
	let used = 0;
	for (let i = 0; i < n; i++) {
		if (levels[first + i] === FREE_LEVEL) continue;
		keys[used] = keys[i] as number;
		labels[used++] = blocks[i * step + labelAt] as number;
	}
	return used;
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
