import { NighError } from "@nigh/contract";
import type { Arena } from "@nigh/kernels";
import { Borrowed } from "./borrowed.ts";
import { Draws } from "./draws.ts";
import type { Iteration } from "./iteration.ts";
import { Lloyd } from "./lloyd.ts";
import { MiniBatch } from "./mini-batch.ts";
import { type KMeansOptions, type KMeansParameters, resolveKMeans } from "./parameters.ts";
import { checkPoints, type PointRows } from "./points.ts";
import { type KMeansReport, reportOf, type TrainingCourse } from "./report.ts";
import { drawRows, seedCentroids } from "./seed.ts";
import { TrainingState } from "./state.ts";

export interface KMeansResult {
	/** k rows that follow one another; `centroids.address` is the caller's to free. */
	readonly centroids: PointRows;
	/**
	 * Address of the cell (u32) of each point, the caller's to free; `undefined` where the training saw a sample only: `assignPoints` gives
	 * the cells of all.
	 */
	readonly assign: number | undefined;
	readonly report: KMeansReport;
}

/**
 * Finds k centroids about which the points lie densely, by the squared Euclidean distance. The same points and options give the same
 * bits on any machine and any number of threads. The points must not change meanwhile; all memory but what is returned is given back,
 * also after an error.
 *
 * It ends also where the points have fewer than k different vectors, and says so in the report's warnings.
 *
 * @throws NighError `INVALID_OPTION`, `MEMORY_LIMIT`, `ABORTED`
 * @example
 * const { centroids, report } = await trainKMeans(arena, points, { k: 256, parallel: pool });
 */
export async function trainKMeans(arena: Arena, points: PointRows, options: KMeansOptions): Promise<KMeansResult> {
	const parameters = resolveKMeans(options);
	checkPoints(points);
	throwIfAborted(options.signal, 0);
	const borrowed = new Borrowed(arena, `training ${parameters.k} centroids on ${points.n} points`);
	try {
		const draws = new Draws(parameters.seed);
		const rows = drawRows(points.n, mostRows(parameters), draws);
		const state = new TrainingState(arena, borrowed, points, parameters, { rows, parallel: options.parallel });
		seedCentroids(state, draws);
		const { settled, ...course } = await iterate(state, iterationOf(state, borrowed, draws, options.signal), options);
		if (!settled) await assignLast(state);
		const report = reportOf(state, course);
		const { dimensions, bytes } = points;
		return {
			centroids: { address: borrowed.keep(state.centroids), stride: bytes, bytes, n: parameters.k, dimensions },
			assign: state.n === points.n ? borrowed.keep(state.labelsAddress) : undefined,
			report,
		};
	} finally {
		borrowed.release();
	}
}

function mostRows({ k, maxPoints, maxPointsPerCentroid }: KMeansParameters): number {
	return Math.min(maxPoints ?? Number.POSITIVE_INFINITY, k * maxPointsPerCentroid);
}

function iterationOf(state: TrainingState, borrowed: Borrowed, draws: Draws, signal?: AbortSignal): Iteration {
	const { batch, k } = state.parameters;
	// One batch of everything would be slower than Lloyd's iterations, and no better.
	if (batch === undefined || batch >= state.n) return new Lloyd(state, draws);
	const batchesOfPass = Math.ceil(state.n / batch);
	let batches = 0;
	const beforeBatch = () => throwIfAborted(signal, Math.floor(batches++ / batchesOfPass));
	return new MiniBatch(state, draws, { batch, before: borrowed.take(k * state.bytes), beforeBatch });
}

async function iterate(
	state: TrainingState,
	iteration: Iteration,
	{ signal, onProgress }: KMeansOptions,
): Promise<TrainingCourse & { readonly settled: boolean }> {
	const { iterations } = state.parameters;
	const inertias: number[] = [];
	let [converged, settled] = [false, false];
	while (!converged && inertias.length < iterations) {
		throwIfAborted(signal, inertias.length);
		const done = await iteration.run();
		inertias.push(done.inertia);
		({ converged, settled } = done);
		onProgress?.(inertias.length, iterations);
	}
	throwIfAborted(signal, inertias.length);
	return { iterations: inertias.length, converged, inertias, settled };
}

/** The cells of the centroids as they are in the end, with their spreads; what the report is about. */
async function assignLast(state: TrainingState): Promise<void> {
	// A pass through random batches leaves the rows in disorder; labels are given back in the order of the points.
	state.rows.sort();
	const all = { from: 0, count: state.n };
	await state.assign(all);
	state.group(all);
	await state.means();
}

function throwIfAborted(signal: AbortSignal | undefined, iterations: number): void {
	if (!signal?.aborted) return;
	const message = `aborted after ${iterations} iterations of k-means: nothing of it is kept`;
	throw new NighError("ABORTED", message, { iterations }, { cause: signal.reason });
}
