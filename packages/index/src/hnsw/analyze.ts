import { FREE_LEVEL, NO_NODE } from "@nigh/kernels";
import { uniform } from "../random.ts";
import type { HnswGraph } from "./graph.ts";
import { carefulDepths, Reach } from "./reach.ts";
import { usedNodes } from "./renumber.ts";

/** Pairs looked at for paths: so many starts, each with so many ends (check H-12 asks for 100). */
const STARTS = 10;
const ENDS = 10;

/** Outside these a graph is worth mending (check H-12): connectivity and pairs in percent, path length in links. */
const LEAST_CONNECTIVITY = 100;
const LEAST_PAIRS = 95;
const LONGEST_PATH = 10;

export interface GraphAnalysis {
	readonly nodes: number;
	/** Share of nodes reachable from the entry point on layer 0, in percent. */
	readonly connectivityPercentage: number;
	/** Share of 100 random pairs of which the first leads to the second on layer 0, in percent. */
	readonly reachablePairsPercentage: number;
	/** Mean number of links between the two nodes of a reachable pair, the shortest way. */
	readonly averagePathLength: number;
	/** Nodes whose highest layer it is, for each layer from 0. */
	readonly layers: readonly number[];
	/** Links of a node on layer 0: least, mean, most, and how many nodes have each number. */
	readonly degree: {
		readonly min: number;
		readonly mean: number;
		readonly max: number;
		readonly histogram: readonly number[];
	};
	/** Links to a place where no node is. Always 0 in a graph that only this package has written. */
	readonly danglingLinks: number;
	readonly issues: readonly string[];
	readonly recommendation: string;
}

/** Looks at the whole graph; takes time in proportion to its links. The random pairs are seeded with the index's seed. */
export function analyze(graph: HnswGraph): GraphAnalysis {
	const nodes = usedNodes(graph);
	const levels = graph.levels();
	const layers: number[] = [];
	const histogram: number[] = Array.from({ length: graph.M0 + 1 }, () => 0);
	let links = 0;
	let dangling = 0;
	for (const node of nodes) {
		const level = levels[node] as number;
		for (let layer = layers.length; layer <= level; layer++) layers.push(0);
		layers[level] = (layers[level] as number) + 1;
		for (let layer = 0; layer <= level; layer++) {
			const list = graph.links(node, layer);
			for (const other of list) if (isDangling(levels[other], layer)) dangling++;
			if (layer > 0) continue;
			links += list.length;
			histogram[list.length] = (histogram[list.length] ?? 0) + 1;
		}
	}
	const measure = dangling === 0 ? measured : measuredCarefully;
	const connectivity = percentage(reachableNodes(graph, measure), nodes.length);
	const paths = randomPaths(graph, nodes, measure);
	const issues = findIssues(connectivity, paths.reachable, paths.length, dangling);
	return {
		nodes: nodes.length,
		connectivityPercentage: connectivity,
		reachablePairsPercentage: paths.reachable,
		averagePathLength: paths.length,
		layers,
		degree: {
			min: Math.max(
				0,
				histogram.findIndex((count) => count > 0),
			),
			mean: nodes.length === 0 ? 0 : links / nodes.length,
			max: Math.max(
				0,
				histogram.findLastIndex((count) => count > 0),
			),
			histogram,
		},
		danglingLinks: dangling,
		issues,
		recommendation: recommend(connectivity, dangling, paths),
	};
}

function isDangling(level: number | undefined, layer: number): boolean {
	return level === undefined || level === FREE_LEVEL || level < layer;
}

/** How far a start is from what it leads to on layer 0, in links. */
interface Depths {
	readonly count: number;
	readonly of: (node: number) => number | undefined;
}

/** Calls `look` with the depths from a node. */
type Measure = (graph: HnswGraph, start: number, look: (depths: Depths) => void) => void;

const measured: Measure = (graph, start, look) => {
	const reach = new Reach(graph).from(start);
	try {
		look({ count: reach.count, of: (node) => reach.depth(node) });
	} finally {
		reach.dispose();
	}
};

/** The kernel would follow a link to nowhere. */
const measuredCarefully: Measure = (graph, start, look) => {
	const depths = carefulDepths(graph, start);
	look({ count: depths.size, of: (node) => depths.get(node) });
};

function reachableNodes(graph: HnswGraph, measure: Measure): number {
	let reached = 0;
	if (graph.entry !== NO_NODE) {
		measure(graph, graph.entry, ({ count }) => {
			reached = count;
		});
	}
	return reached;
}

function randomPaths(graph: HnswGraph, nodes: Uint32Array, measure: Measure): { reachable: number; length: number } {
	if (nodes.length < 2) return { reachable: 100, length: 0 };
	let draw = 0;
	const pick = () => nodes[Math.floor(uniform(graph.parameters.seed, draw++) * nodes.length)] as number;
	let reachable = 0;
	let total = 0;
	for (let start = 0; start < STARTS; start++) {
		measure(graph, pick(), (depths) => {
			for (let end = 0; end < ENDS; end++) {
				const depth = depths.of(pick());
				if (depth === undefined) continue;
				reachable++;
				total += depth;
			}
		});
	}
	return { reachable: percentage(reachable, STARTS * ENDS), length: reachable === 0 ? 0 : total / reachable };
}

function findIssues(connectivity: number, pairs: number, length: number, dangling: number): string[] {
	const issues: string[] = [];
	if (dangling > 0) issues.push(`${dangling} links point to places without a node`);
	if (connectivity < LEAST_CONNECTIVITY)
		issues.push(`only ${connectivity.toFixed(2)} % of the nodes can be reached from the entry point`);
	if (pairs < LEAST_PAIRS)
		issues.push(`only ${pairs.toFixed(0)} % of random pairs are connected (${LEAST_PAIRS} % expected)`);
	if (length > LONGEST_PATH)
		issues.push(`the average path has ${length.toFixed(1)} links (at most ${LONGEST_PATH} expected)`);
	return issues;
}

function recommend(connectivity: number, dangling: number, paths: { reachable: number; length: number }): string {
	if (dangling > 0) return "Build the index again from the vectors: its links are damaged.";
	if (connectivity < LEAST_CONNECTIVITY) return "Call rebalance(): it links the nodes that cannot be reached.";
	if (paths.reachable < LEAST_PAIRS) return "Call optimize(), or build again with a larger efConstruction.";
	if (paths.length > LONGEST_PATH) return "Build again with a larger M: paths are long.";
	return "Nothing to do.";
}

const percentage = (part: number, whole: number): number => (whole === 0 ? 100 : (100 * part) / whole);
