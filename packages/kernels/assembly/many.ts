/**
 * The k nearest of many queries among rows that follow each other, by exact keys. 7-bit codes that are made on the way, once for all the
 * queries, exclude most pairs; what they cannot exclude is compared, so that the answer is that of comparing everything.
 *
 * Rows and queries are coded alike, in panels of eight:
 *
 *   0  i32 x 8      the sum of the squares of the codes
 *  32  f32 x 8      the length of what the code leaves out, in steps of the code, rounded up
 *  64  f32 x 8      `squares` times the squared length
 *  96  u8 x 4 x 8   elements 0-3 of the eight, elements 4-7, ...: 0 to 127
 *
 * By the triangle inequality a row is no nearer to a query than their codes are to each other, less what the two codes leave out. With
 * that, l2 keys are bounded as they are, and those of dot products through -2 q.v = |q - v|^2 - |q|^2 - |v|^2. A pair is excluded where
 * its codes are farther apart than
 *
 *     sqrt(limit of the query + squared length of the row) + what is left out of the query + what is left out of the row
 *
 * in steps of the code. A limit is that of the largest key in a full pool; what the squared lengths and the limits are multiplied with is
 * the caller's, and with it the allowance for rounding. The struct:
 *
 * | byte | what                                                                                     |
 * |------|------------------------------------------------------------------------------------------|
 * | 0    | u32 address of the queries as rows                                                        |
 * | 4    | u32 bytes from one to the next                                                            |
 * | 8    | u32 address of their codes                                                                |
 * | 12   | i32 queries                                                                               |
 * | 16   | u32 address of the codes of the rows                                                      |
 * | 20   | i32 k                                                                                     |
 * | 24   | u32 address of the pools: k pairs {f32 key, u32 label} a query                            |
 * | 28   | u32 address of their sizes (i32)                                                          |
 * | 32   | u32 address of the limits (f32), for eight queries more than there are                    |
 * | 36   | i32 metric                                                                                |
 * | 40   | u32 bytes of a row                                                                        |
 * | 48   | f64 scale: l2 steps of the code in a distance of 1; dot the square of that                |
 * | 56   | f64 offset: what is added to l2 a distance, dot twice a key, before it is scaled          |
 * | 64   | f64 keys from here on exclude nothing                                                     |
 */
import { distance } from "./distance";
import { sumF32, sumI32 } from "./lanes";
import { L2 } from "./metric";
import { place } from "./topk";

const CODES: usize = 96;

/** 1.5 x 2^23: a float added to it is rounded to a whole number, which then stands in the low bits. */
const WHOLE: f32 = 12582912;

/** What is computed in float32 may be that much larger, relatively, and for each root of a dimension in steps of the code. */
const UP: f32 = 1.001;
const PER_ROOT: f32 = 0.0001;

/** A limit is widened by this share: more than the roundings of what is compared with it. */
const WIDER: f64 = 1 / 262144.0;

@inline
function panelBytes(bytes: usize): usize {
	return CODES + (bytes << 1);
}

@inline
function encode(row: usize, origin: usize, bytes: usize, inverse: f32, squares: f32, panel: usize): void {
	const factor = f32x4.splat(inverse);
	const whole = f32x4.splat(WHOLE);
	const most = f32x4.splat(127);
	const none = f32x4.splat(0);
	let norms = i32x4.splat(0);
	let left = none;
	let lengths = none;
	let to = panel + CODES;
	for (let o: usize = 0; o < bytes; o += 16) {
		const x = v128.load(row + o);
		lengths = f32x4.add(lengths, f32x4.mul(x, x));
		const steps = f32x4.mul(f32x4.sub(x, v128.load(origin + o)), factor);
		const held = f32x4.add(f32x4.pmin(most, f32x4.pmax(none, steps)), whole);
		const rest = f32x4.sub(steps, f32x4.sub(held, whole));
		left = f32x4.add(left, f32x4.mul(rest, rest));
		const code = v128.and(held, i32x4.splat(127));
		norms = i32x4.add(norms, i32x4.dot_i16x8_s(code, code));
		const narrow = i16x8.narrow_i32x4_s(code, code);
		v128.store32_lane(to, i8x16.narrow_i16x8_u(narrow, narrow), 0);
		to += 32;
	}
	store<i32>(panel, sumI32(norms));
	store<f32>(panel, sqrt(sumF32(left)) * UP + PER_ROOT * sqrt(<f32>(bytes >> 2)), 32);
	store<f32>(panel, sumF32(lengths) * squares, 64);
}

/**
 * Codes `n` rows into panels: code = (x - origin) * inverse, rounded to the nearest and held to 0..127. Behind the last row it is done
 * again until a panel is full.
 */
export function encodeMany(
	rows: usize,
	stride: usize,
	n: i32,
	bytes: usize,
	origin: usize,
	inverse: f32,
	squares: f32,
	panels: usize,
): void {
	const step = panelBytes(bytes);
	for (let i: i32 = 0; i < ((n + 7) & ~7); i++) {
		const row = rows + <usize>min(i, n - 1) * stride;
		encode(row, origin, bytes, inverse, squares, panels + <usize>(i >> 3) * step + (<usize>(i & 7) << 2));
	}
}

let metric: i32 = 0;
let queries: usize = 0;
let queryStride: usize = 0;
let queryCodes: usize = 0;
let count: i32 = 0;
let k: i32 = 0;
let pools: usize = 0;
let sizes: usize = 0;
let limits: usize = 0;
let rowBytes: usize = 0;
let scale: f64 = 0;
let offset: f64 = 0;
let most: f64 = 0;
/** Of the rows of one call. */
let rows: usize = 0;
let rowStride: usize = 0;
let rowCount: i32 = 0;
let labels: usize = 0;
let compared: i32 = 0;

/** Writes the limit of a query anew. */
function limit(query: i32): void {
	let value: f64 = Infinity;
	if (load<i32>(sizes + (<usize>query << 2)) == k) {
		const bound = <f64>load<f32>(pools + ((<usize>query * <usize>k + <usize>(k - 1)) << 3));
		if (bound < most) {
			if (metric == L2) {
				const reach = (Math.sqrt(bound) + offset) * scale;
				value = reach * reach;
			} else {
				const panel = queryCodes + <usize>(query >> 3) * panelBytes(rowBytes) + (<usize>(query & 7) << 2);
				value = (2 * bound + offset) * scale + <f64>load<f32>(panel, 64);
			}
			value += Math.abs(value) * WIDER;
		}
	}
	store<f32>(limits + (<usize>query << 2), <f32>value);
}

/** Compares a query with those of eight rows that `mask` names. Not inlined, so that the tile keeps its registers. */
function compare(query: i32, first: i32, mask: i32): void {
	if (query >= count) return;
	const row = queries + <usize>query * queryStride;
	const pool = pools + ((<usize>query * <usize>k) << 3);
	const at = sizes + (<usize>query << 2);
	let size = load<i32>(at);
	let changed = false;
	for (let rest = mask; rest != 0; rest &= rest - 1) {
		const i = first + ctz(rest);
		if (i >= rowCount) break;
		compared++;
		const key = distance(metric, rows + <usize>i * rowStride, row, rowBytes);
		if (size == k && key > load<f32>(pool + (<usize>(k - 1) << 3))) continue;
		size = place(pool, size, k, key, load<u32>(labels + (<usize>i << 2)));
		changed = true;
	}
	if (!changed) return;
	store<i32>(at, size);
	limit(query);
}

@inline
function step(sum: v128, query: v128, codes: v128): v128 {
	if (ASC_FEATURE_RELAXED_SIMD) return i32x4.relaxed_dot_i8x16_i7x16_add_s(query, codes, sum);
	const low = i16x8.extmul_low_i8x16_s(query, codes);
	const high = i16x8.extmul_high_i8x16_s(query, codes);
	// Two products fit 16 bits: 2 x 127 x 127.
	const pairs = i16x8.add(
		v128.shuffle<i16>(low, high, 0, 2, 4, 6, 8, 10, 12, 14),
		v128.shuffle<i16>(low, high, 1, 3, 5, 7, 9, 11, 13, 15),
	);
	return i32x4.add(sum, i32x4.extadd_pairwise_i16x8_s(pairs));
}

/** Which of four rows a query's codes exclude: all bits of a lane. `at` is the panel of the rows, `own` that of the query, at its lane. */
@inline
function excluded(products: v128, at: usize, own: usize, limit: usize): v128 {
	const norms = i32x4.add(v128.load(at), v128.load32_splat(own));
	const apart = f32x4.convert_i32x4_s(i32x4.sub(norms, i32x4.shl(products, 1)));
	// What is no number stays one, and excludes nothing.
	const squared = f32x4.pmax(f32x4.add(v128.load(at, 64), v128.load32_splat(limit)), f32x4.splat(0));
	const reach = f32x4.add(f32x4.sqrt(squared), f32x4.add(v128.load(at, 32), v128.load32_splat(own, 32)));
	return f32x4.gt(apart, f32x4.mul(reach, reach));
}

@inline
function judge(low: v128, high: v128, panel: usize, own: usize, query: i32, first: i32): void {
	const at = limits + (<usize>query << 2);
	const ofLow = excluded(low, panel, own, at);
	const ofHigh = excluded(high, panel + 16, own, at);
	if (i32x4.all_true(v128.and(ofLow, ofHigh))) return;
	compare(query, first, (i32x4.bitmask(ofLow) | (i32x4.bitmask(ofHigh) << 4)) ^ 255);
}

/** Four queries, half a panel, and the eight rows of a panel. */
function tile(panel: usize, own: usize, query: i32, first: i32): void {
	let a0 = i32x4.splat(0);
	let a1 = a0;
	let b0 = a0;
	let b1 = a0;
	let c0 = a0;
	let c1 = a0;
	let d0 = a0;
	let d1 = a0;
	let at = panel + CODES;
	let from = own + CODES;
	for (const end = at + (rowBytes << 1); at < end; at += 32) {
		const low = v128.load(at);
		const high = v128.load(at, 16);
		let x = v128.load32_splat(from);
		a0 = step(a0, x, low);
		a1 = step(a1, x, high);
		x = v128.load32_splat(from, 4);
		b0 = step(b0, x, low);
		b1 = step(b1, x, high);
		x = v128.load32_splat(from, 8);
		c0 = step(c0, x, low);
		c1 = step(c1, x, high);
		x = v128.load32_splat(from, 12);
		d0 = step(d0, x, low);
		d1 = step(d1, x, high);
		from += 32;
	}
	judge(a0, a1, panel, own, query, first);
	judge(b0, b1, panel, own + 4, query + 1, first);
	judge(c0, c1, panel, own + 8, query + 2, first);
	judge(d0, d1, panel, own + 12, query + 3, first);
}

/**
 * Adds to the pools what `n` rows, whose codes the struct names, have nearer; row i has the label `labels[i]`. Returns how many pairs
 * had to be compared.
 */
export function nearestMany(many: usize, base: usize, stride: usize, n: i32, labelsAt: usize): i32 {
	queries = load<u32>(many);
	queryStride = load<u32>(many, 4);
	queryCodes = load<u32>(many, 8);
	count = load<i32>(many, 12);
	const rowCodes = <usize>load<u32>(many, 16);
	k = load<i32>(many, 20);
	pools = load<u32>(many, 24);
	sizes = load<u32>(many, 28);
	limits = load<u32>(many, 32);
	metric = load<i32>(many, 36);
	rowBytes = load<u32>(many, 40);
	scale = load<f64>(many, 48);
	offset = load<f64>(many, 56);
	most = load<f64>(many, 64);
	rows = base;
	rowStride = stride;
	rowCount = n;
	labels = labelsAt;
	compared = 0;
	for (let query: i32 = 0; query < count; query++) limit(query);
	const size = panelBytes(rowBytes);
	let panel = rowCodes;
	for (let first: i32 = 0; first < n; first += 8) {
		for (let query: i32 = 0; query < count; query += 4) {
			const own = queryCodes + <usize>(query >> 3) * size + (<usize>(query & 4) << 2);
			tile(panel, own, query, first);
		}
		panel += size;
	}
	return compared;
}
