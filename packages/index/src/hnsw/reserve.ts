import type { Label } from "../vector-index.ts";
import type { HnswGraph } from "./graph.ts";
import { type HnswParameters, levelFor } from "./parameters.ts";

/** Standard deviations above the mean: more are met once in a thousand million reservations. */
const DEVIATIONS = 6;
/** Upper records beside that: one node as tall as any can be. */
const MARGIN = 256;

/**
 * Upper records of a node: the mean, and the standard deviation. A level is at least l with probability q^l, q = exp(-1 / mL), so
 * levels are geometric: mean q / (1 - q), variance q / (1 - q)^2.
 */
export function recordsOfNode({ mL }: Pick<HnswParameters, "mL">): { mean: number; deviation: number } {
	const q = Math.exp(-1 / mL);
	return { mean: q / (1 - q), deviation: Math.sqrt(q) / (1 - q) };
}

/** Upper records that are enough for so many more nodes. */
export function recordsFor(nodes: number, parameters: Pick<HnswParameters, "mL">): number {
	const { mean, deviation } = recordsOfNode(parameters);
	return Math.ceil(nodes * mean + DEVIATIONS * deviation * Math.sqrt(nodes)) + MARGIN;
}

/** Nodes for which so many upper records are enough, whatever their labels but once in a thousand million times. */
function nodesFor(records: number, parameters: Pick<HnswParameters, "mL">): number {
	const { mean, deviation } = recordsOfNode(parameters);
	const spread = DEVIATIONS * deviation;
	// mean x^2 + spread x = records, solved for x = sqrt(nodes); the half undoes the rounding of the square root.
	const root = (Math.sqrt(spread * spread + 4 * mean * Math.max(0, records)) - spread) / (2 * mean);
	return Math.floor(root * root + 0.5);
}

/** Takes the memory for so many nodes in all, exactly. */
export function reserveNodes(graph: HnswGraph, nodes: number): void {
	graph.reserve(nodes, true);
	const more = nodes - graph.size;
	if (more > 0) graph.reserveUpper(graph.upper.used + recordsFor(more, graph.parameters), true);
}

/** Nodes that can be inserted before something must move. */
export function roomOf(graph: HnswGraph): number {
	return Math.min(freePlaces(graph), nodesFor(graph.upper.capacity - graph.upper.used, graph.parameters));
}

/** Whether inserting these labels, which must be different ones, moves or uses again nothing that readers read. */
export function fits(graph: HnswGraph, labels: Iterable<Label>): boolean {
	const { isHeld } = graph.sharing;
	let nodes = 0;
	let records = 0;
	for (const label of labels) {
		if (graph.table.get(label) !== undefined) return false;
		if (isHeld && !graph.sharing.covers(label)) return false;
		nodes++;
		records += levelFor(label, graph.parameters);
	}
	return nodes <= freePlaces(graph) && records <= graph.upper.capacity - graph.upper.used;
}

function freePlaces(graph: HnswGraph): number {
	return graph.capacity - graph.slots + graph.freeNodes.length;
}
