import { NO_NODE } from "@nigh/kernels";
import type { HnswGraph } from "./graph.ts";
import { Reach } from "./reach.ts";
import { reconnect } from "./rebalance.ts";
import { renumber } from "./renumber.ts";

export interface OptimizeReport {
	readonly totalNodes: number;
	/** Nodes that nothing led to, linked again. */
	readonly relinked: number;
	/** Whether codes were learned anew from all vectors. */
	readonly retrained: boolean;
}

/**
 * Puts the nodes into breadth-first order from the entry point, so that neighbours lie near one another in memory, closes gaps, and
 * learns the codes again where the collection has outgrown what they were trained on. Answers do not change, but for the codes.
 */
export function optimize(graph: HnswGraph, keepRoom: boolean): OptimizeReport {
	if (graph.entry === NO_NODE) return { totalNodes: 0, relinked: 0, retrained: false };
	const relinked = reconnect(graph);
	const before = graph.codes?.trainedOn;
	graph.trainCodes();
	const reach = new Reach(graph).from(graph.entry);
	const order = reach.order();
	reach.dispose();
	renumber(graph, order);
	graph.trim(keepRoom);
	return { totalNodes: graph.size, relinked, retrained: graph.codes?.trainedOn !== before };
}
