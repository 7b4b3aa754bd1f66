import { NO_NODE } from "@nigh/kernels";
import type { HnswGraph } from "./graph.ts";
import { Reach } from "./reach.ts";
import { encodeQuery } from "./walk.ts";

export interface RebalanceReport {
	/** Nodes that nothing led to from the entry point, and that are linked again now. */
	readonly relinked: number;
	/** Share of nodes reachable from the entry point on layer 0: 1 afterwards. */
	readonly connectivity: number;
}

/** Links to every node that the entry point does not lead to; the nodes it does lead to stay reachable. */
export function rebalance(graph: HnswGraph): RebalanceReport {
	return { relinked: reconnect(graph), connectivity: 1 };
}

/** Does the work of {@link rebalance}; returns how many nodes had to be linked. `reach` has reached nothing yet. */
export function reconnect(graph: HnswGraph, reach?: Reach): number {
	if (graph.entry === NO_NODE) return 0;
	const own = reach ?? new Reach(graph);
	let relinked = 0;
	try {
		own.from(graph.entry);
		if (own.count < graph.size) {
			for (const node of graph.nodes()) {
				if (own.has(node)) continue;
				attach(graph, own, node);
				// What the node leads to is reachable with it.
				own.from(node);
				relinked++;
			}
		}
	} finally {
		if (reach === undefined) own.dispose();
	}
	graph.unchecked = 0;
	return relinked;
}

/**
 * Makes one node reachable: a near reachable node r gets a link to it. Where r has no room, the link takes the place of r's last one, to x,
 * and the node gets a link to x: whatever went through r -> x goes through r -> node -> x now.
 */
function attach(graph: HnswGraph, reach: Reach, node: number): void {
	const near = reachableNear(graph, reach, node);
	const own = [...graph.links(node, 0)];
	for (const r of near) {
		const links = graph.links(r, 0);
		if (links.length >= graph.M0) continue;
		graph.setLinks(r, 0, [...links, node]);
		return;
	}
	const r = near[0] as number;
	const links = [...graph.links(r, 0)];
	const x = links.pop() as number;
	if (!own.includes(x)) graph.setLinks(node, 0, [...own.slice(0, graph.M0 - 1), x]);
	graph.setLinks(r, 0, [...links, node]);
}

/** Reachable nodes near a node, nearest first: what a search for it finds, and so at least the entry point. */
function reachableNear(graph: HnswGraph, reach: Reach, node: number): number[] {
	const ef = graph.efConstruction;
	const scratch = graph.scratch(0, ef);
	const { arena } = graph;
	arena.u8(scratch.query, graph.rows.bytes).set(arena.u8(graph.vectorOf(node), graph.rows.bytes));
	scratch.set("queryNorm", encodeQuery(graph, scratch.query, scratch.queryCode));
	const n = arena.kernels.searchGraph(graph.address, scratch.address, ef, ef, ef, 0, 0);
	const pairs = arena.u32(scratch.get("answer"), 2 * n);
	const found: number[] = [];
	for (let i = 0; i < n; i++) {
		const other = graph.table.get(pairs[2 * i + 1] as number);
		if (other !== undefined && other !== node && reach.has(other)) found.push(other);
	}
	return found.length > 0 ? found : [graph.entry];
}
