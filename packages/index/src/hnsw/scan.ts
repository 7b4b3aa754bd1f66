import { BLOCK_TAIL, FREE_LEVEL } from "@nigh/kernels";
import type { Label } from "../vector-index.ts";
import type { GraphView, SearchScratch } from "./graph-view.ts";

/** Rows of an exact scan that are done at a time. */
export const SCAN_ROWS = 4_096;
/** What a scan needs beside a scratch: a key and a label for each row of a chunk. */
export const SCAN_BYTES = SCAN_ROWS * 8;

export interface ScanOptions {
	readonly k: number;
	/** Address of the eligibility struct; 0 where everything may be answered. */
	readonly eligibility: number;
}

/**
 * Ranks the nodes in places `first` to `first + n - 1` (at most {@link SCAN_ROWS}) by exact keys to the query in the scratch, beside the
 * `size` answers that it has by now; `room` is the address of {@link SCAN_BYTES}. Returns how many answers there are then.
 */
export function scanChunk(
	graph: GraphView,
	scratch: SearchScratch,
	{
		first,
		n,
		room,
		size,
	}: { readonly first: number; readonly n: number; readonly room: number; readonly size: number },
	{ k, eligibility }: ScanOptions,
): number {
	const { kernels } = graph.arena;
	const { metricCode, bytes } = graph.rows;
	const row = graph.vectors + first * graph.vectorStride;
	kernels.distanceBlock(metricCode, scratch.query, row, graph.vectorStride, bytes, n, room);
	const labels = room + 4 * SCAN_ROWS;
	const answer = scratch.get("answer");
	const most = size < k ? Number.POSITIVE_INFINITY : (graph.arena.f32(answer + 8 * (k - 1), 1)[0] as number);
	const used = packUsed(graph, { first, n, keysAt: room, labelsAt: labels, most });
	return kernels.topk(room, labels, used, k, answer, size, eligibility);
}

interface Packing {
	readonly first: number;
	readonly n: number;
	readonly keysAt: number;
	readonly labelsAt: number;
	/** Larger keys are left out. */
	readonly most: number;
}

/** Moves keys together that are small enough and not of free places, and writes their labels: reading a label costs a wait for memory. */
function packUsed(graph: GraphView, { first, n, keysAt, labelsAt, most }: Packing): number {
	const { arena } = graph;
	const keys = arena.f32(keysAt, n);
	const labels = arena.u32(labelsAt, n);
	const levels = graph.levels();
	const step = graph.blockStride / 4;
	const blocks = arena.u32(graph.blocks + first * graph.blockStride, n * step);
	const labelAt = (graph.payloadBytes + BLOCK_TAIL.label) / 4;
	let used = 0;
	for (let i = 0; i < n; i++) {
		const key = keys[i] as number;
		if (key > most || levels[first + i] === FREE_LEVEL) continue;
		keys[used] = key;
		labels[used++] = blocks[i * step + labelAt] as number;
	}
	return used;
}

/**
 * Ranks some labels by exact keys to the query in the scratch; `nodeOf` says where each is, and those that are nowhere are passed over.
 * Returns how many answers there are.
 */
export function rankLabels(
	graph: GraphView,
	scratch: SearchScratch,
	chosen: Iterable<Label>,
	nodeOf: (label: Label) => number | undefined,
	{ k, eligibility }: ScanOptions,
): number {
	const { room } = scratch;
	const answer = scratch.get("answer");
	const [idsAt, keysAt, labelsAt] = [scratch.get("ids"), scratch.get("keys"), scratch.get("selected")];
	const ids = graph.arena.u32(idsAt, room);
	const labels = graph.arena.u32(labelsAt, room);
	let size = 0;
	let n = 0;
	const rank = () => {
		keysOf(graph, scratch, idsAt, n, keysAt);
		size = graph.arena.kernels.topk(keysAt, labelsAt, n, k, answer, size, eligibility);
		n = 0;
	};
	for (const label of chosen) {
		const node = nodeOf(label);
		if (node === undefined) continue;
		ids[n] = node;
		labels[n++] = label;
		if (n === room) rank();
	}
	rank();
	return size;
}

/** The exact keys of the nodes that `n` words at `ids` name, to the query in the scratch. */
export function keysOf(graph: GraphView, scratch: SearchScratch, ids: number, n: number, keys: number): void {
	const { metricCode, bytes } = graph.rows;
	const { kernels } = graph.arena;
	kernels.distanceMany(metricCode, scratch.query, graph.vectors, graph.vectorStride, bytes, ids, n, keys);
}
