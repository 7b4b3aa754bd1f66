import { NighError } from "@nigh/contract";
import { ArenaFullError, NO_NODE } from "@nigh/kernels";
import { throwIfAborted } from "../insert-signal.ts";
import { type Parallel, serial } from "../parallel.ts";
import { uniform } from "../random.ts";
import type { Label, VectorRows } from "../vector-index.ts";
import type { HnswGraph } from "./graph.ts";
import { runStep } from "./link.ts";
import { levelFor } from "./parameters.ts";
import { reconnect } from "./rebalance.ts";
import { removeLabels } from "./remove.ts";
import { withdraw } from "./withdraw.ts";

/** A batch may have this share of the graph that comes out, and never more nodes than the graph has already: nodes of one batch do not see one another. */
const BATCH_SHARE = 0.02;

/**
 * When nodes inserted since the last time make up this share of the graph, it is seen to that all nodes can be reached: a look goes over
 * the whole graph, and is worth that much work. Memory is taken exactly where rows make up this share, by half as much again otherwise.
 */
const LARGE_SHARE = 1 / 8;

/** In a graph up to so many nodes a look costs less than linking a few rows: there it follows every insertMany. */
const SMALL_GRAPH = 4_096;

export interface InsertProgress {
	readonly parallel?: Parallel | undefined;
	readonly onProgress?: ((done: number, total: number) => void) | undefined;
	readonly signal?: AbortSignal | undefined;
	readonly stored?: boolean | undefined;
	readonly together?: number | undefined;
	/** Whether the index has been disposed of meanwhile. */
	readonly isClosed?: () => boolean;
}

/** Takes one checked vector in, at once and on this thread. */
export function insertOne(graph: HnswGraph, label: Label, vector: Float32Array | Uint8Array): void {
	const level = levelFor(label, graph.parameters);
	const known = graph.table.get(label) !== undefined;
	reserve(graph, { nodes: known ? 0 : 1, records: level, batch: 1 });
	if (known) removeLabels(graph, [label]);
	const node = graph.place(label, level);
	try {
		graph.write(node, vector);
		graph.trainCodes();
		graph.sharing.publish([node]);
		const { address } = graph.scratch(0, graph.efConstruction);
		for (const step of graph.linker.insert(Uint32Array.of(node), [address])) runStep(graph, step);
	} catch (error) {
		withdraw(graph, [node], [node]);
		throw error;
	}
	countUnchecked(graph, 1);
}

/** Takes checked rows in, in an order of its own and batch by batch; {@link InsertManyOptions} says what happens when it fails. */
export async function insertRows(
	graph: HnswGraph,
	rows: VectorRows,
	labels: Uint32Array,
	options: InsertProgress,
): Promise<void> {
	const levels = labels.reduce((sum, label) => sum + levelFor(label, graph.parameters), 0);
	const known = labels.filter((label) => graph.table.get(label) !== undefined);
	throwIfAborted(options.signal, 0, labels.length);
	const nodes = labels.length - known.length;
	const batch = Math.min(labels.length, Math.ceil((graph.size + nodes) * BATCH_SHARE));
	const exactly = nodes >= graph.size * LARGE_SHARE;
	reserve(graph, { nodes, records: levels, batch, exactly, parallel: options.parallel });
	removeLabels(graph, known);
	const placed = labels.map((label, row) => {
		const node = graph.place(label, levelFor(label, graph.parameters));
		graph.write(node, graph.rows.rowOf(rows, row), options.stored);
		return node;
	});
	graph.trainCodes();
	graph.sharing.publish(placed);
	shuffle(placed, graph.parameters.seed);
	await linkBatches(graph, placed, options);
	if (labels.length === 0) options.onProgress?.(0, 0);
	countUnchecked(graph, graph.size <= SMALL_GRAPH ? graph.size : labels.length);
}

/** A link back can push another out, and now and then it is the last that led to a node. */
function countUnchecked(graph: HnswGraph, nodes: number): void {
	graph.unchecked += nodes;
	if (graph.unchecked >= graph.size * LARGE_SHARE) reconnectWhereRoom(graph);
}

/** The vectors are in: that there is no memory left to look around does not undo it. A later write looks again. */
function reconnectWhereRoom(graph: HnswGraph): void {
	try {
		reconnect(graph);
	} catch (error) {
		if (!(error instanceof ArenaFullError)) throw error;
		graph.unchecked = graph.size;
	}
}

interface Reservation {
	/** More nodes and upper records than there are. */
	readonly nodes: number;
	readonly records: number;
	/** Nodes that are linked at a time. */
	readonly batch: number;
	/** Not by half at a time, which is for few nodes. */
	readonly exactly?: boolean;
	readonly parallel?: Parallel | undefined;
}

/** Takes the memory that inserting will need, so that there is nothing to undo where the arena ends. */
function reserve(graph: HnswGraph, { nodes, records, batch, exactly, parallel }: Reservation): void {
	graph.reserve(graph.size + nodes, exactly);
	graph.reserveUpper(graph.upper.used + records, exactly);
	for (const lane of lanesOf(parallel)) graph.scratch(lane, graph.efConstruction);
	graph.linker.reserve(batch);
}

async function linkBatches(graph: HnswGraph, nodes: Uint32Array, options: InsertProgress): Promise<void> {
	let linked = 0;
	let started = 0;
	try {
		while (linked < nodes.length) {
			throwIfAborted(options.signal, linked, nodes.length);
			if (options.isClosed?.()) throw new NighError("CLOSED", "the index was disposed of while vectors were inserted");
			started = linked + batchSize(graph, nodes, linked, options.together);
			const lanes = lanesOf(options.parallel).map((lane) => graph.scratch(lane, graph.efConstruction).address);
			for (const { kernel, args } of graph.linker.insert(nodes.subarray(linked, started), lanes)) {
				await (options.parallel ?? serial).run(graph.arena, kernel, args);
			}
			linked = started;
			options.onProgress?.(linked, nodes.length);
		}
	} catch (error) {
		// Rows that are not linked would be in the table but out of reach.
		withdraw(graph, nodes.subarray(linked), nodes.subarray(linked, started));
		if (linked === started) reconnectWhereRoom(graph);
		throw error;
	}
}

/** The scratches that lanes use. Other threads must not share one with searches on this thread. */
function lanesOf(parallel: Parallel | undefined): number[] {
	return parallel === undefined ? [0] : Array.from({ length: parallel.lanes }, (_, lane) => lane + 1);
}

/**
 * Rows often come in an order that means something (passages of one text, images of one kind). In that order near ones would share a batch,
 * where they do not see one another, and recall would suffer.
 */
function shuffle(nodes: Uint32Array, seed: number): void {
	for (let i = nodes.length - 1; i > 0; i--) {
		const j = Math.floor(uniform(seed, i) * (i + 1));
		const node = nodes[i] as number;
		nodes[i] = nodes[j] as number;
		nodes[j] = node;
	}
}

/** A node that is taller than the graph goes in alone, so that every layer has an entry point before others need it. */
function batchSize(graph: HnswGraph, nodes: Uint32Array, from: number, together = Number.POSITIVE_INFINITY): number {
	const linked = graph.size - (nodes.length - from);
	const share = Math.max(1, Math.floor(graph.size * BATCH_SHARE));
	const most = Math.min(Math.max(1, linked), share, together, nodes.length - from);
	const levels = graph.levels();
	const top = graph.entry === NO_NODE ? -1 : graph.topLevel;
	for (let i = 0; i < most; i++) {
		if ((levels[nodes[from + i] as number] as number) > top) return i === 0 ? 1 : i;
	}
	return most;
}
