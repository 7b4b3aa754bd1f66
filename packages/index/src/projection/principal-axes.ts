import { type Arena, METRIC_CODES, rowBytes } from "@nigh/kernels";
import { uniform } from "../random.ts";

/** Float rows in the arena. */
export interface RowsAt {
	readonly address: number;
	/** Bytes from one row to the next. */
	readonly stride: number;
	readonly n: number;
	readonly dimensions: number;
}

/** Orthonormal directions, those in which the rows spread most first. */
export interface PrincipalAxes {
	/** The mean of the rows. */
	readonly mean: Float64Array;
	/** One axis of `dimensions` elements after the other. */
	readonly axes: Float64Array;
	/** The variance along each. */
	readonly variances: Float64Array;
	/** The variance along all there are, those that are not listed included. */
	readonly totalVariance: number;
}

export interface PrincipalAxesOptions {
	/** Ends with the axis at which the listed ones hold this share of all variance. */
	readonly energy: number;
	/** At least and at most so many axes. */
	readonly least: number;
	readonly most: number;
	readonly seed: number;
}

/** Rounds of the iteration: what is left of an axis that does not belong shrinks by the ratio of two variances in each. */
const ROUNDS = 10;
/** Axes beside those that are wanted: the last ones of the iteration are the least certain. */
const SPARE = 16;
/** A covariance takes as many multiplications as rows times this; more rows than fit this many do not change what matters. */
const MOST_PRODUCTS = 8e9;
const LEAST_ROWS = 2_048;

/**
 * Principal axes of rows: the leading eigenvectors of their covariance, by orthogonal iteration (Golub and Van Loan, Matrix Computations,
 * 8.2.4). Rows are taken at even distances where there are more than matter. The same rows give the same bits everywhere.
 */
export function principalAxes(
	arena: Arena,
	rows: RowsAt,
	{ energy, least, most, seed }: PrincipalAxesOptions,
): PrincipalAxes {
	const d = rows.dimensions;
	const sampled = Math.min(rows.n, Math.max(LEAST_ROWS, Math.floor(MOST_PRODUCTS / (d * d))));
	const mean = meanOf(arena, rows, sampled);
	const covariance = covarianceOf(arena, rows, sampled, mean);
	try {
		const stride = rowBytes(4 * d) / 4;
		const diagonal = arena.f32(covariance, d * stride);
		let totalVariance = 0;
		for (let i = 0; i < d; i++) totalVariance += Math.max(0, diagonal[i * stride + i] as number);
		for (let wanted = Math.min(most, Math.max(least, 48)); ; wanted = Math.min(most, 2 * wanted)) {
			const { axes, variances } = leadingAxes(arena, covariance, d, Math.min(d, wanted + SPARE), seed);
			const kept = countFor(variances.subarray(0, wanted), energy * totalVariance, least);
			if (kept < wanted || wanted === most) {
				return { mean, axes: axes.slice(0, kept * d), variances: variances.slice(0, kept), totalVariance };
			}
		}
	} finally {
		arena.free(covariance);
	}
}

/** How many of the variances reach a sum. */
function countFor(variances: Float64Array, sum: number, least: number): number {
	let held = 0;
	for (let i = 0; i < variances.length; i++) {
		held += variances[i] as number;
		if (held >= sum && i + 1 >= least) return i + 1;
	}
	return variances.length;
}

function rowNumber(i: number, n: number, sampled: number): number {
	return Math.floor((i * n) / sampled);
}

function meanOf(arena: Arena, { address, stride, n, dimensions }: RowsAt, sampled: number): Float64Array {
	const mean = new Float64Array(dimensions);
	for (let i = 0; i < sampled; i++) {
		const row = arena.f32(address + rowNumber(i, n, sampled) * stride, dimensions);
		for (let j = 0; j < dimensions; j++) mean[j] = (mean[j] as number) + (row[j] as number);
	}
	return mean.map((sum) => sum / sampled);
}

/** Rows whose columns are multiplied at a time. */
const COLUMN_ROWS = 2_048;

/** The covariance as d rows of float32, to be freed by the caller. */
function covarianceOf(
	arena: Arena,
	{ address, stride, n, dimensions: d }: RowsAt,
	sampled: number,
	mean: Float64Array,
): number {
	const width = rowBytes(4 * d) / 4;
	const sums = new Float64Array(d * d);
	const columnBytes = rowBytes(4 * Math.min(sampled, COLUMN_ROWS));
	const covariance = arena.alloc(d * width * 4);
	let columns = 0;
	try {
		columns = arena.alloc(d * columnBytes);
		for (let from = 0; from < sampled; from += COLUMN_ROWS) {
			const count = Math.min(COLUMN_ROWS, sampled - from);
			const words = arena.f32(columns, (d * columnBytes) / 4);
			words.fill(0);
			for (let i = 0; i < count; i++) {
				const row = arena.f32(address + rowNumber(from + i, n, sampled) * stride, d);
				for (let j = 0; j < d; j++) words[(j * columnBytes) / 4 + i] = (row[j] as number) - (mean[j] as number);
			}
			const outStride = width * 4;
			arena.kernels.distanceTiles(
				METRIC_CODES.ip,
				columns,
				columnBytes,
				d,
				columns,
				columnBytes,
				columnBytes,
				d,
				covariance,
				outStride,
			);
			const products = arena.f32(covariance, d * width);
			for (let i = 0; i < d; i++) {
				for (let j = 0; j < d; j++) sums[i * d + j] = (sums[i * d + j] as number) - (products[i * width + j] as number);
			}
		}
	} catch (error) {
		arena.free(covariance);
		throw error;
	} finally {
		arena.free(columns);
	}
	const words = arena.f32(covariance, d * width);
	words.fill(0);
	for (let i = 0; i < d; i++) {
		for (let j = 0; j < d; j++) words[i * width + j] = (sums[i * d + j] as number) / sampled;
	}
	return covariance;
}

/** The leading `m` axes of a covariance, by falling variance. */
function leadingAxes(
	arena: Arena,
	covariance: number,
	d: number,
	m: number,
	seed: number,
): { axes: Float64Array; variances: Float64Array } {
	const bytes = rowBytes(4 * d);
	// Both in one piece, so that there is nothing to give back where the second does not fit.
	const left = arena.alloc(2 * m * bytes);
	const product = left + m * bytes;
	try {
		const axes = new Float64Array(m * d);
		for (let i = 0; i < axes.length; i++) axes[i] = uniform(seed, i) - 0.5;
		orthonormalize(axes, m, d);
		const variances = new Float64Array(m);
		for (let round = 0; round <= ROUNDS; round++) {
			const floats = arena.f32(left, (m * bytes) / 4);
			for (let i = 0; i < m; i++) floats.set(axes.subarray(i * d, (i + 1) * d), (i * bytes) / 4);
			arena.kernels.distanceTiles(METRIC_CODES.ip, left, bytes, m, covariance, bytes, bytes, d, product, bytes);
			const moved = arena.f32(product, (m * bytes) / 4);
			for (let i = 0; i < m; i++) {
				let along = 0;
				for (let j = 0; j < d; j++) along -= (axes[i * d + j] as number) * (moved[(i * bytes) / 4 + j] as number);
				variances[i] = Math.max(0, along);
			}
			if (round === ROUNDS) break;
			for (let i = 0; i < m; i++) {
				for (let j = 0; j < d; j++) axes[i * d + j] = -(moved[(i * bytes) / 4 + j] as number);
			}
			orthonormalize(axes, m, d);
		}
		return byVariance(axes, variances, d);
	} finally {
		arena.free(left);
	}
}

function byVariance(axes: Float64Array, variances: Float64Array, d: number) {
	const order = Array.from(variances, (_, i) => i).sort(
		(a, b) => (variances[b] as number) - (variances[a] as number) || a - b,
	);
	const sorted = new Float64Array(axes.length);
	order.forEach((from, to) => {
		sorted.set(axes.subarray(from * d, (from + 1) * d), to * d);
	});
	return { axes: sorted, variances: Float64Array.from(order, (i) => variances[i] as number) };
}

/** A part that is shorter than this share of what it was has nothing left but rounding. */
const LEAST_LEFT = 1e-10;

/**
 * Makes rows orthonormal, one after the other (Gram-Schmidt, twice, which is enough). One that depends on those before it is replaced by what is
 * left of a unit vector.
 */
export function orthonormalize(rows: Float64Array, m: number, d: number): void {
	let spare = 0;
	for (let i = 0; i < m; i++) {
		const row = rows.subarray(i * d, (i + 1) * d);
		for (;;) {
			const before = length(row);
			for (let pass = 0; pass < 2; pass++) {
				for (let other = 0; other < i; other++) takeOut(row, rows.subarray(other * d, (other + 1) * d));
			}
			const after = length(row);
			if (after > LEAST_LEFT * before) {
				for (let j = 0; j < d; j++) row[j] = (row[j] as number) / after;
				break;
			}
			row.fill(0);
			row[spare++ % d] = 1;
		}
	}
}

function length(row: Float64Array): number {
	let sum = 0;
	for (const x of row) sum += x * x;
	return Math.sqrt(sum);
}

function takeOut(row: Float64Array, unit: Float64Array): void {
	let along = 0;
	for (let j = 0; j < row.length; j++) along += (row[j] as number) * (unit[j] as number);
	for (let j = 0; j < row.length; j++) row[j] = (row[j] as number) - along * (unit[j] as number);
}
