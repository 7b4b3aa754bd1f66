import type { HashedNgramsEmbedder } from "@nigh/embed";
import { createFlat, createHnsw, type HnswIndex, type Neighbor, type VectorIndex } from "@nigh/index";
import { measure } from "../eval/measure.ts";
import { meanRecall, nearestByDistance } from "../eval/recall.ts";
import type { Passage } from "./passages.ts";
import { firstLines, spread } from "./questions.ts";

/** The passages of a folder, searchable two ways. The label of a passage is its place in the list. */
export interface PassageIndexes {
	/** Finds nearly all, fast. */
	readonly graph: HnswIndex;
	/** Finds all, by looking at every vector. */
	readonly exact: VectorIndex;
}

/** Turns the passages into vectors, headings included, and indexes them. */
export async function indexPassages(
	passages: readonly Passage[],
	embedder: HashedNgramsEmbedder,
): Promise<PassageIndexes> {
	const { dimensions } = await embedder.identity();
	const rows = new Float32Array(passages.length * dimensions);
	passages.forEach(({ headings, text }, at) => {
		const [heading] = headings.slice(-1);
		rows.set(embedder.embedOne(heading === undefined ? text : `${heading}\n${text}`), at * dimensions);
	});
	const graph = createHnsw({ dimensions, metric: "cosine", preset: "high" });
	const exact = createFlat({ dimensions, metric: "cosine", codes: "none" });
	await graph.insertMany(rows);
	graph.optimize();
	await exact.insertMany(rows);
	return { graph, exact };
}

/** How the graph compares with the exact scan. */
export interface Comparison {
	readonly queries: number;
	readonly k: number;
	/** Mean recall@k of the graph. */
	readonly recall: number;
	/** Queries a second of the graph and of the scan, on one thread, without the embedding. */
	readonly qps_hnsw: number;
	readonly qps_flat: number;
}

const MOST_QUERIES = 1_000;
const K = 10;

/** Asks both indexes the questions and first lines of passages from all over the folder. */
export function compare(
	{ graph, exact }: PassageIndexes,
	passages: readonly Passage[],
	questions: readonly string[],
	embedder: HashedNgramsEmbedder,
): Comparison {
	const texts = [...new Set([...questions, ...spread(firstLines(passages), MOST_QUERIES - questions.length)])];
	const queries = texts.map((text) => embedder.embedOne(text));
	const k = Math.min(K, passages.length);
	const byScan = measure(queries, (query) => exact.search(query, k));
	const byGraph = measure(queries, (query) => graph.search(query, k));
	const kth = byScan.answers.map((hits: readonly Neighbor[]) => hits.at(-1)?.distance ?? Number.POSITIVE_INFINITY);
	return {
		queries: queries.length,
		k,
		recall: meanRecall(byGraph.answers, k, nearestByDistance(kth)),
		qps_hnsw: byGraph.speed.qps,
		qps_flat: byScan.speed.qps,
	};
}
