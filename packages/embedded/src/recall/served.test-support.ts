import type { Rung } from "@nigh/recall";
import { UNFILTERED } from "@nigh/recall";
import { Generation } from "../memory/generation.ts";
import { smallGeneration } from "../memory/generations.test-support.ts";
import type { ServedCell, ServedTable } from "./served.ts";

/** Beams from wide to narrow. */
export function beams(...efs: readonly number[]): Rung[] {
	return efs.map((ef) => ({ kind: "graph", ef }));
}

/** A cell that is certified for 0.95 at k = 10 by queries, but for what is `given`. */
export function cellFor(given: Partial<ServedCell> = {}): ServedCell {
	const rungs = given.rungs ?? beams(60, 50, 40);
	return {
		k: 10,
		selectivity: UNFILTERED,
		process: "p",
		target: 0.95,
		state: "certified",
		rung: rungs.at(-1) ?? null,
		rungs,
		estimate: 0.97,
		basis: "queries",
		confidence: 0.95,
		queries: 700,
		changeNumber: 3,
		certifiedAt: 1_000,
		churn: 1_000,
		vectors: 1_000,
		...given,
	};
}

export function tableFor(cells: readonly ServedCell[], given: Partial<ServedTable> = {}): ServedTable {
	return { key: 1, identity: "first", cells, purges: 0, auditMs: 0, ...given };
}

/** A generation of an index in which so many vectors have come and gone. */
export function generationOf(id: string | undefined, churn: number): Generation {
	const { handle } = smallGeneration();
	return new Generation({ ...handle, ...(id !== undefined && { identity: { id, offset: churn } }) });
}
