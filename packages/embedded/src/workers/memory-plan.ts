import { isNighError, type MemoryCap, NighError } from "@nigh/contract";
import { HnswIndex } from "@nigh/index";
import { rowBytes } from "@nigh/kernels";
import type { VectorFormat } from "../memory/generation.ts";
import { vectorBytes } from "../memory/rows.ts";
import { type PlannedMemory, planMemory } from "../plan-memory.ts";
import { neededFor, type PlannedChoice, tailRowsWithin } from "../plan-memory-bytes.ts";
import type { IndexChoice, StoredSpec } from "../records/catalogue.ts";
import type { IndexedCollection } from "./indexed-collection.ts";
import { capBytes, checkIndexRoom, idBytesIn, limited } from "./limits.ts";
import { choiceOf, graphParameters, isOtherKind, type Main, type MainIndex, mainIndexFor } from "./main-index.ts";
import { GRAPH_FROM } from "./parameters.ts";

type Planned = Pick<IndexedCollection, "choice" | "spec" | "owned" | "generation" | "plannedMB">;

/** The main index for so many records: the one that was asked for or, where that is left to us, one that fits in the cap there is. */
export function indexWithin(collection: Planned, records: number): MainIndex {
	const { choice, owned } = collection;
	if (choice.kind !== "auto" || collection.spec.memory === null) return mainIndexFor(choice, records);
	if (records < GRAPH_FROM) return null;
	const plan = planFor(collection, records);
	// Where nothing fits, which a smaller cap may have come to, what there is goes on.
	if (plan === undefined) return owned.main === undefined ? mainIndexFor(choice, records) : owned.wanted;
	return mainIndexFor(plan.index, records);
}

/** Whether it is a cap that chooses the index for so many records: fewer are compared, whatever the cap. */
export function isPlanned({ spec, choice }: Pick<Planned, "spec" | "choice">, records: number): boolean {
	return spec.memory !== null && choice.kind === "auto" && records >= GRAPH_FROM;
}

/** Whether so many records are to have another index than the one that serves. */
export function isAnotherWanted(collection: Planned, records: number): boolean {
	const { main } = collection.owned;
	const wanted = indexWithin(collection, records);
	if (main === undefined) return wanted !== null;
	// A graph of what have become few stays until something else is to be done; one that a cap leaves no room for does not.
	return wanted === null ? isPlanned(collection, records) : isOtherKind(main, wanted);
}

/**
 * Checks, before it is built, that an index which `convert` or `rebuild` asks for is within the cap.
 *
 * @throws NighError `MEMORY_LIMIT`.
 */
export function checkWithin(collection: Planned, choice: IndexChoice): void {
	const { spec, generation } = collection;
	if (choice.kind === "auto") checkGraphStays(collection, choice);
	else checkIndexRoom(limited(spec, generation), choice, generation.live);
}

/** What is named of a graph would be lost with it. */
function checkGraphStays(
	{ spec, owned, generation, plannedMB }: Planned,
	choice: Extract<IndexChoice, { readonly kind: "auto" }>,
): void {
	const { live } = generation;
	const isNamed = choice.M !== undefined || choice.efConstruction !== undefined;
	if (!isNamed || !(owned.main instanceof HnswIndex) || !isPlanned({ spec, choice }, live)) return;
	const plan = planFor({ spec, owned, generation, plannedMB, choice }, live);
	if (plan?.index.kind !== "hnsw") throw noGraph(capBytes(spec.memory as MemoryCap), live, plan);
}

function noGraph(limit: number, count: number, plan: PlannedMemory | undefined): NighError {
	const instead = plan === undefined ? "" : `, and ${plan.index.kind} would be chosen in its place`;
	return new NighError(
		"MEMORY_LIMIT",
		`a graph with these parameters has no room for ${count} vectors and a quarter more within memory.maxMB (${limit} bytes)${instead}. Give a smaller M, leave the parameters out, or open the collection with a larger maxMB.`,
		{ count, limit },
	);
}

/** What is chosen for the cap, and why; `undefined` where nothing is, or nothing fits. */
export function planFor(collection: Planned, records: number): PlannedMemory | undefined {
	const { spec, choice, owned, generation, plannedMB } = collection;
	if (spec.memory === null || choice.kind !== "auto") return undefined;
	const { dimensions, metric } = generation.handle.format;
	const current = plannedMB === spec.memory.maxMB ? plannedOf(owned.main, choice) : undefined;
	const maxBytes = capBytes(spec.memory);
	try {
		return planMemory({
			maxBytes,
			vectors: records,
			dimensions,
			metric,
			idBytes: idBytesIn(generation),
			graph: graphParameters(choice),
			...(current !== undefined && { current }),
		});
	} catch (error) {
		if (isNighError(error, "MEMORY_LIMIT")) return undefined;
		throw error;
	}
}

/** Rows of the tail, and vectors to learn from, that there may be within the cap. */
export function boundsWithin(
	{ spec, generation }: Pick<Planned, "spec" | "generation">,
	wanted: MainIndex,
): { readonly mostTailRows?: number; readonly mostTrainingRows?: number } {
	if (spec.memory === null) return {};
	const { dimensions, metric } = generation.handle.format;
	const index: PlannedChoice = wanted ?? { kind: "flat" };
	const space = { dimensions, metric, idBytes: idBytesIn(generation) };
	const needed = neededFor(index, generation.live, space, capBytes(spec.memory));
	return {
		mostTailRows: needed.tailRows,
		...(needed.trainingRows > 0 && { mostTrainingRows: needed.trainingRows }),
	};
}

/** Rows that the tail may have room for under the cap of a spec; `undefined` where there is none. */
export function tailRowsUnder({ memory }: StoredSpec, format: VectorFormat): number | undefined {
	return memory === null ? undefined : tailRowsWithin(rowBytes(vectorBytes(format)), capBytes(memory));
}

/** What the cap was asked about when it chose what there is. */
function plannedOf(main: Main | undefined, choice: IndexChoice): PlannedChoice {
	if (main === undefined) return { kind: "flat" };
	// A rebuild may ask for another graph than the one that there is.
	return main.kind === "hnsw" ? graphParameters(choice) : choiceOf(main);
}
