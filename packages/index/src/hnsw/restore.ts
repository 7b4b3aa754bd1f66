import { FREE_LEVEL, NO_NODE } from "@nigh/kernels";
import { corrupt } from "../image.ts";
import { MAX_LABEL } from "../rows/label-table.ts";
import type { HnswGraph } from "./graph.ts";
import type { HnswSource, HnswState } from "./parts.ts";
import { sectionsOf } from "./parts.ts";
import { recordsFor } from "./reserve.ts";

/** The settings that a saved graph is created again with. */
export function optionsOf(saved: HnswSource["state"]): Record<string, unknown> {
	const { dimensions, metric, codes, M, ef, mL, seed, ...state } = saved as HnswState;
	return {
		dimensions,
		metric,
		codes,
		M,
		ef,
		mL,
		seed,
		...(state.efConstruction === null ? {} : { efConstruction: state.efConstruction }),
		...(state.weights === null ? {} : { weights: state.weights }),
		...(state.maxElements === null ? {} : { maxElements: state.maxElements }),
	};
}

/**
 * Fills a new graph from its parts, with room for `room` nodes in all from the start, so that nothing has to move later. Nothing is trusted
 * that could make a later search read outside the graph.
 */
export function fillGraph(graph: HnswGraph, source: HnswSource, room = 0): void {
	const state = source.state as HnswState;
	const { slots, upperRecords, nextLabel, unchecked = 0, trainedOn } = state;
	if (![slots, upperRecords, nextLabel, unchecked, trainedOn].every(isCount)) {
		throw corrupt("the header's counts are not whole numbers");
	}
	if (nextLabel > MAX_LABEL + 1) throw corrupt("the header counts more labels than there are");
	// Before any memory is taken for what may be a lie.
	checkSections(graph, source);
	graph.reserve(Math.max(1, slots, room), true);
	graph.reserveUpper(upperRecords + (room > slots ? recordsFor(room - slots, graph.parameters) : 0), true);
	graph.slots = slots;
	graph.upper.used = upperRecords;
	for (const { name, address, bytes } of sectionsOf(graph, state)) source.read(name, graph.arena.u8(address, bytes));
	if (graph.codes !== undefined) {
		if (!(Number.isFinite(state.unit) && state.unit > 0)) throw corrupt("the step of the codes is not above 0");
		graph.codes.unit = state.unit;
		graph.codes.trainedOn = trainedOn;
	}
	fillTable(graph);
	if (graph.table.next < nextLabel) graph.table.next = nextLabel;
	graph.unchecked = unchecked;
	checkEntry(graph, state);
	checkUpperLinks(graph);
	graph.upper.findGaps(graph.levels(), graph.upperOf());
	graph.setEntry(state.entry, state.topLevel);
}

function isCount(value: unknown): value is number {
	return Number.isSafeInteger(value) && (value as number) >= 0;
}

function checkSections(graph: HnswGraph, { state, sections }: HnswSource): void {
	const expected = sectionsOf(graph, state as HnswState);
	const fit =
		sections.length === expected.length &&
		expected.every(({ name, bytes }, i) => sections[i]?.name === name && sections[i]?.bytes === bytes);
	if (fit) return;
	const listed = expected.map(({ name, bytes }) => `"${name}" of ${bytes} bytes`).join(", ");
	throw corrupt(`the sections are not those that the header's counts ask for: ${listed}`);
}

// What follows looks at every node of what may be millions: words of one view, no view or call for each.

/** Fills the table and finds the free places, and sees to it that no link of layer 0 leads out of the graph: one pass over the blocks for both. */
function fillTable(graph: HnswGraph): void {
	const { slots, table, freeNodes } = graph;
	const levels = graph.levels();
	const labels = checkBlocks(graph);
	let used = 0;
	let last = -1;
	for (let node = 0; node < slots; node++) {
		if (levels[node] === FREE_LEVEL) continue;
		used++;
		last = Math.max(last, labels[node] as number);
	}
	if (last > MAX_LABEL) throw corrupt("a node has no label");
	table.reserve(used, last + 1);
	for (let node = slots - 1; node >= 0; node--) {
		if (levels[node] === FREE_LEVEL) freeNodes.push(node);
		else table.set(labels[node] as number, node);
	}
	if (table.size !== used) throw corrupt("two nodes have the same label");
}

/** The label of every place. */
function checkBlocks(graph: HnswGraph): Uint32Array {
	const { slots, M0 } = graph;
	const levels = graph.levels();
	const { words, stride, label, count } = graph.blockWords();
	const labels = new Uint32Array(slots);
	for (let node = 0, block = 0; node < slots; node++, block += stride) {
		if (levels[node] === FREE_LEVEL) continue;
		labels[node] = words[block + label] as number;
		const links = words[block + count] as number;
		if (links > M0) throw tooMany(node, links, 0);
		const first = block + count + 1;
		for (let link = first; link < first + links; link++) {
			const to = words[link] as number;
			if (to >= slots || levels[to] === FREE_LEVEL) throw toNowhere(node, 0);
		}
	}
	return labels;
}

function checkEntry(graph: HnswGraph, { entry, topLevel }: HnswState): void {
	const levels = graph.levels();
	let tallest = 0;
	for (let node = 0; node < levels.length; node++) {
		const level = levels[node] as number;
		if (level !== FREE_LEVEL && level > tallest) tallest = level;
	}
	const entered = graph.size === 0 ? entry === NO_NODE : levels[entry] === tallest && topLevel === tallest;
	if (!entered) throw corrupt("the entry point is not a node of the top level");
}

/** Every node above layer 0 has upper records of its own, and their links lead to nodes that reach that layer. */
function checkUpperLinks(graph: HnswGraph): void {
	const { slots, M, upper } = graph;
	const levels = graph.levels();
	const upperOf = graph.upperOf();
	const stride = upper.stride / 4;
	const words = graph.arena.u32(upper.address, upper.used * stride);
	const taken = new Uint8Array(upper.used);
	for (let node = 0; node < slots; node++) {
		const level = levels[node] as number;
		if (level === 0 || level === FREE_LEVEL) continue;
		const first = upperOf[node] as number;
		if (first + level > upper.used) throw notItsOwn(node);
		for (let layer = 1; layer <= level; layer++) {
			const record = first + layer - 1;
			if (taken[record] !== 0) throw notItsOwn(node);
			taken[record] = 1;
			const at = record * stride;
			const links = words[at] as number;
			if (links > M) throw tooMany(node, links, layer);
			for (let link = at + 1; link <= at + links; link++) {
				const to = words[link] as number;
				if (to >= slots || levels[to] === FREE_LEVEL || (levels[to] as number) < layer) throw toNowhere(node, layer);
			}
		}
	}
}

function notItsOwn(node: number): Error {
	return corrupt(`node ${node} has no upper links of its own`);
}

function tooMany(node: number, links: number, layer: number): Error {
	return corrupt(`node ${node} has ${links} links on layer ${layer}`);
}

function toNowhere(node: number, layer: number): Error {
	return corrupt(`node ${node} has a link to nowhere on layer ${layer}`);
}
