import type { CompactReport } from "../vector-index.ts";
import type { HnswGraph } from "./graph.ts";
import { reconnect } from "./rebalance.ts";
import { renumber, usedNodes } from "./renumber.ts";

/**
 * Closes the gaps that removed nodes have left and gives their memory back, or keeps it as room. Lists are never over their bound and never dangle, since
 * insert and remove see to it; what this mends is reachability.
 */
export function compact(graph: HnswGraph, keepRoom: boolean): CompactReport {
	const removedNodes = graph.slots - graph.size;
	const optimizedConnections = reconnect(graph);
	if (removedNodes > 0) renumber(graph, usedNodes(graph));
	// Upper records can have gaps where places have none.
	else graph.setSlots(graph.slots);
	graph.trim(keepRoom);
	return { removedNodes, optimizedConnections, totalNodes: graph.size };
}
