/**
 * Leaves out most centroids before keys are computed: 7-bit codes give bounds of every key, and only what could be the least is compared
 * as panel.ts does it, so that label and key are the same bits.
 *
 * The codes of k centroids in panels of eight, c for what a panel holds of a centroid, m for the point from which all are seen:
 *
 *       0  f32 x (d)          m, as long as a row
 *   panel    0  f32 x 8       |c|^2, +infinity where there is no centroid
 *           32  f32 x 8       the unit of its code: c is about unit * (code - 64)
 *           64  f32 x 8       |c|, rounded up
 *           96  f32 x 8       |c - unit * (code - 64)|, rounded up
 *          128  f32 x 8       what rounding can change of the constant, and of the key through it
 *          160  u8 x 4 x 8    elements 0-3 of the eight, elements 4-7, ...: 1 to 127
 *
 * A key is |c|^2 - 2 (x - m).c but for rounding. With y for what the point's code stands for, its product with c is that of the codes up
 * to |x - m - y| |c| + |y| |c - its code|.
 */
import { sumF32 } from "../lanes";
import { keep } from "./panel";

/** Points that are filtered together: their bounds of all keys stay in the second cache. */
export const GROUP: i32 = 16;

const CODES: usize = 160;

/** Where no more than this share of the centroids is left, they are compared one by one; otherwise all of them in tiles. */
const SHARE: i32 = 4;

/** float32 rounds by at most this share. */
const ROUNDING: f32 = 5.9604645e-8;

/** What is computed in float32 is that much larger than it came out, at most: for sums of thousands of squares. */
const UP: f32 = 1.001;

/** A coded point: twice its unit (f32), the sum of its codes (i32), the factors of |c| and of the codes' errors (f32). */
const POINT: usize = 16;

/** Codes a point in units of its largest element. What is not finite makes factors that leave no centroid out. */
function encode(row: usize, origin: usize, bytes: usize, point: usize, code: usize): void {
	let most = f32x4.splat(0);
	let squares = f32x4.splat(0);
	for (let o: usize = 0; o < bytes; o += 16) {
		const x = v128.load(row + o);
		most = f32x4.max(most, f32x4.abs(f32x4.sub(x, v128.load(origin + o))));
		squares = f32x4.add(squares, f32x4.mul(x, x));
	}
	const low = max(f32x4.extract_lane(most, 0), f32x4.extract_lane(most, 1));
	const largest = max(low, max(f32x4.extract_lane(most, 2), f32x4.extract_lane(most, 3)));
	const unit = f32x4.splat(largest / 127);
	const inverse = f32x4.splat(largest == 0 ? 0 : <f32>127 / largest);
	let sum = f32x4.splat(0);
	let coded = f32x4.splat(0);
	let left = f32x4.splat(0);
	for (let o: usize = 0; o < bytes; o += 16) {
		const t = f32x4.sub(v128.load(row + o), v128.load(origin + o));
		const q = f32x4.nearest(f32x4.mul(t, inverse));
		const y = f32x4.mul(q, unit);
		const rest = f32x4.sub(t, y);
		sum = f32x4.add(sum, q);
		coded = f32x4.add(coded, f32x4.mul(y, y));
		left = f32x4.add(left, f32x4.mul(rest, rest));
		const words = i32x4.trunc_sat_f32x4_s(q);
		const halves = i16x8.narrow_i32x4_s(words, words);
		v128.store32_lane(code + (o >> 2), i8x16.narrow_i16x8_s(halves, halves), 0);
	}
	const length = sqrt(sumF32(coded)) * UP;
	const own = sqrt(sumF32(squares)) * UP;
	const dimensions = <f32>(bytes >> 2);
	store<f32>(point, <f32>2 * (largest / 127));
	const total = i32x4.trunc_sat_f32x4_s(f32x4.splat(sumF32(sum)));
	store<i32>(point, i32x4.extract_lane(total, 0) * 64, 4);
	// Twice the residual, and what the sums of the products and of the bounds themselves can be off.
	const rounding = ROUNDING * (dimensions + 64) * (own + length);
	store<f32>(point, (<f32>2 * sqrt(sumF32(left)) + <f32>4 * rounding) * UP, 8);
	store<f32>(point, <f32>2 * length * UP, 12);
}

/** The bounds of four keys: stores the lower ones, keeps the least upper ones. */
@inline
function bound(dot: v128, panel: usize, half: usize, point: usize, upper: usize, lower: usize): void {
	const at = panel + half;
	const product = f32x4.convert_i32x4_s(i32x4.sub(dot, v128.load32_splat(point, 4)));
	const key = f32x4.sub(
		v128.load(at),
		f32x4.mul(f32x4.mul(product, v128.load(at, 32)), v128.load32_splat(point)),
	);
	const ofPoint = f32x4.mul(v128.load(at, 64), v128.load32_splat(point, 8));
	const ofCentroid = f32x4.mul(v128.load(at, 96), v128.load32_splat(point, 12));
	const error = f32x4.add(f32x4.add(ofPoint, ofCentroid), v128.load(at, 128));
	v128.store(upper, f32x4.min(v128.load(upper), f32x4.add(key, error)));
	v128.store(lower, f32x4.sub(key, error));
}

@inline
function step(sum: v128, point: v128, codes: v128): v128 {
	return i32x4.relaxed_dot_i8x16_i7x16_add_s(point, codes, sum);
}

/** Four coded points and a panel of codes. Not inlined, as tile() is not. */
function boundTile(
	panel: usize,
	count: usize,
	codes: usize,
	points: usize,
	uppers: usize,
	lowers: usize,
	lowerStride: usize,
): void {
	let a0 = i32x4.splat(0);
	let a1 = a0;
	let b0 = a0;
	let b1 = a0;
	let c0 = a0;
	let c1 = a0;
	let d0 = a0;
	let d1 = a0;
	const b = codes + count;
	const c = b + count;
	const d = c + count;
	let at = panel + CODES;
	for (let o: usize = 0; o < count; o += 4) {
		const low = v128.load(at);
		const high = v128.load(at, 16);
		let x = v128.load32_splat(codes + o);
		a0 = step(a0, x, low);
		a1 = step(a1, x, high);
		x = v128.load32_splat(b + o);
		b0 = step(b0, x, low);
		b1 = step(b1, x, high);
		x = v128.load32_splat(c + o);
		c0 = step(c0, x, low);
		c1 = step(c1, x, high);
		x = v128.load32_splat(d + o);
		d0 = step(d0, x, low);
		d1 = step(d1, x, high);
		at += 32;
	}
	bound(a0, panel, 0, points, uppers, lowers);
	bound(a1, panel, 16, points, uppers, lowers + 16);
	bound(b0, panel, 0, points + 16, uppers + 16, lowers + lowerStride);
	bound(b1, panel, 16, points + 16, uppers + 16, lowers + lowerStride + 16);
	bound(c0, panel, 0, points + 32, uppers + 32, lowers + 2 * lowerStride);
	bound(c1, panel, 16, points + 32, uppers + 32, lowers + 2 * lowerStride + 16);
	bound(d0, panel, 0, points + 48, uppers + 48, lowers + 3 * lowerStride);
	bound(d1, panel, 16, points + 48, uppers + 48, lowers + 3 * lowerStride + 16);
}

/** Lists the vectors of four centroids of which one may be nearest: those where a lower bound is not above the least upper one. */
function list(upper: usize, lowers: usize, vectors: i32, out: usize): i32 {
	const bounds = v128.load(upper);
	const low = f32x4.min(bounds, v128.shuffle<i64>(bounds, bounds, 1, 1));
	const least = f32x4.splat(min(f32x4.extract_lane(low, 0), f32x4.extract_lane(low, 1)));
	let n = 0;
	for (let number = 0; number < vectors; number++) {
		// What is no number is not left out.
		const excluded = f32x4.gt(v128.load(lowers + (<usize>number << 4)), least);
		store<i32>(out + (<usize>n << 2), number);
		n += i32(!i32x4.all_true(excluded));
	}
	return n;
}

/** Keys of one point with four vectors of centroids, as tile() computes them. */
function compare(
	row: usize,
	bytes: usize,
	panels: usize,
	panelBytes: usize,
	numbers: usize,
	last: i32,
	best: usize,
): void {
	const i = load<i32>(numbers);
	const j = load<i32>(numbers + (<usize>min(1, last) << 2));
	const k = load<i32>(numbers + (<usize>min(2, last) << 2));
	const l = load<i32>(numbers + (<usize>min(3, last) << 2));
	const p = panels + <usize>(i >> 1) * panelBytes + (<usize>(i & 1) << 4);
	const q = panels + <usize>(j >> 1) * panelBytes + (<usize>(j & 1) << 4);
	const r = panels + <usize>(k >> 1) * panelBytes + (<usize>(k & 1) << 4);
	const s = panels + <usize>(l >> 1) * panelBytes + (<usize>(l & 1) << 4);
	let a = f32x4.splat(0);
	let b = a;
	let c = a;
	let d = a;
	let at: usize = 32;
	for (let o: usize = 0; o < bytes; o += 4) {
		const x = v128.load32_splat(row + o);
		a = f32x4.add(a, f32x4.mul(x, v128.load(p + at)));
		b = f32x4.add(b, f32x4.mul(x, v128.load(q + at)));
		c = f32x4.add(c, f32x4.mul(x, v128.load(r + at)));
		d = f32x4.add(d, f32x4.mul(x, v128.load(s + at)));
		at += 32;
	}
	keep(best, v128.load(p), a, i);
	keep(best, v128.load(q), b, j);
	keep(best, v128.load(r), c, k);
	keep(best, v128.load(s), d, l);
}

/**
 * Compares up to {@link GROUP} points, whose rows are at the addresses in `rows` (u32), with the centroids that may be nearest; `best` is
 * as tile() leaves it. Returns 0 where so many are left that tiles are faster: `best` has then to be set anew, since some points have been compared.
 */
export function filter(
	rows: usize,
	count: i32,
	bytes: usize,
	panels: usize,
	codes: usize,
	vectors: i32,
	scratch: usize,
	best: usize,
): bool {
	const codeBytes = bytes >> 2;
	const points = scratch;
	const uppers = points + <usize>GROUP * POINT;
	const numbers = uppers + <usize>GROUP * 16;
	const lowers = (numbers + (<usize>vectors << 2) + 15) & ~15;
	const lowerStride = <usize>vectors << 4;
	const coded = lowers + <usize>GROUP * lowerStride;
	for (let i: i32 = 0; i < GROUP; i++) {
		// Behind the last point it is done again, in places that nobody reads.
		const row = <usize>load<u32>(rows + (<usize>min(i, count - 1) << 2));
		encode(row, codes, bytes, points + <usize>i * POINT, coded + <usize>i * codeBytes);
		v128.store(uppers + (<usize>i << 4), f32x4.splat(Infinity));
	}
	let panel = codes + bytes;
	const panelBytes = CODES + (bytes << 1);
	for (let number = 0; number < vectors; number += 2) {
		for (let i: i32 = 0; i < count; i += 4) {
			const at = <usize>i;
			const lower = lowers + at * lowerStride + (<usize>number << 4);
			boundTile(panel, codeBytes, coded + at * codeBytes, points + at * POINT, uppers + (at << 4), lower, lowerStride);
		}
		panel += panelBytes;
	}
	for (let i: i32 = 0; i < count; i++) {
		const n = list(uppers + (<usize>i << 4), lowers + <usize>i * lowerStride, vectors, numbers);
		if (n * SHARE > vectors) return false;
		const row = <usize>load<u32>(rows + (<usize>i << 2));
		for (let j = 0; j < n; j += 4) {
			compare(row, bytes, panels, 32 + (bytes << 3), numbers + (<usize>j << 2), n - 1 - j, best + (<usize>i << 5));
		}
	}
	return true;
}
