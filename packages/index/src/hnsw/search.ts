import { checkInteger, type Distance, NighError } from "@nigh/contract";
import { FREE_LEVEL, PAYLOADS } from "@nigh/kernels";
import { checkAborted, writeEligibility } from "../eligibility.ts";
import type { Neighbor, SearchOptions, Vector } from "../vector-index.ts";
import type { HnswGraph } from "./graph.ts";
import { adaptiveEf, HNSW_BOUNDS } from "./parameters.ts";
import type { Scratch } from "./scratch.ts";

/** Rows of an exact scan that are done at a time. */
const SCAN_ROWS = 4_096;

/** The nearest k by a beam of `ef`; by a scan of everything where that is asked for or the graph cannot reach enough. */
export function search(graph: HnswGraph, query: Vector, k: number, options: SearchOptions): Neighbor[] {
	const vector = graph.rows.check(query);
	const wanted = Math.min(k, graph.size);
	if (wanted === 0) return [];
	const ef = beamWidth(graph, k, options.ef);
	const scratch = graph.scratch(0, Math.max(ef, k));
	graph.rows.write(vector, scratch.query);
	if (options.allow !== undefined) scratch.fitHeap();
	const eligibility = writeEligibility(graph.arena, scratch.eligibility, options.allow);
	scratch.set("abort", options.abort?.address ?? 0);
	if (options.exact === true) return answer(graph, scratch, scan(graph, scratch, wanted, eligibility, options.abort));
	writeQueryCode(graph, scratch);
	const found = graph.arena.kernels.searchGraph(
		graph.address,
		scratch.address,
		wanted,
		ef,
		rerankDepth(wanted, ef),
		eligibility,
	);
	if (found < 0) throw new NighError("ABORTED", "the search was aborted: its abort flag is raised");
	const matches = options.allow === undefined ? wanted : Math.min(wanted, options.allow.size);
	// A walk can miss parts of a graph that nothing it met leads to. What was promised is min(k, matches) answers.
	if (found < matches) return answer(graph, scratch, scan(graph, scratch, wanted, eligibility, options.abort));
	return answer(graph, scratch, found);
}

/** The ef in force: the one asked for, never below k; else the index's, and no less than k calls for. */
export function beamWidth(graph: HnswGraph, k: number, asked: number | undefined): number {
	if (asked === undefined) return Math.max(graph.parameters.ef, k > 10 ? adaptiveEf(k) : k);
	return checkInteger("ef", asked, { ...HNSW_BOUNDS.ef, min: Math.min(k, HNSW_BOUNDS.ef.max) });
}

/** How many of the pool's best are ranked again by exact keys: codes swap neighbours that are close to one another. */
function rerankDepth(k: number, ef: number): number {
	return Math.min(ef, Math.max(2 * k, k + 16));
}

function writeQueryCode(graph: HnswGraph, scratch: Scratch): void {
	const { codes, arena } = graph;
	if (codes === undefined) return;
	if (graph.payload === PAYLOADS.codesDot) {
		arena.kernels.encodeSigned(scratch.query, graph.rows.bytes, scratch.queryCode, codes.bytes);
	} else scratch.set("queryNorm", codes.encode(scratch.query, scratch.queryCode));
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
function answer(graph: HnswGraph, scratch: Scratch, n: number): Neighbor[] {
	const at = scratch.get("answer");
	const keys = graph.arena.f32(at, 2 * n);
	const labels = graph.arena.u32(at, 2 * n);
	return Array.from({ length: n }, (_, i) => ({
		label: labels[2 * i + 1] as number,
		distance: graph.rows.distanceOf(keys[2 * i] as number) as Distance,
	}));
}
