import type { ArenaView } from "../arena-view.ts";
import { LEAST_POINTS_PER_CENTROID } from "./parameters.ts";
import type { TrainingState } from "./state.ts";

/** How the training rows lie in the cells. */
export interface Occupancy {
	readonly min: number;
	readonly mean: number;
	readonly max: number;
	/** max / mean: 1 where all cells are equally full. */
	readonly imbalance: number;
	/** Cells without a row. */
	readonly empty: number;
}

/**
 * `fewPoints`: under 39 training rows for each centroid (check C-4). `fewDistinct`: some centroids are equal, or some cells empty.
 * `collapsed`: so few are left that the cells tell nothing apart; see {@link isCollapsed}.
 */
export type KMeansWarningCode = "fewPoints" | "fewDistinct" | "collapsed";

export interface KMeansWarning {
	readonly code: KMeansWarningCode;
	readonly message: string;
}

/** What a training came to. Everything is about the rows it was trained on and the centroids it returned. */
export interface KMeansReport {
	readonly k: number;
	/** Rows that were given. */
	readonly points: number;
	/** Rows that were used: all, or a sample. */
	readonly trainedOn: number;
	readonly distinctCentroids: number;
	readonly occupancy: Occupancy;
	/** The squared distances of the rows from their centroids, added up. */
	readonly inertia: number;
	/** The same as each iteration found it, before it moved the centroids. */
	readonly inertias: readonly number[];
	readonly iterations: number;
	/** Whether it ended by itself rather than at the bound on iterations. */
	readonly converged: boolean;
	/** trainedOn / k. */
	readonly pointsPerCentroid: number;
	readonly warnings: readonly KMeansWarning[];
}

/** Fewer than this share of the cells that could be told apart: collapsed. */
const COLLAPSED_SHARE = 1 / 4;

/** Whether so few of the cells that `rows` allow, of `k`, are distinct or have rows that a search looks through nearly everything. */
export function areCollapsed(k: number, rows: number, distinct: number, nonEmpty: number): boolean {
	const possible = Math.min(k, rows);
	if (possible < 2) return false;
	return Math.min(distinct, nonEmpty) < Math.max(2, possible * COLLAPSED_SHARE);
}

/**
 * Whether a training collapsed (check M-1): fewer than a quarter of the centroids that the rows allow (the lesser of k and the training
 * rows), or fewer than two, are distinct or have rows. One vector given a hundred times collapses; rows of which half are duplicates do
 * not, and neither do few rows that all differ. Where only one centroid or one row is asked for, there is nothing to tell apart.
 */
export function isCollapsed(
	report: Pick<KMeansReport, "k" | "trainedOn" | "distinctCentroids"> & {
		readonly occupancy: Pick<Occupancy, "empty">;
	},
): boolean {
	const { k, trainedOn, distinctCentroids, occupancy } = report;
	return areCollapsed(k, trainedOn, distinctCentroids, k - occupancy.empty);
}

/** How a training ran. */
export interface TrainingCourse {
	readonly iterations: number;
	readonly converged: boolean;
	readonly inertias: readonly number[];
}

/** The report about the last grouping. */
export function reportOf(state: TrainingState, course: TrainingCourse): KMeansReport {
	const { k } = state.parameters;
	const facts = {
		k,
		points: state.points.n,
		trainedOn: state.n,
		distinctCentroids: countDistinct(state.arena, state.centroids, state.bytes, k),
		occupancy: occupancyOf(state),
		inertia: state.inertia(),
		...course,
		pointsPerCentroid: state.n / k,
	};
	return { ...facts, warnings: warningsOf(facts) };
}

function occupancyOf({ offsets, parameters: { k }, n }: TrainingState): Occupancy {
	let [min, max, empty] = [n, 0, 0];
	for (let cell = 0; cell < k; cell++) {
		const size = (offsets[cell + 1] as number) - (offsets[cell] as number);
		min = Math.min(min, size);
		max = Math.max(max, size);
		if (size === 0) empty++;
	}
	const mean = n / k;
	return { min, mean, max, imbalance: max / mean, empty };
}

/** Of `k` centroids of `bytes` each, those that differ from all before them in some bit. */
export function countDistinct(arena: ArenaView, centroids: number, bytes: number, k: number): number {
	const known = new Map<number, number[]>();
	const words = (cell: number) => arena.u32(centroids + cell * bytes, bytes / 4);
	let distinct = 0;
	for (let cell = 0; cell < k; cell++) {
		const sum = arena.kernels.checksum(centroids + cell * bytes, bytes);
		const others = known.get(sum) ?? [];
		const row = words(cell);
		if (others.some((other) => words(other).every((word, i) => word === row[i]))) continue;
		distinct++;
		known.set(sum, [...others, cell]);
	}
	return distinct;
}

function warningsOf(facts: Omit<KMeansReport, "warnings">): KMeansWarning[] {
	const { k, trainedOn, distinctCentroids, occupancy, pointsPerCentroid } = facts;
	const warnings: KMeansWarning[] = [];
	const filled = `${distinctCentroids} of ${k} centroids are distinct and ${k - occupancy.empty} of ${k} cells have rows`;
	if (pointsPerCentroid < LEAST_POINTS_PER_CENTROID) {
		const message = `${trainedOn} training rows for ${k} centroids are ${pointsPerCentroid.toFixed(1)} each; give at least ${LEAST_POINTS_PER_CENTROID} each (${LEAST_POINTS_PER_CENTROID * k} rows), or ask for at most ${Math.max(1, Math.floor(trainedOn / LEAST_POINTS_PER_CENTROID))} centroids`;
		warnings.push({ code: "fewPoints", message });
	}
	if (distinctCentroids < k || occupancy.empty > 0) {
		const message = `${filled}: the training rows hold too few different vectors for more; ask for fewer centroids, or train on other rows`;
		warnings.push({ code: "fewDistinct", message });
	}
	if (isCollapsed(facts)) {
		const message = `the training collapsed: ${filled}, so that a search would have to look through nearly everything; train again on real rows that differ`;
		warnings.push({ code: "collapsed", message });
	}
	return warnings;
}
