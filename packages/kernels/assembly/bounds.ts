/**
 * Exact search over codes: a scan of 7-bit codes with a two-plane query that keeps every row which the row's own residual (the
 * length of what its code leaves out) cannot exclude. What it keeps contains the k nearest by the float keys, whatever the data.
 *
 * The high plane alone excludes most rows: what the low plane can add to it is bounded for all rows alike. Only the others are
 * multiplied with the low plane as well.
 *
 * l2 rests on the triangle inequality: | |q - v| - |q - v'| | <= |v - v'|. ip and cosine rest on Cauchy-Schwarz:
 * | q.v - q.v' | <= |q| |v - v'|. Both are widened by what the rounding of the float kernels can add.
 *
 * A code row here is `bytes` codes, the int32 norm and the float32 residual. The query struct:
 *
 * | byte | what                                                                                  |
 * |------|---------------------------------------------------------------------------------------|
 * | 0    | u32 address of the high plane                                                          |
 * | 4    | u32 address of the low plane                                                           |
 * | 8    | u32 form: 0 l2 (works in distances), 1 dot (works in keys)                             |
 * | 12   | u32 k                                                                                  |
 * | 16   | f64 l2: squared length of the coded query in code units; dot: the key of code zero     |
 * | 24   | f64 l2: the code's unit squared; dot: minus unit of code times unit of query, / 128    |
 * | 32   | f64 error that holds for every row (in distances or keys)                              |
 * | 40   | f64 error for each unit of residual                                                    |
 * | 48   | f64 l2: relative rounding error of a distance                                          |
 * | 56   | u32 address of the pool of k upper bounds {f32, u32 label}                             |
 * | 60   | i32 size of the pool                                                                   |
 * | 64   | u32 address of kept rows (u32 each)                                                    |
 * | 68   | u32 address of kept lower bounds (f32 each)                                            |
 * | 72   | i32 rows kept                                                                          |
 * | 80   | 32 zero bytes: the eligibility that admits everything                                  |
 */
import { codeDot, fourDots } from "./codes";
import { eligible, openEligibility } from "./eligibility";
import { sumI32 } from "./lanes";
import { place } from "./topk";

/**
 * The length of what a code leaves out of a row, rounded up: | x - (origin + unit * code) |. Written behind the norm by the caller.
 */
export function residual(row: usize, origin: usize, unit: f64, rowBytes: usize, code: usize): f32 {
	let sum: f64 = 0;
	for (let o: usize = 0; o < rowBytes; o += 4) {
		const e = <f64>load<f32>(row + o) - (<f64>load<f32>(origin + o) + unit * <f64>load<u8>(code + (o >> 2)));
		sum += e * e;
	}
	// One part in 2^22 is more than the roundings of the sum and of the conversion together.
	return <f32>(Math.sqrt(sum) * (1 + 1 / 4194304.0));
}

let form: u32 = 0;
let k: i32 = 0;
let constant: f64 = 0;
let factor: f64 = 0;
let slack: f64 = 0;
let perResidual: f64 = 0;
let rounding: f64 = 0;
let pool: usize = 0;
let size: i32 = 0;
let keptRows: usize = 0;
let keptBounds: usize = 0;
let kept: i32 = 0;
/** The k-th smallest upper bound so far, already widened. */
let most: f64 = Infinity;
/** l2: squared length of the high plane. */
let highSquared: f64 = 0;
/** l2: how far the coded query lies from its high plane. Dot: the most that the low plane adds to 128 times the product with the high one. */
let beyond: f64 = 0;

@inline
function limit(): f64 {
	return size < k ? Infinity : <f64>load<f32>(pool + (<usize>(k - 1) << 3));
}

/** The length of a plane and the sum of its bytes decide what {@link excludes} may say of a row. */
@inline
function openPlanes(high: usize, low: usize, bytes: usize): void {
	let highs = i32x4.splat(0);
	let lows = highs;
	let sums = highs;
	for (let o: usize = 0; o < bytes; o += 8) {
		const h = v128.load_ext<i8>(high + o);
		const l = v128.load_ext<i8>(low + o);
		highs = i32x4.add(highs, i32x4.dot_i16x8_s(h, h));
		lows = i32x4.add(lows, i32x4.dot_i16x8_s(l, l));
		sums = i32x4.add(sums, i32x4.dot_i16x8_s(l, i16x8.splat(1)));
	}
	const length = Math.sqrt(<f64>sumI32(lows));
	highSquared = <f64>sumI32(highs);
	if (form == 0) beyond = (Math.sqrt(factor) * length) / 128;
	// The low plane times a code, whose bytes lie within 64 of 64: 64 times the sum of the plane, give or take its length x 64 sqrt(bytes).
	else beyond = 64 * <f64>sumI32(sums) + length * 64 * Math.sqrt(<f64>bytes);
}

/** Whether a row cannot be among the k nearest whatever the low plane adds; `product` is that with the high plane. */
@inline
function excludes(product: i32, norm: i32, error: f32): bool {
	const width = slack + perResidual * <f64>error;
	if (form == 0) {
		const reach = most * (1 + rounding) + width + beyond;
		return factor * (highSquared + <f64>norm - 2 * <f64>product) > reach * reach;
	}
	return constant + factor * (128 * <f64>product + beyond) - width > most;
}

@inline
function keep(row: u32, lower: f32): void {
	store<u32>(keptRows + (<usize>kept << 2), row);
	store<f32>(keptBounds + (<usize>kept << 2), lower);
	kept++;
}

@inline
function judge(product: f64, norm: i32, error: f32, row: u32, label: u32): void {
	const width = slack + perResidual * <f64>error;
	let lower: f64;
	let upper: f64;
	if (form == 0) {
		const squared = max<f64>(0, factor * (constant + <f64>norm - product / 64));
		const reach = most * (1 + rounding) + width;
		if (squared > reach * reach) return;
		const distance = Math.sqrt(squared);
		lower = max<f64>(0, distance - width) * (1 - rounding);
		upper = (distance + width) * (1 + rounding);
	} else {
		const key = constant + factor * product;
		lower = key - width;
		upper = key + width;
		if (lower > most) return;
	}
	if (!eligible(label)) return;
	keep(row, <f32>lower);
	if (upper < most || size < k) {
		size = place(pool, size, k, <f32>upper, label);
		most = limit();
	}
}

/** Takes a query struct over. */
function openBounds(query: usize, bytes: usize, eligibility: usize): void {
	form = load<u32>(query, 8);
	k = load<i32>(query, 12);
	constant = load<f64>(query, 16);
	factor = load<f64>(query, 24);
	slack = load<f64>(query, 32);
	perResidual = load<f64>(query, 40);
	rounding = load<f64>(query, 48);
	pool = <usize>load<u32>(query, 56);
	size = load<i32>(query, 60);
	keptRows = <usize>load<u32>(query, 64);
	keptBounds = <usize>load<u32>(query, 68);
	kept = load<i32>(query, 72);
	most = limit();
	openEligibility(eligibility != 0 ? eligibility : query + 80);
	openPlanes(<usize>load<u32>(query), <usize>load<u32>(query, 4), bytes);
}

/** Gives it back. */
@inline
function closeBounds(query: usize): void {
	store<i32>(query, size, 60);
	store<i32>(query, kept, 72);
}

/**
 * Judges `n` consecutive code rows; row i is number `first + i` and has the label `labels[i]`. Adds to the struct's pool and kept rows.
 * A kept row is wanted when its lower bound is at most the pool's last upper bound once all rows have been seen.
 */
export function boundScan(
	query: usize,
	base: usize,
	stride: usize,
	bytes: usize,
	first: u32,
	n: i32,
	labels: usize,
	eligibility: usize,
): void {
	openBounds(query, bytes, eligibility);
	const high = <usize>load<u32>(query);
	const low = <usize>load<u32>(query, 4);
	let i = 0;
	let a = base;
	for (; i + 4 <= n; i += 4) {
		const b = a + stride;
		const c = b + stride;
		const d = c + stride;
		const products = fourDots(high, a, b, c, d, bytes);
		const at = labels + (<usize>i << 2);
		row(i32x4.extract_lane(products, 0), low, a, bytes, first + i, at);
		row(i32x4.extract_lane(products, 1), low, b, bytes, first + i + 1, at + 4);
		row(i32x4.extract_lane(products, 2), low, c, bytes, first + i + 2, at + 8);
		row(i32x4.extract_lane(products, 3), low, d, bytes, first + i + 3, at + 12);
		a = d + stride;
	}
	for (; i < n; i++) {
		row(codeDot(high, a, bytes), low, a, bytes, first + i, labels + (<usize>i << 2));
		a += stride;
	}
	closeBounds(query);
}

/** Judges a row by its product with the high plane, and where that does not exclude it by both planes. */
@inline
function row(product: i32, low: usize, code: usize, bytes: usize, number: u32, label: usize): void {
	rowWith(product, low, code, bytes, load<i32>(code + bytes), load<f32>(code + bytes, 4), number, label);
}

@inline
function rowWith(
	product: i32,
	low: usize,
	code: usize,
	bytes: usize,
	norm: i32,
	error: f32,
	number: u32,
	label: usize,
): void {
	if (excludes(product, norm, error)) return;
	judge(128 * <f64>product + <f64>codeDot(low, code, bytes), norm, error, number, load<u32>(label));
}

/**
 * The same for `n` rows named by number (u32 at `rows`), whose norms and residuals lie apart: pairs {i32, f32}, one a row number, at
 * `errors`. A residual of 0 is one that is not known: such a row is kept whatever its code says, and says nothing of others.
 */
export function boundMany(
	query: usize,
	base: usize,
	stride: usize,
	bytes: usize,
	errors: usize,
	rows: usize,
	n: i32,
	labels: usize,
	eligibility: usize,
): void {
	openBounds(query, bytes, eligibility);
	const high = <usize>load<u32>(query);
	const low = <usize>load<u32>(query, 4);
	const end = rows + (<usize>n << 2);
	const fours = rows + (<usize>(n & ~3) << 2);
	// From a row's number to its label.
	const label = labels - rows;
	let at = rows;
	for (; at < fours; at += 16) {
		const a = base + <usize>load<u32>(at) * stride;
		const b = base + <usize>load<u32>(at, 4) * stride;
		const c = base + <usize>load<u32>(at, 8) * stride;
		const d = base + <usize>load<u32>(at, 12) * stride;
		const products = fourDots(high, a, b, c, d, bytes);
		named(i32x4.extract_lane(products, 0), low, a, bytes, errors, at, at + label);
		named(i32x4.extract_lane(products, 1), low, b, bytes, errors, at + 4, at + 4 + label);
		named(i32x4.extract_lane(products, 2), low, c, bytes, errors, at + 8, at + 8 + label);
		named(i32x4.extract_lane(products, 3), low, d, bytes, errors, at + 12, at + 12 + label);
	}
	for (; at < end; at += 4) {
		const code = base + <usize>load<u32>(at) * stride;
		named(codeDot(high, code, bytes), low, code, bytes, errors, at, at + label);
	}
	closeBounds(query);
}

function named(product: i32, low: usize, code: usize, bytes: usize, errors: usize, at: usize, label: usize): void {
	const number = load<u32>(at);
	const pair = errors + (<usize>number << 3);
	// Another thread may be writing it: once the residual is there, so is the norm.
	const error = reinterpret<f32>(atomic.load<u32>(pair, 4));
	if (error != 0) rowWith(product, low, code, bytes, load<i32>(pair), error, number, label);
	else if (eligible(load<u32>(label))) keep(number, -Infinity);
}
