import type { HnswGraph } from "./graph.ts";

/**
 * Takes nodes out again that could not be linked. `started` are those of them that links may lead to; such links are cut without
 * looking for others, since what failed may be the metric. What that leaves out of reach, the next write links again.
 */
export function withdraw(graph: HnswGraph, nodes: Iterable<number>, started: Iterable<number>): void {
	const cut = new Set(started);
	if (cut.size > 0) {
		for (const node of graph.nodes()) {
			for (let layer = 0; layer <= graph.levelOf(node); layer++) {
				const links = graph.links(node, layer);
				if (links.some((other) => cut.has(other)))
					graph.setLinks(
						node,
						layer,
						links.filter((other) => !cut.has(other)),
					);
			}
		}
	}
	graph.abandon(nodes);
	if (cut.size > 0) graph.unchecked = graph.size;
}
