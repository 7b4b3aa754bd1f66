import { type Collection, TUNER_ALGORITHMS } from "@nigh/contract";
import { createHnsw, type HnswIndex } from "@nigh/index";
import { grouped } from "../../packages/nigh/src/terminal/table.ts";
import { recallOf } from "../run/recall.ts";
import { exactNeighbors } from "../sets/truth.ts";
import { METRIC, withCollection } from "./collection.ts";
import { type DatabaseBenchOptions, DIMENSIONS, type Figure, K, type Measured, SEED } from "./measurement.ts";
import { load, placeOf, rowOf, vectors } from "./records.ts";
import { settled } from "./settle.ts";
import { quantile } from "./times.ts";
import { PULLS, TUNED, tunerTime } from "./tuner.ts";

const VECTORS = 100_000;
const QUERIES = 2_000;
const PASSES = 5;

/** Ways to ask, in turns. */
const WAYS = ["index", "collection", "with metadata"] as const;
type Way = (typeof WAYS)[number];

/** Further queries, which certify what serves: until then, every search is exact. */
const CERTIFYING = 1_000;

/** What a collection adds to the search of its index. */
export async function overhead({ size = VECTORS, folder, onStep }: DatabaseBenchOptions): Promise<Measured> {
	onStep("making the set");
	const count = Math.min(QUERIES, size);
	const all = vectors(size, count + CERTIFYING);
	const set = { base: all.base, queries: all.queries.subarray(0, count * DIMENSIONS) };
	const others = Array.from({ length: CERTIFYING }, (_, i) => rowOf(all.queries, count + i).slice());
	const truth = await exactNeighbors({ ...set, dimensions: DIMENSIONS, metric: METRIC }, K);
	const judged = { ...set, dimensions: DIMENSIONS, metric: METRIC, n: size, truth } as const;
	return withCollection({ folder, name: "overhead" }, async (collection) => {
		onStep("writing");
		await load(collection, set.base, (at) => ({ metadata: { number: at, title: `title of ${at}` } }));
		await settled(collection, size, onStep);
		onStep("optimizing");
		await collection.optimize();
		onStep("certifying");
		await collection.certify({ k: K, queries: others });
		const { index, ef } = await rawIndex(collection, set.base, rowOf(set.queries, 0), onStep);
		const { times, labels } = await inTurns(collection, index, ef, set.queries, onStep);
		index.dispose();
		const median = (way: Way) => quantile(times[way], 0.5);
		const recall = (way: Way) => recallOf(judged, labels[way], K);
		const figures: Figure[] = [
			...WAYS.map((way) => ({ what: `search, ${way}, p50`, value: median(way), unit: "us" })),
			...WAYS.map((way) => ({ what: `search, ${way}, p99`, value: quantile(times[way], 0.99), unit: "us" })),
			{
				what: "collection - index",
				value: differenceOf(times.collection, times.index),
				unit: "us",
				target: { atMost: 20 },
			},
			{
				what: "with metadata - index",
				value: differenceOf(times["with metadata"], times.index),
				unit: "us",
			},
			{ what: "collection : index", value: median("collection") / median("index"), unit: "times" },
			...TUNER_ALGORITHMS.map((algorithm) => ({
				what: `tuner's choice and credit, ${algorithm}`,
				value: tunerTime(algorithm),
				unit: "us",
				target: { atMost: 10 },
			})),
			...WAYS.slice(0, 2).map((way) => ({ what: `recall@${K}, ${way}`, value: recall(way), unit: "" })),
		];
		return {
			title: "What a collection adds to a search",
			about: [
				`${grouped(size)} generated vectors of ${DIMENSIONS} dimensions under l2 (seed ${SEED}), ${grouped(truth.ids.length / K)} queries, k ${K}, ef ${ef}: Collection.search without and with metadata beside HnswIndex.search over the same vectors with the same parameters, query by query in turns, in one process; ${PASSES} passes after one to warm up. Differences are medians over the queries, of each its median pass.`,
				`The tuner: a live Bandit that chooses from ${grouped(TUNED.length)} settings, as many as a collection of cells has, and is told a latency; the mean of ${grouped(PULLS)} rounds after as many to warm up.`,
			],
			figures,
		};
	});
}

/** The same vectors under the parameters that the collection tells, and the beam width that it uses. */
async function rawIndex(
	collection: Collection,
	base: Float32Array,
	query: Float32Array,
	onStep: (text: string) => void,
): Promise<{ index: HnswIndex; ef: number }> {
	const { parameters } = (await collection.stats()).effective.index;
	const { plan } = await collection.search({ vector: query, k: K });
	const { M, efConstruction } = parameters as { M: number; efConstruction: number };
	const index = createHnsw({ dimensions: DIMENSIONS, metric: METRIC, M, efConstruction, shared: true });
	await index.insertMany(base, { onProgress: (done) => onStep(`the index alone, ${grouped(done)}`) });
	index.optimize();
	if (plan.ef === undefined) throw new Error(`the collection answers by ${plan.strategy} instead of its graph`);
	return { index, ef: plan.ef };
}

/** Microseconds of each query's median pass, and the labels of the last answers. */
async function inTurns(
	collection: Collection,
	index: HnswIndex,
	ef: number,
	queries: Float32Array,
	onStep: (text: string) => void,
) {
	const lean = { metadata: false };
	const ask = {
		index: (vector: Float32Array) => index.search(vector, K, { ef }),
		collection: (vector: Float32Array) => collection.search({ vector, k: K, include: lean }),
		"with metadata": (vector: Float32Array) => collection.search({ vector, k: K }),
	};
	const passes = perWay((): number[][] => []);
	const queryCount = queries.length / DIMENSIONS;
	const labels = perWay(() => new Int32Array(queryCount * K).fill(-1));
	for (let pass = 0; pass <= PASSES; pass++) {
		onStep(pass === 0 ? "warming up" : `pass ${pass} of ${PASSES}`);
		const times = perWay((): number[] => []);
		for (let i = 0; i < queryCount; i++) {
			const vector = rowOf(queries, i);
			// Who asks first pays for what the caches do not hold: everybody in turn.
			for (let turn = 0; turn < WAYS.length; turn++) {
				const way = WAYS[(i + turn) % WAYS.length] as Way;
				const start = performance.now();
				const found = ask[way](vector);
				const answer = found instanceof Promise ? (await found).hits : found;
				times[way].push((performance.now() - start) * 1_000);
				labels[way].set(
					answer.map((hit) => ("label" in hit ? hit.label : placeOf(hit.id))),
					i * K,
				);
			}
		}
		if (pass > 0) for (const way of WAYS) passes[way].push(times[way]);
	}
	const times = Object.fromEntries(WAYS.map((way) => [way, medianPasses(passes[way])])) as Record<Way, number[]>;
	return { times, labels };
}

function perWay<T>(make: () => T): Record<Way, T> {
	return Object.fromEntries(WAYS.map((way) => [way, make()])) as Record<Way, T>;
}

function medianPasses(passes: readonly (readonly number[])[]): number[] {
	const [first = []] = passes;
	return first.map((_, query) =>
		quantile(
			passes.map((times) => times[query] as number),
			0.5,
		),
	);
}

/** The median over the queries of what one way takes more than the other. */
export function differenceOf(more: readonly number[], less: readonly number[]): number {
	return quantile(
		more.map((time, query) => time - (less[query] as number)),
		0.5,
	);
}
