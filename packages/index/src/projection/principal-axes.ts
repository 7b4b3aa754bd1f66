import { type Arena, METRIC_CODES, rowBytes } from "@nigh/kernels";
import { type Parallel, serial } from "../parallel.ts";
import { uniform } from "../random.ts";
import { add, dot, orthonormalize } from "./orthonormal.ts";

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

/** What a long search for axes is done with. */
export interface AxesWork {
	/** Who multiplies. Default: this thread. The result does not depend on it. */
	readonly parallel?: Parallel | undefined;
	/** Called between two steps; what it throws ends the search. */
	readonly check?: (() => void) | undefined;
}

/** Rounds of the iteration: what is left of an axis that does not belong shrinks by the ratio of two variances in each. */
const ROUNDS = 10;
/** Axes beside those that are wanted: the last ones of the iteration are the least certain. */
const SPARE = 16;
/** As many multiplications as all products of rows may take; more rows than fit this do not change what matters. */
const MOST_PRODUCTS = 8e9;
const LEAST_ROWS = 2_048;

/**
 * Rows that are looked at of so many. Up to about 2,000 dimensions the products of all pairs of dimensions are summed over rows; with more dimensions than rows the
 * products of all pairs of rows, which have the same variances, are fewer.
 */
export function rowsForAxes(dimensions: number, n: number): number {
	const sampled = Math.min(n, Math.max(LEAST_ROWS, Math.floor(MOST_PRODUCTS / (dimensions * dimensions))));
	return sampled >= dimensions ? sampled : Math.min(sampled, Math.floor(Math.sqrt(MOST_PRODUCTS / dimensions)));
}

/**
 * Principal axes of rows: the leading eigenvectors of their covariance, by orthogonal iteration (Golub and Van Loan, Matrix Computations,
 * 8.2.4); of fewer rows than dimensions by way of the products of rows (Sirovich 1987), so that nothing grows with the square of the dimensions. Rows are taken
 * at even distances where there are more than matter. The same rows give the same bits everywhere.
 */
export async function principalAxes(
	arena: Arena,
	rows: RowsAt,
	{ energy, least, most, seed }: PrincipalAxesOptions,
	work: AxesWork = {},
): Promise<PrincipalAxes> {
	const d = rows.dimensions;
	const sampled = rowsForAxes(d, rows.n);
	const mean = meanOf(arena, rows, sampled);
	const isOfRows = sampled < d;
	const side = isOfRows ? sampled : d;
	const products = await (isOfRows ? rowProducts : covarianceOf)(arena, rows, sampled, mean, work);
	try {
		const stride = rowBytes(4 * side) / 4;
		const diagonal = arena.f32(products, side * stride);
		let totalVariance = 0;
		for (let i = 0; i < side; i++) totalVariance += Math.max(0, diagonal[i * stride + i] as number);
		for (let wanted = Math.min(most, Math.max(least, 48)); ; wanted = Math.min(most, 2 * wanted)) {
			const found = await leadingAxes(arena, products, side, Math.min(side, wanted + SPARE), seed, work);
			// Beyond as many axes as there are rows there is no variance.
			const variances = new Float64Array(wanted);
			variances.set(found.variances.subarray(0, wanted));
			const kept = countFor(variances, energy * totalVariance, least);
			if (kept < wanted || wanted === most) {
				const { axes } = found;
				if (isOfRows) return { mean, totalVariance, ...axesFrom(arena, rows, sampled, mean, axes, kept) };
				return { mean, totalVariance, axes: axes.slice(0, kept * d), variances: variances.slice(0, kept) };
			}
		}
	} finally {
		arena.free(products);
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
async function covarianceOf(
	arena: Arena,
	{ address, stride, n, dimensions: d }: RowsAt,
	sampled: number,
	mean: Float64Array,
	work: AxesWork,
): Promise<number> {
	const width = rowBytes(4 * d) / 4;
	const sums = new Float64Array(d * d);
	const columnBytes = rowBytes(4 * Math.min(sampled, COLUMN_ROWS));
	const covariance = arena.alloc(d * width * 4);
	let columns = 0;
	try {
		columns = arena.alloc(d * columnBytes);
		const lines = { address: columns, bytes: columnBytes, n: d };
		for (let from = 0; from < sampled; from += COLUMN_ROWS) {
			const count = Math.min(COLUMN_ROWS, sampled - from);
			const words = arena.f32(columns, (d * columnBytes) / 4);
			words.fill(0);
			for (let i = 0; i < count; i++) {
				const row = arena.f32(address + rowNumber(from + i, n, sampled) * stride, d);
				for (let j = 0; j < d; j++) words[(j * columnBytes) / 4 + i] = (row[j] as number) - (mean[j] as number);
			}
			await multiply(arena, lines, lines, { address: covariance, bytes: width * 4 }, work);
			const products = arena.f32(covariance, d * width);
			for (let i = 0; i < d; i++) {
				for (let j = 0; j < d; j++) sums[i * d + j] = (sums[i * d + j] as number) - (products[i * width + j] as number);
			}
		}
		const words = arena.f32(covariance, d * width);
		words.fill(0);
		for (let i = 0; i < d; i++) {
			for (let j = 0; j < d; j++) words[i * width + j] = (sums[i * d + j] as number) / sampled;
		}
		return covariance;
	} catch (error) {
		arena.free(covariance);
		throw error;
	} finally {
		arena.free(columns);
	}
}

/** The products of all pairs of centred rows, divided by their number, as rows of float32, to be freed by the caller. */
async function rowProducts(
	arena: Arena,
	{ address, stride, n, dimensions: d }: RowsAt,
	sampled: number,
	mean: Float64Array,
	work: AxesWork,
): Promise<number> {
	const bytes = rowBytes(4 * d);
	const outBytes = rowBytes(4 * sampled);
	const products = arena.alloc(sampled * outBytes);
	let centred = 0;
	try {
		centred = arena.alloc(sampled * bytes);
		for (let i = 0; i < sampled; i++) {
			const row = arena.f32(address + rowNumber(i, n, sampled) * stride, d);
			const words = arena.f32(centred + i * bytes, bytes / 4);
			for (let j = 0; j < d; j++) words[j] = (row[j] as number) - (mean[j] as number);
			words.fill(0, d);
		}
		const lines = { address: centred, bytes, n: sampled };
		await multiply(arena, lines, lines, { address: products, bytes: outBytes }, work);
		const words = arena.f32(products, (sampled * outBytes) / 4);
		for (let i = 0; i < sampled; i++) {
			const line = words.subarray((i * outBytes) / 4, ((i + 1) * outBytes) / 4);
			for (let j = 0; j < sampled; j++) line[j] = -(line[j] as number) / sampled;
			line.fill(0, sampled);
		}
		return products;
	} catch (error) {
		arena.free(products);
		throw error;
	} finally {
		arena.free(centred);
	}
}

/** The axes of rows that the eigenvectors of their products stand for: sums of rows, made orthonormal; any others where there are no more. */
function axesFrom(
	arena: Arena,
	{ address, stride, n, dimensions: d }: RowsAt,
	sampled: number,
	mean: Float64Array,
	shares: Float64Array,
	m: number,
): { axes: Float64Array; variances: Float64Array } {
	const axes = new Float64Array(m * d);
	const axisOf = (a: number) => axes.subarray(a * d, (a + 1) * d);
	const centred = new Float64Array(d);
	const forEachRow = (visit: (i: number) => void) => {
		for (let i = 0; i < sampled; i++) {
			const row = arena.f32(address + rowNumber(i, n, sampled) * stride, d);
			for (let j = 0; j < d; j++) centred[j] = (row[j] as number) - (mean[j] as number);
			visit(i);
		}
	};
	const found = Math.min(m, shares.length / sampled);
	forEachRow((i) => {
		for (let a = 0; a < found; a++) add(axisOf(a), centred, shares[a * sampled + i] as number);
	});
	orthonormalize(axes, m, d);
	// The eigenvectors are not exact: along what they stand for the rows vary a little differently.
	const variances = new Float64Array(m);
	forEachRow(() => {
		for (let a = 0; a < m; a++) variances[a] = (variances[a] as number) + dot(axisOf(a), centred) ** 2 / sampled;
	});
	return byVariance(axes, variances, d);
}

interface Lines {
	readonly address: number;
	readonly bytes: number;
	readonly n: number;
}

/** Lines that are multiplied between two checks, on each thread. */
const LINES = 128;

/** Minus the dot products of all lines of `a` with all of `b`, those of a line together. */
async function multiply(
	arena: Arena,
	a: Lines,
	b: Lines,
	out: Omit<Lines, "n">,
	{ parallel = serial, check }: AxesWork,
): Promise<void> {
	for (let from = 0; from < a.n; from += LINES * parallel.lanes) {
		check?.();
		const args: number[][] = [];
		for (let at = from; at < a.n && args.length < parallel.lanes; at += LINES) {
			const n = Math.min(LINES, a.n - at);
			const lines = [a.address + at * a.bytes, a.bytes, n, b.address, b.bytes, b.bytes, b.n];
			args.push([METRIC_CODES.ip, ...lines, out.address + at * out.bytes, out.bytes]);
		}
		await parallel.run(arena, "distanceTiles", args);
	}
	check?.();
}

/** The leading `m` eigenvectors of a symmetric matrix of `d` lines, by falling variance. */
async function leadingAxes(
	arena: Arena,
	matrix: number,
	d: number,
	m: number,
	seed: number,
	work: AxesWork,
): Promise<{ axes: Float64Array; variances: Float64Array }> {
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
			const of = { address: matrix, bytes, n: d };
			await multiply(arena, { address: left, bytes, n: m }, of, { address: product, bytes }, work);
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
