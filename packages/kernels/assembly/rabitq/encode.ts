/**
 * From a rotated residual to a code of 1 to 8 bits a dimension and the factors of its estimates; the layout is drawn in payload.ts.
 *
 * A code of B bits is that point of the grid ( -L - 1/2 .. L + 1/2 in steps of 1, with L = 2^(B - 1) - 1) whose direction is nearest to that of
 * the residual. It is found by rescaling: for a scale t the point is sign(r) (min(L, floor(t |r|)) + 1/2), and the best of
 * a few values of t is taken.
 */
import { sumF32 } from "../lanes";
import { IP } from "../metric";
import { FINE_SCALE, FINE_SPREAD, ownAt, restAt, SCALE, SPREAD } from "./payload";

/**
 * Scales that are tried in each of two rounds, the second between the neighbours of the best of the first. On normal residuals that comes
 * within 1 % of the least error of all scales for 1 to 8 bits.
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
	let products = f32x4.splat(0);
	let squares = products;
	for (let o: usize = 0; o < bytes; o += 16) {
		const size = f32x4.abs(v128.load(residual + o));
		const g = f32x4.add(f32x4.floor(f32x4.min(levels, f32x4.mul(size, scale))), half);
		products = f32x4.add(products, f32x4.mul(g, size));
		squares = f32x4.add(squares, f32x4.mul(g, g));
	}
	const product = sumF32(products);
	return product * (product / sumF32(squares));
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

/** What the row adds to its key by itself, from row and centroid as they are. */
@inline
function ownPart(metric: i32, row: usize, centroid: usize, bytes: usize): f32 {
	let sum: f64 = 0;
	for (let o: usize = 0; o < bytes; o += 4) {
		const c = <f64>load<f32>(centroid + o);
		const r = <f64>load<f32>(row + o) - c;
		sum += metric == IP ? -(c * r) : r * r;
	}
	return <f32>sum;
}

/** |r| sqrt((1 - f^2) / (f^2 (D - 1))), where r has the product `product` with a point of the grid. */
@inline
function spreadOf(squared: f64, product: f64, grid: f64, dimensions: i32): f32 {
	const inverse = (squared / product) * (grid / product);
	return <f32>Math.sqrt((max<f64>(0, inverse - 1) * squared) / <f64>(dimensions - 1));
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
	residual: usize,
	dimensions: i32,
	bits: i32,
	payload: usize,
	slot: u32,
	largest: f32,
	squared: f64,
): void {
	const width = bits - 1;
	const most = (1 << width) - 1;
	const rest = restAt(payload, dimensions, width, slot);
	memory.fill(rest, 0, <usize>((dimensions >> 3) * width));
	const at = ownAt(payload, dimensions) + (<usize>slot << 2);
	if (largest < LEAST_SIZE) {
		store<f32>(at, 0, FINE_SCALE);
		store<f32>(at, 0, FINE_SPREAD);
		return;
	}
	const t = rescale(residual, <usize>dimensions << 2, largest, <f32>most);
	let product: f64 = 0;
	let grid: f64 = 0;
	for (let i = 0; i < dimensions; i++) {
		const r = load<f32>(residual + (<usize>i << 2));
		const size = abs<f32>(r);
		const level = <i32>min<f32>(<f32>most, size * t);
		const g = <f64>level + 0.5;
		product += g * <f64>size;
		grid += g * g;
		writeRest(rest, i, width, r > 0 ? level : most - level);
	}
	store<f32>(at, <f32>(squared / (2 * product)), FINE_SCALE);
	store<f32>(at, spreadOf(squared, product, grid, dimensions), FINE_SPREAD);
}

/**
 * Codes one row into slot 0 .. 31 of a block. `row` and `centroid` have `bytes` bytes; `residual` is what `rotateRow` made of their
 * difference, `dimensions` floats, a multiple of 64.
 */
export function rabitqEncode(
	metric: i32,
	row: usize,
	centroid: usize,
	bytes: usize,
	residual: usize,
	dimensions: i32,
	bits: i32,
	payload: usize,
	slot: i32,
): void {
	let squared: f64 = 0;
	let sizes: f64 = 0;
	let largest: f32 = 0;
	for (let i = 0; i < dimensions; i++) {
		const size = abs<f32>(load<f32>(residual + (<usize>i << 2)));
		squared += <f64>size * <f64>size;
		sizes += <f64>size;
		largest = max<f32>(largest, size);
	}
	const at = ownAt(payload, dimensions) + (<usize>slot << 2);
	store<f32>(at, ownPart(metric, row, centroid, bytes));
	store<f32>(at, largest < LEAST_SIZE ? 0 : <f32>(squared / sizes), SCALE);
	store<f32>(at, largest < LEAST_SIZE ? 0 : spreadOf(squared, sizes, <f64>dimensions, dimensions), SPREAD);
	writeTop(residual, dimensions, payload, slot);
	if (bits > 1) writeFine(residual, dimensions, bits, payload, slot, largest, squared);
}
