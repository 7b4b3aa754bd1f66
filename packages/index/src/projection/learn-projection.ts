import type { Arena } from "@nigh/kernels";
import { allocateAxes } from "./allocate.ts";
import { principalAxes, type RowsAt } from "./principal-axes.ts";
import { Projection } from "./projection.ts";

/** The share of all variance that the kept axes hold where nobody says how many there are to be. */
const ENERGY = 0.93;
/** A query is multiplied with every axis: more elements than this take longer than what they save. */
const MOST_ELEMENTS = 2 ** 19;
const LEAST_MOST = 64;

export interface LearnOptions {
	/** Axes to keep; `undefined`: as many as hold most of the variance. */
	readonly width: number | undefined;
	/** Kept axes are a multiple of this. */
	readonly multipleOf: number;
	/** Axes of a group, among which variance is spread evenly; for a width that is a multiple of it. */
	readonly groupOf: number;
	readonly seed: number;
}

export interface LearntProjection {
	readonly projection: Projection;
	/** The share of all variance that is kept. */
	readonly energy: number;
}

/** A projection to the principal axes of rows, in groups of evenly spread variance. */
export function learnProjection(arena: Arena, rows: RowsAt, options: LearnOptions): LearntProjection {
	const { multipleOf, groupOf, seed } = options;
	const d = rows.dimensions;
	const least = options.width ?? Math.min(d - (d % multipleOf), multipleOf);
	const most = options.width ?? mostAxes(d, multipleOf);
	const found = principalAxes(arena, rows, { energy: ENERGY, least, most, seed });
	const kept = found.variances.length;
	const width = Math.min(most, Math.ceil(kept / multipleOf) * multipleOf);
	const { axes, variances } =
		width === kept ? found : principalAxes(arena, rows, { energy: 1, least: width, most: width, seed });
	const projection = new Projection(arena, d, width);
	projection.fill(axes, allocateAxes(variances, width / groupOf), found.mean);
	const held = variances.reduce((sum, x) => sum + x, 0);
	return { projection, energy: found.totalVariance > 0 ? Math.min(1, held / found.totalVariance) : 1 };
}

/** The most axes that are kept where nobody says how many there are to be. */
export function mostAxes(dimensions: number, multipleOf: number): number {
	return roundedDown(Math.min(dimensions, Math.max(LEAST_MOST, Math.floor(MOST_ELEMENTS / dimensions))), multipleOf);
}

function roundedDown(x: number, multipleOf: number): number {
	return x - (x % multipleOf);
}
