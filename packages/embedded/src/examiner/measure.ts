import type { Rung } from "@nigh/recall";
import type { SlotQuery } from "../memory/searcher.ts";
import { TOGETHER } from "./parameters.ts";
import type { Process } from "./process.ts";
import type { KeptQuery } from "./stratum.ts";
import type { Subject, Truth } from "./subject.ts";

/** A query whose exact answer is known. */
export interface AnsweredQuery {
	readonly vector: SlotQuery["vector"];
	readonly k: number;
	readonly truth: Truth;
}

/** Measures a query on all rungs of a process that are worth it. Where that is interrupted, the query has not been asked: only what is complete counts. */
export async function measureQuery(
	process: Process,
	subject: Subject,
	{ vector, k, truth }: AnsweredQuery,
	{ now }: { now(): number },
): Promise<void> {
	const rungs = process.certification.worthwhile;
	const recalls: (number | undefined)[] = [];
	for (const rung of rungs) recalls.push(await subject.recallAt(process.ladder[rung] as Rung, vector, k, truth));
	process.record(rungs, recalls, now());
}

/** Queries that are answered exactly in one pass: those of a filter each for itself. */
export function* groups<T extends KeptQuery | SlotQuery["vector"]>(queries: readonly T[]): Generator<readonly T[]> {
	for (let from = 0; from < queries.length; ) {
		const isFiltered = (queries[from] as KeptQuery).node !== undefined;
		const to = isFiltered ? from + 1 : Math.min(queries.length, from + TOGETHER);
		yield queries.slice(from, to);
		from = to;
	}
}
