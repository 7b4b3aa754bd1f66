import { FREE_LEVEL, NO_NODE } from "@nigh/kernels";
import { corrupt, type ImageHeader, type ImageReader, type Section, writeImage } from "../image.ts";
import type { HnswGraph } from "./graph.ts";

/** What the arena does not hold. Everything else of a graph is in the sections. */
interface HnswState {
	readonly dimensions: number;
	readonly metric: string;
	readonly custom: boolean;
	readonly weights: readonly number[] | null;
	readonly codes: "sq7" | "none";
	readonly unit: number;
	readonly trainedOn: number;
	readonly M: number;
	readonly efConstruction: number | null;
	readonly ef: number;
	readonly mL: number;
	readonly seed: number;
	readonly maxElements: number | null;
	readonly slots: number;
	readonly entry: number;
	readonly topLevel: number;
	readonly upperRecords: number;
	readonly nextLabel: number;
}

/** The graph as an image: settings, blocks, rows, levels, upper links, the origin of the codes. */
export function serializeHnsw(graph: HnswGraph): Iterable<Uint8Array> {
	const { rows, codes, parameters } = graph;
	const state: HnswState = {
		dimensions: rows.dimensions,
		metric: typeof rows.metric === "string" ? rows.metric : rows.metric.name,
		custom: typeof rows.metric !== "string",
		weights: rows.weights === undefined ? null : [...rows.weights],
		codes: codes === undefined ? "none" : "sq7",
		unit: codes?.unit ?? 1,
		trainedOn: codes?.trainedOn ?? 0,
		...parameters,
		efConstruction: parameters.efConstruction ?? null,
		maxElements: parameters.maxElements ?? null,
		slots: graph.slots,
		entry: graph.entry,
		topLevel: graph.topLevel,
		upperRecords: graph.upper.used,
		nextLabel: graph.table.next,
	};
	return writeImage(graph.arena, "hnsw", { ...state }, sectionsOf(graph));
}

function sectionsOf(graph: HnswGraph): Section[] {
	const { slots, codes } = graph;
	const sections: Section[] = [
		{ name: "blocks", address: graph.blocks, bytes: slots * graph.blockStride },
		{ name: "levels", address: graph.levels().byteOffset, bytes: slots },
		{ name: "upperOf", address: graph.upperOf().byteOffset, bytes: slots * 4 },
		{ name: "upper", address: graph.upper.address, bytes: graph.upper.used * graph.upper.stride },
	];
	if (codes !== undefined) {
		sections.push({ name: "vectors", address: graph.vectors, bytes: slots * graph.vectorStride });
		sections.push({ name: "origin", address: codes.origin, bytes: graph.rows.bytes });
	}
	return sections;
}

/** The settings that a saved graph is created again with. */
export function optionsOf(header: ImageHeader): Record<string, unknown> {
	const state = header.state as unknown as HnswState;
	const { dimensions, metric, codes, M, ef, mL, seed } = state;
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

/** Fills a new graph from an image. Nothing is trusted that could make a later search read outside the graph. */
export function readHnsw(graph: HnswGraph, header: ImageHeader, reader: ImageReader): void {
	const state = header.state as unknown as HnswState;
	const { slots, upperRecords } = state;
	if (!isCount(slots) || !isCount(upperRecords) || !isCount(state.nextLabel))
		throw corrupt("the header's counts are not whole numbers");
	const unplaced = header.sections.reduce((sum, section) => sum + section.bytes, 0);
	if (slots * graph.blockStride > unplaced || upperRecords * graph.upper.stride > unplaced) {
		throw corrupt("the header counts more nodes than the sections hold");
	}
	graph.reserve(Math.max(1, slots), true);
	graph.reserveUpper(upperRecords, true);
	graph.slots = slots;
	graph.upper.used = upperRecords;
	for (const { name, address, bytes } of sectionsOf(graph)) reader.readSection(graph.arena, name, bytes, address);
	reader.finish();
	if (graph.codes !== undefined) {
		graph.codes.unit = state.unit;
		graph.codes.trainedOn = state.trainedOn;
	}
	fillTables(graph);
	if (graph.table.next < state.nextLabel) graph.table.next = state.nextLabel;
	checkGraph(graph, state);
	graph.upper.findGaps(graph.levels(), graph.upperOf());
	graph.setEntry(state.entry, state.topLevel);
}

function isCount(value: unknown): value is number {
	return Number.isSafeInteger(value) && (value as number) >= 0;
}

function fillTables(graph: HnswGraph): void {
	const levels = graph.levels();
	for (let node = graph.slots - 1; node >= 0; node--) {
		if (levels[node] === FREE_LEVEL) graph.freeNodes.push(node);
		else graph.table.set(graph.labelOf(node), node);
	}
}

function checkGraph(graph: HnswGraph, { entry, topLevel, upperRecords }: HnswState): void {
	const levels = graph.levels();
	const used = graph.slots - graph.freeNodes.length;
	if (graph.table.size !== used) throw corrupt("two nodes have the same label");
	const tallest = levels.reduce((most, level) => (level === FREE_LEVEL ? most : Math.max(most, level)), 0);
	const entered = used === 0 ? entry === NO_NODE : levels[entry] === tallest && topLevel === tallest;
	if (!entered) throw corrupt("the entry point is not a node of the top level");
	const taken = new Uint8Array(upperRecords);
	for (let node = 0; node < graph.slots; node++) {
		const level = levels[node] as number;
		if (level === FREE_LEVEL) continue;
		const first = level === 0 ? 0 : (graph.upperOf()[node] as number);
		for (let record = first; record < first + level; record++) {
			if (taken[record] !== 0) throw corrupt(`node ${node} has no upper links of its own`);
			taken[record] = 1;
		}
		for (let layer = 0; layer <= level; layer++) {
			const count = graph.arena.u32(graph.linksAddress(node, layer), 1)[0] as number;
			if (count > graph.capacityOf(layer)) throw corrupt(`node ${node} has ${count} links on layer ${layer}`);
			for (const other of graph.links(node, layer)) {
				const to = levels[other];
				if (to === undefined || to === FREE_LEVEL || to < layer)
					throw corrupt(`node ${node} has a link to nowhere on layer ${layer}`);
			}
		}
	}
}
