import { cellsLadder, dearestWidth, graphLadder, pilotGoal, type Rung } from "@nigh/recall";
import type { Collection } from "./collections.ts";
import type { RecallMatrix } from "./matrix.ts";
import type { CollectionRows } from "./rows.ts";
import type { Searcher } from "./searcher.ts";
import { BruteForce, kthKeys } from "./truth.ts";

/** Each target of a run; the ladder is to reach the highest. */
export const TARGETS = [0.9, 0.95, 0.99] as const;

/** Queries between two reports of how far it is. */
const STEP = 1_000;

/**
 * The matrix of each k of a collection: the ladder that the pilot's queries place, and what each rung finds for each query of the pool.
 *
 * @param onProgress Is told of queries that are done.
 */
export function measureMatrices(
	collection: Pick<Collection, "ks" | "n" | "dimensions" | "metric">,
	{ base, pilot, pool }: CollectionRows,
	searcher: Searcher,
	onProgress: (done: number) => void = () => {},
): RecallMatrix[] {
	const { ks, n, dimensions, metric } = collection;
	const exact = new BruteForce(base, dimensions, metric);
	const accepted = acceptedLabels(exact, pilot, ks);
	const ladders = ks.map((k, i) => {
		const mean = (rung: Rung) => pilotMean(searcher, pilot, k, accepted[i] as Set<number>[], rung);
		return placeLadder(searcher, k, n, mean);
	});
	const count = pool.length / dimensions;
	const hits = ladders.map((ladder) => ladder.map(() => new Uint8Array(count)));
	const costs = ladders.map((ladder) => new Float64Array(ladder.length));
	const labels = new Uint32Array(Math.max(...ks));
	exact.eachQuery(pool, (query, keys) => {
		const row = pool.subarray(query * dimensions, (query + 1) * dimensions);
		for (const [i, kth] of kthKeys(keys, ks).entries()) {
			for (const [r, rung] of (ladders[i] as Rung[]).entries()) {
				const before = searcher.compared();
				const found = searcher.search(row, ks[i] as number, rung, labels);
				(hits[i]?.[r] as Uint8Array)[query] = hitsOf(labels, found, keys, kth);
				const cost = costs[i] as Float64Array;
				cost[r] = (cost[r] as number) + searcher.compared() - before;
			}
		}
		if ((query + 1) % STEP === 0) onProgress(query + 1);
	});
	return ks.map((k, i) => ({
		k: Math.min(k, n),
		rungs: (ladders[i] as Rung[]).map(rungText),
		hits: hits[i] as Uint8Array[],
		costs: Array.from(costs[i] as Float64Array, (sum) => sum / count),
		exactCost: n,
	}));
}

/** The rungs for one k: as wide as the pilot's queries call for, for the highest target. */
function placeLadder(searcher: Searcher, k: number, n: number, pilotMeanOf: (rung: Rung) => number): Rung[] {
	const { nlist } = searcher;
	const rungOf = (width: number): Rung =>
		nlist === 0 ? { kind: "graph", ef: width } : { kind: "cells", nprobe: width };
	// A beam of a fourth of all vectors costs about as much as comparing all of them.
	const [least, most] = nlist === 0 ? [k, Math.max(k, Math.min(10_000, n >> 2))] : [1, nlist];
	const search = dearestWidth(least, most, pilotGoal(Math.max(...TARGETS)));
	let step = search.next();
	while (step.done !== true) step = search.next(pilotMeanOf(rungOf(step.value)));
	const dearest = step.value.width;
	return nlist === 0 ? graphLadder({ k, dearest }) : cellsLadder({ nlist, vectors: n, dearest });
}

/** For each k, the labels that each query accepts: those no farther than its k-th. */
function acceptedLabels(exact: BruteForce, queries: Float32Array, ks: readonly number[]): Set<number>[][] {
	const accepted = ks.map((): Set<number>[] => []);
	exact.eachQuery(queries, (_, keys) => {
		for (const [i, kth] of kthKeys(keys, ks).entries()) {
			const labels = new Set<number>();
			for (let label = 0; label < keys.length; label++) if ((keys[label] as number) <= kth) labels.add(label);
			(accepted[i] as Set<number>[]).push(labels);
		}
	});
	return accepted;
}

function pilotMean(
	searcher: Searcher,
	pilot: Float32Array,
	k: number,
	accepted: readonly ReadonlySet<number>[],
	rung: Rung,
): number {
	const dimensions = pilot.length / accepted.length;
	const labels = new Uint32Array(k);
	let [hits, wanted] = [0, 0];
	for (const [query, answers] of accepted.entries()) {
		const row = pilot.subarray(query * dimensions, (query + 1) * dimensions);
		const found = searcher.search(row, k, rung, labels);
		for (let i = 0; i < found; i++) if (answers.has(labels[i] as number)) hits++;
		wanted += Math.min(k, answers.size);
	}
	return hits / wanted;
}

/** How many of the answers are no farther than the k-th, by the keys of the exact scan. */
function hitsOf(labels: Uint32Array, found: number, keys: Float64Array, kth: number): number {
	let hits = 0;
	for (let i = 0; i < found; i++) if ((keys[labels[i] as number] as number) <= kth) hits++;
	return hits;
}

function rungText(rung: Rung): string {
	if (rung.kind === "graph") return `ef ${rung.ef}`;
	return rung.arm ?? `nprobe ${rung.nprobe}`;
}
