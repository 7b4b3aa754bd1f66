import type { Arena } from "@nigh/kernels";
import { allocateAxes } from "./allocate.ts";
import { Complement } from "./complement.ts";
import { type AxesWork, principalAxes, type RowsAt } from "./principal-axes.ts";
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

/** Axes that are made between two checks. */
const STEP = 64;

/**
 * A projection to the principal axes of rows, in groups of evenly spread variance. Of a width that is given, no more axes than are kept where nobody says are principal
 * ones; the rest are any that are at right angles to them, and hold what variance is left.
 */
export async function learnProjection(
	arena: Arena,
	rows: RowsAt,
	options: LearnOptions,
	work: AxesWork = {},
): Promise<LearntProjection> {
	const { groupOf, seed } = options;
	const d = rows.dimensions;
	const principal = mostAxes(d, 1);
	const found = await (options.width === undefined
		? keptAxes(arena, rows, options, work)
		: principalAxes(arena, rows, { energy: 1, ...both(Math.min(options.width, principal)), seed }, work));
	const known = found.variances.length;
	const width = options.width ?? known;
	const held = found.variances.reduce((sum, x) => sum + x, 0);
	const variances = new Float64Array(width).fill(Math.max(0, found.totalVariance - held) / Math.max(1, d - known));
	variances.set(found.variances);
	const all = new Complement(found.axes, d);
	const order = allocateAxes(variances, width / groupOf);
	const projection = new Projection(arena, d, width);
	try {
		for (let i = 0; i < width; i++) {
			if (i % STEP === 0) work.check?.();
			projection.setAxis(i, all.axis(order[i] as number));
		}
	} catch (error) {
		projection.dispose();
		throw error;
	}
	projection.centre(found.mean);
	const share = width === d ? 1 : held / found.totalVariance;
	return { projection, energy: found.totalVariance > 0 ? Math.min(1, share) : 1 };
}

/** As many axes as hold most of the variance, in whole steps. */
async function keptAxes(arena: Arena, rows: RowsAt, { multipleOf, seed }: LearnOptions, work: AxesWork) {
	const d = rows.dimensions;
	const least = Math.min(d - (d % multipleOf), multipleOf);
	const most = mostAxes(d, multipleOf);
	const found = await principalAxes(arena, rows, { energy: ENERGY, least, most, seed }, work);
	const kept = found.variances.length;
	const width = Math.min(most, Math.ceil(kept / multipleOf) * multipleOf);
	return width === kept ? found : principalAxes(arena, rows, { energy: 1, ...both(width), seed }, work);
}

function both(width: number): { least: number; most: number } {
	return { least: width, most: width };
}

/** The most axes that are kept where nobody says how many there are to be. */
export function mostAxes(dimensions: number, multipleOf: number): number {
	return roundedDown(Math.min(dimensions, Math.max(LEAST_MOST, Math.floor(MOST_ELEMENTS / dimensions))), multipleOf);
}

function roundedDown(x: number, multipleOf: number): number {
	return x - (x % multipleOf);
}
