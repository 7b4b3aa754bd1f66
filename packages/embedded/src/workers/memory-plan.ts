import { isNighError } from "@nigh/contract";
import { rowBytes } from "@nigh/kernels";
import type { VectorFormat } from "../memory/generation.ts";
import { vectorBytes } from "../memory/rows.ts";
import { type PlannedMemory, planMemory } from "../plan-memory.ts";
import { neededFor, type PlannedChoice, tailRowsWithin } from "../plan-memory-bytes.ts";
import type { StoredSpec } from "../records/catalogue.ts";
import type { IndexedCollection } from "./indexed-collection.ts";
import { capBytes, idBytesIn } from "./limits.ts";
import { graphParameters, isOnDisk, type Main, type MainIndex, mainIndexFor } from "./main-index.ts";
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

/** What is chosen for the cap, and why; `undefined` where nothing is, or nothing fits. */
export function planFor(collection: Planned, records: number): PlannedMemory | undefined {
	const { spec, choice, owned, generation, plannedMB } = collection;
	if (spec.memory === null || choice.kind !== "auto") return undefined;
	const { dimensions, metric } = generation.handle.format;
	const current = plannedMB === spec.memory.maxMB ? plannedOf(owned.main) : undefined;
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

/** What there is, as far as its memory depends on it. */
function plannedOf(main: Main | undefined): PlannedChoice | undefined {
	if (main === undefined) return undefined;
	const { M, bits } = main.effective() as { readonly M?: number; readonly bits?: number };
	if (main.kind === "hnsw") return { kind: "hnsw", ...(M !== undefined && { M }) };
	const storage = isOnDisk(main) ? ("disk" as const) : ("memory" as const);
	if (main.kind === "ivfrabitq") return { kind: main.kind, storage, ...(bits !== undefined && { bits }) };
	return { kind: main.kind, storage };
}
