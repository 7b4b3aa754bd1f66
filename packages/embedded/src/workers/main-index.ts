import type { IndexChoice } from "../records/catalogue.ts";
import { GRAPH_FROM, LEAST_GRAPH } from "./parameters.ts";

/** The main index that a generation is to have; `null`: none, everything stays in the tail and is compared. */
export type MainIndex = { readonly M?: number; readonly efConstruction?: number } | null;

/** The main index for so many records under a choice. */
export function mainIndexFor(choice: IndexChoice, records: number): MainIndex {
	const isFew = records < (choice.kind === "auto" ? GRAPH_FROM : LEAST_GRAPH);
	return choice.kind === "flat" || isFew ? null : graphParameters(choice);
}

/** Those that were asked for, for the graph that there is or will be. */
export function graphParameters({ M, efConstruction }: IndexChoice): Exclude<MainIndex, null> {
	return { ...(M !== undefined && { M }), ...(efConstruction !== undefined && { efConstruction }) };
}
