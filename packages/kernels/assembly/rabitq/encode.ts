/**
 * From a rotated residual to a code of 1 to 8 bits a dimension and the factors of its estimates; the layout is drawn in payload.ts.
 *
 * A code of B bits is that point of the grid ( -L - 1/2 .. L + 1/2 in steps of 1, with L = 2^(B - 1) - 1) whose direction is nearest to that of
 * the residual. It is found by rescaling: for a scale t the point is sign(r) (min(L, floor(t |r|)) + 1/2), and the best of
 * a few values of t is taken.
 */
import { sumF32 } from "../lanes";
import { IP } from "../metric";
import { FINE_FACTORS, ownAt, restAt, SCALE, SPREAD } from "./payload";

/**
 * Scales that are tried in each of two rounds, the second between the neighbours of the best of the first. The tests
 * hold the error to 1.05 times the least of all scales.
 */
const RESCALINGS: i32 = 12;

/** A residual whose components are all smaller counts as zero: its scales have no float32. */
const LEAST_SIZE: f32 = 1e-36;

/** The square of the cosine between a residual and its point of the grid at scale t, but for a factor that is the same for all t. */
@inline
function alignment(residual: usize, bytes: usize, t: f32, most: f32): f32 {
	const scale = f32x4.splat(t);
	const levels = f32x4.splat(most);
	const half = f32x4.splat(0.5);
	// Two sums of each: one alone would wait for itself.
	let products = f32x4.splat(0);
	let squares = products;
	let products2 = products;
	let squares2 = products;
	for (let o: usize = 0; o < bytes; o += 32) {
		const size = f32x4.abs(v128.load(residual + o));
		const g = f32x4.add(f32x4.trunc(f32x4.pmin(f32x4.mul(size, scale), levels)), half);
		products = f32x4.add(products, f32x4.mul(g, size));
		squares = f32x4.add(squares, f32x4.mul(g, g));
		const size2 = f32x4.abs(v128.load(residual + o, 16));
		const g2 = f32x4.add(f32x4.trunc(f32x4.pmin(f32x4.mul(size2, scale), levels)), half);
		products2 = f32x4.add(products2, f32x4.mul(g2, size2));
		squares2 = f32x4.add(squares2, f32x4.mul(g2, g2));
	}
	const product = sumF32(f32x4.add(products, products2));
	return product * (product / sumF32(f32x4.add(squares, squares2)));
}

/** The best scale for a grid of `most` + 1 sizes. */
@inline
function rescale(residual: usize, bytes: usize, largest: f32, most: f32): f32 {
	// The best scale brings the largest component to the outermost level, give or take; with few levels it pays to cut off what is far out.
	let first: f32 = ((most + 1) * <f32>0.85) / largest;
	let last: f32 = (most + 5) / largest;
	let best = first;
	let highest: f32 = -1;
	for (let round = 0; round < 2; round++) {
		const step: f32 = (last - first) / <f32>(RESCALINGS - 1);
		for (let i = 0; i < RESCALINGS; i++) {
			const t: f32 = first + step * <f32>i;
			const reached = alignment(residual, bytes, t, most);
			if (reached > highest) {
				highest = reached;
				best = t;
			}
		}
		first = best - step;
		last = best + step;
	}
	return best;
}

/**
 * Writes own, scale and spread for the point x of a grid (s, or 2 g) that a residual was brought to: from |r|^2, <x, r>, |x|^2 and <x, Pc>, and
 * from <r, c>, which ip needs.
 */
@inline
function writeFactors(
	metric: i32,
	at: usize,
	dimensions: i32,
	squared: f64,
	product: f64,
	grid: f64,
	centre: f64,
	residualCentre: f64,
): void {
	const scale = squared / product;
	store<f32>(at, <f32>(metric == IP ? scale * centre - residualCentre : squared + 2 * scale * centre));
	store<f32>(at, <f32>scale, SCALE);
	const inverse = scale * (grid / product);
	store<f32>(at, <f32>Math.sqrt((max<f64>(0, inverse - 1) * squared) / <f64>(dimensions - 1)), SPREAD);
}

@inline
function clearFactors(at: usize): void {
	store<f32>(at, 0);
	store<f32>(at, 0, SCALE);
	store<f32>(at, 0, SPREAD);
}

/** Writes the top bits of a row between those of the other rows. */
@inline
function writeTop(residual: usize, dimensions: i32, payload: usize, slot: u32): void {
	let at = payload + (slot & 15);
	const shift = slot < 16 ? 0 : 4;
	const others = slot < 16 ? 0xf0 : 0x0f;
	for (const end = residual + (<usize>dimensions << 2); residual < end; residual += 16) {
		const signs = i32x4.bitmask(f32x4.gt(v128.load(residual), f32x4.splat(0)));
		store<u8>(at, (load<u8>(at) & others) | (signs << shift));
		at += 16;
	}
}

/** Adds the other bits of one dimension, `x`, to a row whose other bits are zero so far. */
@inline
function writeRest(rest: usize, dimension: i32, width: i32, x: i32): void {
	let at = rest + <usize>((dimension >> 6) * (width << 3));
	const group = (dimension & 63) >> 2;
	const vector = dimension & 3;
	if (width & 4) {
		const to = at + <usize>(((vector >> 1) << 4) + group);
		store<u8>(to, load<u8>(to) | ((x & 15) << ((vector & 1) << 2)));
		at += 32;
	}
	if (width & 2) {
		const to = at + <usize>group;
		store<u8>(to, load<u8>(to) | (((x >> (width & 4)) & 3) << (vector << 1)));
		at += 16;
	}
	if (width & 1) {
		const to = at + <usize>(group & 7);
		store<u8>(to, load<u8>(to) | (((x >> (width & 6)) & 1) << ((vector << 1) + (group >> 3))));
	}
}

/** Writes the other bits of a row and the factors that go with the whole code. */
@inline
function writeFine(
	metric: i32,
	residual: usize,
	centroid: usize,
	dimensions: i32,
	bits: i32,
	payload: usize,
	slot: u32,
	largest: f32,
	squared: f64,
	residualCentre: f64,
): void {
	const width = bits - 1;
	const most = (1 << width) - 1;
	const rest = restAt(payload, dimensions, width, slot);
	memory.fill(rest, 0, <usize>((dimensions >> 3) * width));
	const at = ownAt(payload, dimensions) + (<usize>slot << 2) + FINE_FACTORS;
	if (largest < LEAST_SIZE) {
		clearFactors(at);
		return;
	}
	const t = rescale(residual, <usize>dimensions << 2, largest, <f32>most);
	let product: f64 = 0;
	let grid: f64 = 0;
	let centre: f64 = 0;
	for (let i = 0; i < dimensions; i++) {
		const o = <usize>i << 2;
		const r = load<f32>(residual + o);
		const level = <i32>min<f32>(<f32>most, abs<f32>(r) * t);
		// 2 g.
		const x = <f64>(r > 0 ? 2 * level + 1 : -2 * level - 1);
		product += x * <f64>r;
		grid += x * x;
		centre += x * <f64>load<f32>(centroid + o);
		writeRest(rest, i, width, r > 0 ? level : most - level);
	}
	writeFactors(metric, at, dimensions, squared, product, grid, centre, residualCentre);
}

/**
 * Codes one row into slot 0 .. 31 of a block. `residual` is the rotation of row - centroid and `centroid` that of the centroid, both of
 * `dimensions` floats, a multiple of 64.
 */
export function rabitqEncode(
	metric: i32,
	residual: usize,
	centroid: usize,
	dimensions: i32,
	bits: i32,
	payload: usize,
	slot: i32,
): void {
	let squared: f64 = 0;
	let product: f64 = 0;
	let centre: f64 = 0;
	let residualCentre: f64 = 0;
	let largest: f32 = 0;
	for (let i = 0; i < dimensions; i++) {
		const o = <usize>i << 2;
		const r = load<f32>(residual + o);
		const c = <f64>load<f32>(centroid + o);
		const size = abs<f32>(r);
		squared += <f64>r * <f64>r;
		product += <f64>size;
		centre += r > 0 ? c : -c;
		residualCentre += <f64>r * c;
		largest = max<f32>(largest, size);
	}
	const at = ownAt(payload, dimensions) + (<usize>slot << 2);
	if (largest < LEAST_SIZE) clearFactors(at);
	else writeFactors(metric, at, dimensions, squared, product, <f64>dimensions, centre, residualCentre);
	writeTop(residual, dimensions, payload, slot);
	if (bits == 1) return;
	writeFine(metric, residual, centroid, dimensions, bits, payload, slot, largest, squared, residualCentre);
}
