import type { Collection, RecallStatement, SearchRequest, SearchResult } from "@nigh/contract";
import type { HashedNgramsEmbedder } from "@nigh/embed";
import type { PassageMetadata } from "./database.ts";

/** How the index of a collection compares with the exact search in it. */
export interface Comparison {
	readonly queries: number;
	readonly k: number;
	/** Mean recall@k of the index. */
	readonly recall: number;
	/** What the last answer of the index has said of its own recall. */
	readonly statement: RecallStatement;
	/** Queries a second by the index and by comparing everything, one at a time, without the embedding and without reading records. */
	readonly qps_index: number;
	readonly qps_exact: number;
}

const K = 10;
const WARM_UP = 20;

/**
 * Asks the collection each text twice: as it answers by itself, and with `exact: true`. At least one text, and one record.
 *
 * @param others Texts of the same kind, none of them among `texts`: what serves is certified by these first.
 */
export async function compare(
	collection: Collection<PassageMetadata>,
	texts: readonly string[],
	others: readonly string[],
	embedder: HashedNgramsEmbedder,
): Promise<Comparison> {
	const k = Math.min(K, await collection.count());
	if (others.length > 0) await collection.certify({ k, queries: others.map((text) => embedder.embedOne(text)) });
	const requests = texts.map((text): SearchRequest<PassageMetadata> => {
		return { vector: embedder.embedOne(text), k, include: { metadata: false } };
	});
	const byIndex = await timed(requests, (request) => collection.search(request));
	const exactly = await timed(requests, (request) => collection.search({ ...request, exact: true }));
	const recalls = byIndex.results.map((result, at) => recallOf(result, exactly.results[at] as SearchResult));
	return {
		queries: texts.length,
		k,
		recall: recalls.reduce((sum, recall) => sum + recall, 0) / recalls.length,
		statement: (byIndex.results.at(-1) as SearchResult).recall,
		qps_index: byIndex.qps,
		qps_exact: exactly.qps,
	};
}

/** The share of the hits that are no farther than the farthest exact one: of equally distant records any will do. */
function recallOf({ hits }: SearchResult, { hits: exact }: SearchResult): number {
	const farthest = exact.at(-1)?.distance ?? Number.POSITIVE_INFINITY;
	return hits.filter(({ distance }) => distance <= farthest).length / exact.length;
}

async function timed<Q, A>(
	requests: readonly Q[],
	search: (request: Q) => Promise<A>,
): Promise<{ readonly results: A[]; readonly qps: number }> {
	for (const request of requests.slice(0, WARM_UP)) await search(request);
	const results: A[] = [];
	const start = performance.now();
	for (const request of requests) results.push(await search(request));
	return { results, qps: requests.length / ((performance.now() - start) / 1_000) };
}
