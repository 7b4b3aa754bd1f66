import { BLOCK_TAIL, type KernelName, NO_NODE } from "@nigh/kernels";
import type { HnswGraph } from "./graph.ts";
import { EXTRA_ROOM } from "./scratch.ts";

/** A cache line of its own, since lanes write it all the time. */
const CURSOR_BYTES = 64;

/** Calls of one kernel, one for each lane, that may run at the same time. */
export interface Step {
	readonly kernel: KernelName;
	readonly args: readonly (readonly number[])[];
}

/** Runs a step on this thread. */
export function runStep(graph: HnswGraph, { kernel, args }: Step): void {
	for (const list of args) (graph.arena.kernels[kernel] as (...numbers: readonly number[]) => unknown)(...list);
}

/**
 * Turns nodes that are to be linked into kernel calls. The next step may only be asked for when the calls of the last have returned.
 * Holds its lists from one time to the next: taking memory for them costs more than a short list takes to work off.
 */
export class Linker {
	readonly #graph: HnswGraph;
	#memory = 0;
	#bytes = 0;
	/** By node: 1 + its place among the targets of a list that is being turned round, 0 for none. */
	#placeOf = new Uint32Array(0);

	constructor(graph: HnswGraph) {
		this.#graph = graph;
	}

	get bytes(): number {
		return this.#bytes + this.#placeOf.byteLength;
	}

	/** Takes the memory for so many nodes in one step. */
	reserve(nodes: number): void {
		const links = Math.min(nodes, EXTRA_ROOM) * this.#graph.M0;
		const bytes = CURSOR_BYTES + 4 * Math.max(nodes, 3 * links + 1);
		if (bytes > this.#bytes) {
			this.dispose();
			this.#memory = this.#graph.arena.alloc(bytes);
			this.#bytes = bytes;
		}
		if (this.#placeOf.length < this.#graph.capacity) this.#placeOf = new Uint32Array(this.#graph.capacity);
	}

	/**
	 * Links new nodes: every one searches the graph as it is before them (they do not see one another), then their neighbours are linked
	 * back. A node that is taller than the graph comes alone, and becomes the entry point.
	 */
	*insert(nodes: Uint32Array, lanes: readonly number[]): Generator<Step> {
		const graph = this.#graph;
		const { arena } = graph;
		this.reserve(nodes.length);
		const list = this.#memory + CURSOR_BYTES;
		arena.u32(list, nodes.length).set(nodes);
		yield this.#step("insertRange", lanes, [graph.efConstruction, list, nodes.length]);
		const levels = graph.levels();
		const tallest = nodes.reduce((most, node) => Math.max(most, levels[node] as number), 0);
		for (let layer = 0; layer <= tallest; layer++) yield* this.linkBack(layer, nodes, lanes, EXTRA_ROOM);
		const top = graph.entry === NO_NODE ? -1 : graph.topLevel;
		if (tallest > top) graph.setEntry(nodes.find((node) => graph.levelOf(node) === tallest) as number, tallest);
	}

	/**
	 * Links every neighbour that the nodes have on a layer back to them; nodes that do not reach the layer are passed over. Goes on in
	 * steps of so many nodes, at most {@link EXTRA_ROOM}: one target gets at most one link from each, and a scratch holds no more.
	 */
	*linkBack(layer: number, nodes: Uint32Array, lanes: readonly number[], most: number): Generator<Step> {
		const levels = this.#graph.levels();
		const those = layer === 0 ? nodes : nodes.filter((node) => (levels[node] as number) >= layer);
		for (let from = 0; from < those.length; from += most) {
			const part = those.subarray(from, from + most);
			this.reserve(part.length);
			const { targets, offsets, sources, count } = this.#turnRound(layer, part);
			if (count > 0) yield this.#step("linkRange", lanes, [layer, targets, offsets, sources, count]);
		}
	}

	/** Gives the lists back; they are taken again when they are needed. */
	dispose(): void {
		this.#graph.arena.free(this.#memory);
		this.#memory = 0;
		this.#bytes = 0;
		this.#placeOf = new Uint32Array(0);
	}

	#step(kernel: KernelName, lanes: readonly number[], args: readonly number[]): Step {
		const { arena, address } = this.#graph;
		arena.u32(this.#memory, 1)[0] = 0;
		return { kernel, args: lanes.map((scratch) => [address, scratch, ...args, this.#memory]) };
	}

	/**
	 * The links of some nodes on a layer, turned round and grouped by target: target i has the sources from offsets[i] to offsets[i + 1].
	 * Targets stand in the order in which they first appear, sources in the order of the nodes.
	 */
	#turnRound(layer: number, nodes: Uint32Array): { targets: number; offsets: number; sources: number; count: number } {
		const graph = this.#graph;
		const words = new Uint32Array(graph.arena.memory.buffer);
		const placeOf = this.#placeOf;
		const room = nodes.length * graph.capacityOf(layer);
		const targets = (this.#memory + CURSOR_BYTES) / 4;
		const offsets = targets + room;
		const sources = offsets + room + 1;
		let count = 0;
		for (const node of nodes) {
			const at = linksAt(graph, node, layer);
			const end = at + (words[at] as number);
			for (let i = at + 1; i <= end; i++) {
				const target = words[i] as number;
				const place = placeOf[target] as number;
				if (place === 0) {
					words[targets + count] = target;
					words[offsets + count] = 1;
					placeOf[target] = ++count;
				} else words[offsets + place - 1] = (words[offsets + place - 1] as number) + 1;
			}
		}
		// From counts to where each group ends; filling from behind then leaves where it begins.
		let links = 0;
		for (let i = 0; i < count; i++) {
			links += words[offsets + i] as number;
			words[offsets + i] = links;
		}
		words[offsets + count] = links;
		for (let n = nodes.length - 1; n >= 0; n--) {
			const node = nodes[n] as number;
			const at = linksAt(graph, node, layer);
			const end = at + (words[at] as number);
			for (let i = at + 1; i <= end; i++) {
				const place = offsets + (placeOf[words[i] as number] as number) - 1;
				const to = (words[place] as number) - 1;
				words[place] = to;
				words[sources + to] = node;
			}
		}
		for (let i = 0; i < count; i++) placeOf[words[targets + i] as number] = 0;
		return { targets: 4 * targets, offsets: 4 * offsets, sources: 4 * sources, count };
	}
}

/** Where a node's count of links on a layer is, in words. */
function linksAt(graph: HnswGraph, node: number, layer: number): number {
	// Written out for layer 0, where nearly all lists are: a call and a view less.
	if (layer === 0) return (graph.blocks + node * graph.blockStride + graph.payloadBytes + BLOCK_TAIL.count) / 4;
	return graph.linksAddress(node, layer) / 4;
}
