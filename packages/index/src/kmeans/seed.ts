import type { Draws } from "./draws.ts";
import { SEED_ROWS_PER_CENTROID } from "./parameters.ts";
import type { TrainingState } from "./state.ts";

/** `count` of the numbers below `n`, drawn without replacement, ascending; all of them where `count` is not less. */
export function drawRows(n: number, count: number, draws: Draws): Uint32Array {
	const rows = Uint32Array.from({ length: n }, (_, i) => i);
	if (count >= n) return rows;
	draws.shuffle(rows, count);
	return rows.slice(0, count).sort();
}

/** Puts the centroids at training rows. Where there are fewer rows than centroids, rows are used again in turn. */
export function seedCentroids(state: TrainingState, draws: Draws): void {
	const { k, init } = state.parameters;
	const rows = state.rows;
	const candidates = Math.min(state.n, init === "sample" ? k : SEED_ROWS_PER_CENTROID * k);
	draws.shuffle(rows, candidates);
	if (init === "sample") {
		for (let cell = 0; cell < k; cell++) putCentroid(state, cell, rows[cell % state.n] as number);
	} else {
		spreadOut(state, candidates, draws);
	}
	// In the order of the memory they are read in.
	state.rows.sort();
	state.normalize(state.centroids);
}

/**
 * k-means++ (Arthur and Vassilvitskii 2007, section 2.2) over the first `candidates` training rows: each centroid starts at a row drawn in
 * proportion to its squared distance from the nearest centroid so far. Where no row is left that differs from all of them, rows are used
 * again.
 */
function spreadOut(state: TrainingState, candidates: number, draws: Draws): void {
	const nearest = new Float64Array(candidates).fill(Number.POSITIVE_INFINITY);
	let place: number | undefined = draws.below(candidates);
	for (let cell = 0; cell < state.parameters.k; cell++) {
		putCentroid(state, cell, state.rows[place ?? cell % candidates] as number);
		if (place === undefined) continue;
		const distances = state.distancesFrom(state.centroids + cell * state.bytes, candidates);
		for (let i = 0; i < candidates; i++) {
			const distance = distances[i] as number;
			if (distance < (nearest[i] as number)) nearest[i] = distance;
		}
		place = draws.weighted(nearest);
	}
}

function putCentroid(state: TrainingState, cell: number, row: number): void {
	state.copyRow(row, state.centroids + cell * state.bytes);
}
