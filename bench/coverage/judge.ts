import type { Collection, SearchPlan } from "@nigh/contract";
import { BruteForce, kthKeys } from "./truth.ts";

/** What became of fresh queries. */
export interface Judged {
	/** What the answers said of themselves. */
	readonly state: string;
	/** What served them: the width of the walk, or how everything was compared. */
	readonly setting: string;
	/** Mean recall, judged in double precision. */
	readonly recall: number;
}

/** What queries were answered, each with the labels that its hits have as ids. */
export interface Answers extends Omit<Judged, "recall"> {
	readonly labels: readonly ReadonlySet<number>[];
}

/**
 * Searches for each query once, one after the other.
 *
 * @throws Error where not one certificate and one setting has served all of them: their mean is of no one thing then.
 */
export async function answersTo(
	collection: Pick<Collection, "search">,
	queries: readonly Float32Array[],
	{ k, recall }: { readonly k: number; readonly recall: number },
): Promise<Answers> {
	const labels: Set<number>[] = [];
	let first: Omit<Answers, "labels"> | undefined;
	let served = "";
	for (const vector of queries) {
		const answer = await collection.search({ vector, k, recall, include: { metadata: false } });
		const { target: _, ...statement } = answer.recall;
		const now = { state: statement.state, setting: settingText(answer.plan) };
		const servedNow = JSON.stringify([now.setting, statement]);
		if (first === undefined) [first, served] = [now, servedNow];
		if (servedNow !== served) throw new Error(`served by another certificate in between: ${served}, ${servedNow}`);
		labels.push(new Set(answer.hits.map(({ id }) => Number(id))));
	}
	if (first === undefined) throw new RangeError("there is no query to judge by");
	return { ...first, labels };
}

function settingText({ strategy, ef }: SearchPlan): string {
	return ef === undefined ? strategy : `${strategy}, ef ${ef}`;
}

/** The mean recall of answers under l2, by all distances in double precision. */
export function recallOfAnswers(
	labels: readonly ReadonlySet<number>[],
	{ base, queries, dimensions, k }: { base: Float32Array; queries: Float32Array; dimensions: number; k: number },
): number {
	let hits = 0;
	new BruteForce(base, dimensions, "l2").eachQuery(queries, (query, keys) => {
		const kth = kthKeys(keys, [k])[0] as number;
		for (const label of labels[query] as ReadonlySet<number>) if ((keys[label] as number) <= kth) hits++;
	});
	return hits / (k * labels.length);
}
