import { FREE_LEVEL } from "@nigh/kernels";
import type { HnswGraph } from "./graph.ts";

const UNREACHED = 0xffff;

/** Breadth-first search over layer 0, in steps: what is reached stays reached until it is disposed of. */
export class Reach {
	readonly #graph: HnswGraph;
	readonly #depths: number;
	readonly #queue: number;
	readonly #nodes: number;
	/** Nodes reached so far. */
	count = 0;

	constructor(graph: HnswGraph) {
		this.#graph = graph;
		this.#nodes = graph.slots;
		this.#depths = graph.arena.alloc(this.#nodes * 2);
		try {
			this.#queue = graph.arena.alloc(this.#nodes * 4);
		} catch (error) {
			graph.arena.free(this.#depths);
			throw error;
		}
		graph.arena.u16(this.#depths, this.#nodes).fill(UNREACHED);
	}

	/** Reaches everything that a node leads to. */
	from(node: number): this {
		const { arena, address } = this.#graph;
		const scratch = this.#graph.scratch(0, 1).address;
		this.count = arena.kernels.bfs(address, scratch, node, this.#depths, this.#queue, this.count);
		return this;
	}

	has(node: number): boolean {
		return this.depth(node) !== undefined;
	}

	/** Links between the start and a node; `undefined` where it was not reached. */
	depth(node: number): number | undefined {
		const depth = this.#graph.arena.u16(this.#depths, this.#nodes)[node] as number;
		return depth === UNREACHED ? undefined : depth;
	}

	/** Reached nodes in the order in which they were reached. */
	order(): Uint32Array {
		return this.#graph.arena.u32(this.#queue, this.count).slice();
	}

	dispose(): void {
		this.#graph.arena.free(this.#depths);
		this.#graph.arena.free(this.#queue);
	}
}

/** The depths of what a node leads to, by node. Slower, and for graphs whose links may lead to nowhere: those are passed over. */
export function carefulDepths(graph: HnswGraph, start: number): Map<number, number> {
	const levels = graph.levels();
	const depths = new Map([[start, 0]]);
	// A map goes on over what is added while it is walked.
	for (const [node, depth] of depths) {
		for (const other of graph.links(node, 0)) {
			const level = levels[other];
			if (level !== undefined && level !== FREE_LEVEL && !depths.has(other)) depths.set(other, depth + 1);
		}
	}
	return depths;
}
