import { isNighError, type MemoryCap, NighError } from "@nigh/contract";
import { HnswIndex } from "@nigh/index";
import { rowBytes } from "@nigh/kernels";
import type { Generation, VectorFormat } from "../memory/generation.ts";
import { vectorBytes } from "../memory/rows.ts";
import { type PlannedMemory, type PlanOptions, planMemory, smallestPlanned } from "../plan-memory.ts";
import {
	firstTailRows,
	leastDeadWithin,
	neededFor,
	type PlannedChoice,
	type PlanSpace,
	tailRowsWithin,
} from "../plan-memory-bytes.ts";
import { type IndexChoice, isOnDisk, type StoredSpec } from "../records/catalogue.ts";
import type { IndexedCollection } from "./indexed-collection.ts";
import { capBytes, checkIndexRoom, idBytesIn, limited } from "./limits.ts";
import { choiceOf, graphParameters, isOtherKind, type Main, type MainIndex, mainIndexFor } from "./main-index.ts";
import { GRAPH_FROM, LEAST_DEAD } from "./parameters.ts";

type Planned = Pick<IndexedCollection, "choice" | "spec" | "owned" | "generation" | "plannedMB">;

/** What a plan is made for before there is a generation. */
interface Unbegun {
	readonly choice: IndexChoice;
	readonly spec: StoredSpec;
	readonly format: VectorFormat;
	readonly idBytes?: number;
}

/**
 * The main index for so many records: the one that was asked for or, where that is left to us, one that fits in the cap there is.
 *
 * @param expected Records that there will be once what is on its way has come: an index is chosen for these.
 */
export function indexWithin(collection: Planned, records: number, expected = records): MainIndex {
	const { choice, owned, spec, generation } = collection;
	if (choice.kind !== "auto" || spec.memory === null) return mainIndexFor(choice, records);
	const vectors = Math.max(records, expected);
	const least = leastUnder(spec.memory, generation.size.rowBytes);
	if (vectors < least) return null;
	const plan = planFor(collection, vectors);
	// Where nothing fits, which a smaller cap may have come to, what there is goes on.
	if (plan === undefined && owned.main !== undefined) return owned.wanted;
	const index = plan?.index ?? smallestPlanned(optionsOf(unbegunOf(collection), vectors));
	if (index.kind !== "hnsw") return mainIndexFor(index, records);
	return records < least ? null : graphParameters(choice);
}

/** Records from which on there is an index under a cap: no more than the tail has room for while it is built. */
function leastUnder(memory: MemoryCap, row: number): number {
	return Math.min(GRAPH_FROM, Math.floor(tailRowsWithin(row, capBytes(memory)) / 2));
}

/** Whether it is a cap that chooses the index for so many records: fewer are compared, whatever the cap. */
export function isPlanned({ spec, choice }: Pick<Planned, "spec" | "choice">, records: number): boolean {
	return spec.memory !== null && choice.kind === "auto" && records >= GRAPH_FROM;
}

/** Whether so many records are to have another index than the one that serves; `expected` as {@link indexWithin} has it. */
export function isAnotherWanted(collection: Planned, records: number, expected = records): boolean {
	const { main } = collection.owned;
	const wanted = indexWithin(collection, records, expected);
	if (main === undefined) return wanted !== null;
	// A graph of what have become few stays until something else is to be done; one that a cap leaves no room for does not.
	return wanted === null ? isPlanned(collection, Math.max(records, expected)) : isOtherKind(main, wanted);
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
	const { spec, choice, owned, plannedMB } = collection;
	if (spec.memory === null || choice.kind !== "auto") return undefined;
	const current = plannedMB === spec.memory.maxMB ? plannedOf(owned.main, choice) : undefined;
	const options = optionsOf(unbegunOf(collection), records);
	return planned({ ...options, ...(current !== undefined && { current }) });
}

function planned(options: PlanOptions): PlannedMemory | undefined {
	try {
		return planMemory(options);
	} catch (error) {
		if (isNighError(error, "MEMORY_LIMIT")) return undefined;
		throw error;
	}
}

function optionsOf({ choice, spec, format, idBytes }: Unbegun, vectors: number): PlanOptions {
	const { dimensions, metric } = format;
	return {
		maxBytes: capBytes(spec.memory as MemoryCap),
		vectors,
		dimensions,
		metric,
		...(idBytes !== undefined && { idBytes }),
		graph: graphParameters(choice),
	};
}

function unbegunOf({ choice, spec, generation }: Pick<Planned, "choice" | "spec" | "generation">): Unbegun {
	return { choice, spec, format: generation.handle.format, idBytes: idBytesIn(generation) };
}

function spaceOf({ generation }: Pick<Planned, "generation">): PlanSpace {
	const { dimensions, metric } = generation.handle.format;
	return { dimensions, metric, idBytes: idBytesIn(generation) };
}

/** Rows of the tail, and vectors to learn from, that there may be within the cap. */
export function boundsWithin(
	collection: Pick<Planned, "choice" | "spec" | "generation">,
	wanted: MainIndex,
	expected: number,
): { readonly mostTailRows?: number; readonly mostTrainingRows?: number } {
	const { spec, generation } = collection;
	if (wanted === null) {
		const most = mostFirstRows(unbegunOf(collection), expected);
		return most === undefined ? {} : { mostTailRows: grownTail(generation, most) };
	}
	if (spec.memory === null) return {};
	const needed = neededFor(wanted, generation.live, spaceOf(collection), capBytes(spec.memory));
	return {
		mostTailRows: needed.tailRows,
		...(needed.trainingRows > 0 && { mostTrainingRows: needed.trainingRows }),
	};
}

/**
 * Rows that the tail may have room for while there is no main index, where the index that is to come leaves them on disk, or a cap bounds them: what
 * comes beyond waits until that has been built from them. `undefined`: all that there are, as everything is to be compared, or may be.
 *
 * @param expected Records that there will be.
 */
export function mostFirstRows(collection: Unbegun, expected: number): number | undefined {
	const { choice, spec, format } = collection;
	const row = rowBytes(vectorBytes(format));
	if (choice.kind === "flat") return undefined;
	if (spec.memory === null) return choice.kind !== "auto" && isOnDisk(choice) ? firstTailRows(choice, row) : undefined;
	const index = choice.kind === "auto" ? chosenFor(collection, expected) : choice;
	return index.kind === "flat" ? undefined : firstTailRows(index, row, capBytes(spec.memory));
}

function chosenFor(collection: Unbegun, vectors: number): PlannedChoice {
	const options = optionsOf(collection, vectors);
	return planned(options)?.index ?? smallestPlanned(options);
}

/** A tail that is filled with what nothing can be built from, too little of it or vectors that are all alike, must not stay as small as that. */
function grownTail({ slotEnd, deleted }: Generation, most: number): number {
	return Math.max(most, 4 * (slotEnd - deleted));
}

/** Dead slots of a collection from which on they are given up, where they are a share of all. */
export function leastDead({ spec, generation }: Pick<Planned, "spec" | "generation">): number {
	return spec.memory === null ? LEAST_DEAD : leastDeadWithin(generation.size.rowBytes, capBytes(spec.memory));
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
