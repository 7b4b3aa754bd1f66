import type { Json } from "@nigh/contract";
import type { HnswGraph } from "./graph.ts";

/** What the arena does not hold. Everything else of a graph is in the sections. */
export type HnswState = {
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
	/** Missing in images from before it was kept. */
	readonly unchecked?: number;
};

/** An index in parts that together are all of it, to be kept where bytes are already written and checked. */
export interface HnswParts {
	/** Settings and counts. */
	readonly state: { readonly [name: string]: Json };
	/** Views of the arena, not copies: the index must not change while they are read, nor may an arena that is not shared grow. */
	readonly sections: readonly { readonly name: string; readonly bytes: Uint8Array }[];
}

/** Where the parts of a saved index come from. Nothing that it gives is trusted. */
export interface HnswSource {
	readonly state: Readonly<Record<string, unknown>>;
	/** The sections there are, in the order in which they were saved. */
	readonly sections: readonly { readonly name: string; readonly bytes: number }[];
	/** Fills `into`, which is as long as the section and may be shared memory, with a section. Called once for each, in order. */
	read(name: string, into: Uint8Array): void;
}

export function stateOf(graph: HnswGraph): HnswState {
	const { rows, codes, parameters } = graph;
	return {
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
		unchecked: graph.unchecked,
	};
}

/** Where a part of a graph is. */
export interface GraphSection {
	readonly name: string;
	readonly address: number;
	readonly bytes: number;
}

/** The sections of a graph with so many places and upper records; their addresses are right once there is room for those. */
export function sectionsOf(
	graph: HnswGraph,
	{ slots, upperRecords }: Pick<HnswState, "slots" | "upperRecords">,
): GraphSection[] {
	const { codes, upper } = graph;
	const sections: GraphSection[] = [
		{ name: "blocks", address: graph.blocks, bytes: slots * graph.blockStride },
		{ name: "levels", address: graph.levelsAddress, bytes: slots },
		{ name: "upperOf", address: graph.upperOfAddress, bytes: slots * 4 },
		{ name: "upper", address: upper.address, bytes: upperRecords * upper.stride },
	];
	if (codes !== undefined) {
		sections.push({ name: "vectors", address: graph.vectors, bytes: slots * graph.vectorStride });
		sections.push({ name: "origin", address: codes.origin, bytes: graph.rows.bytes });
	}
	return sections;
}

/** The graph in parts: settings, blocks, levels, upper links, rows, the origin of the codes. */
export function partsOf(graph: HnswGraph): HnswParts {
	const state = stateOf(graph);
	return {
		state,
		sections: sectionsOf(graph, state).map(({ name, address, bytes }) => ({
			name,
			bytes: graph.arena.u8(address, bytes),
		})),
	};
}
