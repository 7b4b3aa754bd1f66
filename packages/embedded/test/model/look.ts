import assert from "node:assert/strict";
import type { Collection, CollectionSpec } from "@nigh/contract";
import { checkApproximateAnswer, checkExactAnswer, collect, type Model, plain, rank } from "@nigh/contract/suite";
import { DIMENSIONS, type Step } from "./steps.ts";

const EVERYTHING = { vector: true, metadata: true, text: true } as const;
const RRF_K = 60;

/** A collection and what it is to hold. */
interface Looked {
	readonly collection: Collection;
	readonly model: Model;
	readonly spec: CollectionSpec;
}

/** Everything there is, by every way to it. */
export async function compare(looked: Looked): Promise<void> {
	const { collection, model } = looked;
	const expected = model.list();
	const found = await collect(collection.scan({ include: EVERYTHING }));
	assert.deepEqual(found.map(plain), expected.map(plain), "scan");
	assert.equal(await collection.count(), expected.length, "count");
	await checkSearch(looked, { vector: [1, 0, -1], k: 10_000, filter: null });
}

type Search = Omit<Extract<Step, { verb: "search" }>, "verb">;

export async function checkSearch({ collection, model, spec }: Looked, { vector, k, filter }: Search): Promise<void> {
	const space = { metric: spec.metric ?? "cosine", dimensions: DIMENSIONS };
	const ranked = rank(model.list(filter ?? {}), vector, space);
	const request = { vector: [...vector], k, ...(filter !== null && { filter }) };
	const expected = { ranked, k, space };
	checkExactAnswer({ assert }, await collection.search({ ...request, exact: true }), {
		...expected,
		note: `exact, ${JSON.stringify(filter)}`,
	});
	checkApproximateAnswer({ assert }, await collection.search(request), {
		...expected,
		note: `approximate, ${JSON.stringify(filter)}`,
	});
}

/**
 * A hybrid search for everything: the matches are all there, and their fused scores are those of their ranks among the vectors, and, of those
 * that have the word and no others, of ranks from 1 on among the texts. Which text is better than which is FTS5's to say.
 */
export async function checkHybrid(
	{ collection, model }: Looked,
	{ vector, word, filter }: Extract<Step, { verb: "search words" }>,
): Promise<void> {
	const note = `${word}, ${JSON.stringify(filter)}`;
	const include = { metadata: false };
	const request = { vector: [...vector], k: 10_000, exact: true, include, ...(filter !== null && { filter }) };
	const near = (await collection.search(request)).hits.map(({ id }) => id);
	const { hits } = await collection.search({ ...request, text: word });
	assert.deepEqual(hits.map(({ id }) => id).sort(), near.toSorted(), `${note}: the matches`);
	const ranks = new Map(near.map((id, i) => [id, i + 1]));
	const textRanks: number[] = [];
	let last = Number.POSITIVE_INFINITY;
	for (const { id, fusedScore = Number.NaN } of hits) {
		assert.ok(fusedScore <= last, `${note}: ${id} stands behind a lower fused score`);
		last = fusedScore;
		const textScore = fusedScore - 1 / (RRF_K + (ranks.get(id) as number));
		const hasWord = model.get(id)?.text?.split(" ").includes(word) === true;
		if (hasWord) textRanks.push(Math.round(1 / textScore - RRF_K));
		else assert.ok(Math.abs(textScore) < 1e-12, `${note}: ${id} has not the word and a score for it of ${textScore}`);
	}
	const ascending = textRanks.sort((a, b) => a - b);
	assert.deepEqual(
		ascending,
		ascending.map((_, i) => i + 1),
		`${note}: ranks of the texts`,
	);
}

export async function checkRead(
	{ collection, model }: Looked,
	{ ids, after, limit, filter }: Extract<Step, { verb: "read" }>,
): Promise<void> {
	const asked = ids.map(idOf);
	const found = await collection.get(asked, { include: EVERYTHING });
	assert.deepEqual(
		found.map(plain),
		asked.map((id) => plain(model.get(id))),
		"get",
	);
	assert.equal(await collection.count({ filter }), model.list(filter).length, "count of matches");
	const page = await collect(collection.scan({ filter, after: idOf(after), limit, include: EVERYTHING }));
	const behind = model.list(filter).filter(({ id }) => id > idOf(after));
	assert.deepEqual(page.map(plain), behind.slice(0, limit).map(plain), "scan of matches");
}

/** All of the same length, so that their order as text is that of the numbers. */
export function idOf(id: number): string {
	return `id-${String(id).padStart(5, "0")}`;
}
