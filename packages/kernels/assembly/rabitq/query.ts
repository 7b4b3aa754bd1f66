/**
 * A query as the scan of codes needs it: for each group of four dimensions the sums that its 16 patterns of signs give, in bytes. The tables
 * are made once for all cells; what a cell decides is little.
 *
 * With r = P(v - c) and q' = q - t c the key of a row is a base that query and cell decide, and minus m <Pq', r>: l2 has t = 1, m = 2 and
 * base |q'|^2, to which the row adds |r|^2; cosine, whose rows have length 1, the half of it, and half of 1 more for a zero query, which is 1 from
 * every row of length 1; ip has m = 1, base -<q, c>, and t such that q' is
 * shortest, since <q, v - c> = <q', v - c> + t <c, v - c> for any t and this one leaves the least to estimate.
 *
 * The estimate of <Pq', r> is scale <s, Pq'> = scale <s, Pq> - t scale <s, Pc>. The last term is the row's own, known when it is coded, and
 * the first needs nothing of the cell. The error is that of an estimate with q' alone: within epsilon x spread x |q'| but for a share of pairs
 * of row and query, about that of a normal distribution beyond epsilon.
 *
 * Sign patterns are summed exactly as whole numbers: a component of Pq is rounded to a multiple of a step so small that the sizes of a group
 * still fit a byte together (about 8 bits for a dimension of usual size), and an entry is the sum of the sizes whose sign the pattern has.
 * So <s, Pq> = step (2 sum - total) + <s, e> with e what rounding left out, whose length widens the bound as if it were an error of its own.
 *
 * | byte | what                                                                                            |
 * |------|-------------------------------------------------------------------------------------------------|
 * | 0    | u32 D, the rotated dimension                                                                     |
 * | 4    | u32 bits: as many as the codes have, or 1 to use the top bits alone                              |
 * | 8    | u32 metric: l2, ip or cosine                                                                    |
 * | 12   | u32 address of the query as a row                                                               |
 * | 16   | u32 bytes of a row                                                                              |
 * | 20   | u32 address of the rotated query, D floats                                                      |
 * | 24   | u32 address of room for the tables, 4 D bytes                                                   |
 * | 28   | u32 address of room for the rotated query as int16, 2 D bytes; not used where bits is 1         |
 * | 32   | f32 epsilon of the bound                                                                        |
 * | 36   | f32 m step                                                                                      |
 * | 40   | i32 sum of all rounded sizes                                                                    |
 * | 44   | f32 width of the bound for each unit of scale: what rounding the query left out                 |
 * | 48   | f32 m x the step of the int16 form                                                              |
 * | 52   | i32 sum of the int16 form                                                                       |
 * | 56   | f32 width for each unit of scale, by the int16 form                                             |
 * | 60   | f32 length of the query                                                                         |
 * | 64   | f32 base of the key                                                                             |
 * | 68   | f32 factor of a row's own part                                                                  |
 * | 72   | f32 width of the bound for each unit of spread                                                  |
 * | 76   | f32 width for each unit of scale: what float32 rounds away                                       |
 * | 80   | f32 width for every row: what float32 rounds away                                               |
 * | 84   | u32 rows whose other bits have been looked at since this was last set to zero                   |
 * | 96   | 256 bytes for the sums, then the bounds, and the estimates of a block                            |
 *
 * The caller writes the first 36 bytes, `rabitqPrepare` up to 64, `rabitqProbe` up to 84. Offsets: RABITQ_QUERY in ../../src/layout.ts.
 */
import { sumF32, sumI32, sumsF32 } from "../lanes";
import { COSINE, IP } from "../metric";

export const BITS: usize = 4;
const METRIC: usize = 8;
const ROW: usize = 12;
const ROW_BYTES: usize = 16;
const ROTATED: usize = 20;
export const TABLES: usize = 24;
export const FINE: usize = 28;
const EPSILON: usize = 32;
export const STEP: usize = 36;
export const TOTAL: usize = 40;
export const LEFT: usize = 44;
export const FINE_STEP: usize = 48;
export const FINE_TOTAL: usize = 52;
export const FINE_LEFT: usize = 56;
const LENGTH: usize = 60;
export const BASE: usize = 64;
export const OWN: usize = 68;
export const PER_SPREAD: usize = 72;
export const PER_SCALE: usize = 76;
export const SLACK: usize = 80;
export const REFINED: usize = 84;
export const SUMS: usize = 96;

/** What rotation and float32 keys round away, relative to the lengths involved: about 2^-21 as a rule. */
export const ROUNDING: f32 = 1 / 524288.0;

/** Four sizes are rounded by at most a half each: 253 steps and two more fit a byte. */
const GROUP_STEPS: f32 = 253;

/** Steps smaller than this have no reciprocal in float32; the query then counts as rounded to zero. */
const LEAST_STEP: f32 = 1e-37;

/** Nothing is projected on a centroid whose squared length is smaller: float32 no longer has it to a few digits. */
const LEAST_CENTRE: f32 = 1e-30;

/** The dot product of two rows, in the order of the exact kernels. */
@inline
function dot(a: usize, b: usize, bytes: usize): f32 {
	let low = f32x4.splat(0);
	let high = low;
	let o: usize = 0;
	for (const end = bytes & ~31; o < end; o += 32) {
		low = f32x4.add(low, f32x4.mul(v128.load(a + o), v128.load(b + o)));
		high = f32x4.add(high, f32x4.mul(v128.load(a + o, 16), v128.load(b + o, 16)));
	}
	if (o < bytes) low = f32x4.add(low, f32x4.mul(v128.load(a + o), v128.load(b + o)));
	return sumF32(f32x4.add(low, high));
}

/** The squared length of q - t c. */
@inline
function squaredAway(query: usize, centroid: usize, t: f32, bytes: usize): f32 {
	const factor = f32x4.splat(t);
	let low = f32x4.splat(0);
	let high = low;
	let o: usize = 0;
	for (const end = bytes & ~31; o < end; o += 32) {
		const a = f32x4.sub(v128.load(query + o), f32x4.mul(factor, v128.load(centroid + o)));
		const b = f32x4.sub(v128.load(query + o, 16), f32x4.mul(factor, v128.load(centroid + o, 16)));
		low = f32x4.add(low, f32x4.mul(a, a));
		high = f32x4.add(high, f32x4.mul(b, b));
	}
	if (o < bytes) {
		const a = f32x4.sub(v128.load(query + o), f32x4.mul(factor, v128.load(centroid + o)));
		low = f32x4.add(low, f32x4.mul(a, a));
	}
	return sumF32(f32x4.add(low, high));
}

/** The largest sum of the sizes of a group. */
@inline
function largestGroup(query: usize, bytes: usize): f32 {
	let most = f32x4.splat(0);
	for (let o: usize = 0; o < bytes; o += 64) {
		const a = f32x4.abs(v128.load(query + o));
		const b = f32x4.abs(v128.load(query + o, 16));
		const c = f32x4.abs(v128.load(query + o, 32));
		const d = f32x4.abs(v128.load(query + o, 48));
		most = f32x4.max(most, sumsF32(a, b, c, d));
	}
	return largest(most);
}

@inline
function largest(v: v128): f32 {
	const low = max<f32>(f32x4.extract_lane(v, 0), f32x4.extract_lane(v, 1));
	return max<f32>(low, max<f32>(f32x4.extract_lane(v, 2), f32x4.extract_lane(v, 3)));
}

/** Writes the tables, and the sum of all sizes into the struct; returns the squared length of what rounding left out. */
@inline
function writeTables(struct: usize, query: usize, bytes: usize, tables: usize, step: f32): f32 {
	const inverse = f32x4.splat(step == 0 ? 0 : <f32>1 / step);
	const steps = f32x4.splat(step);
	const half = f32x4.splat(0.5);
	const bit0 = i8x16(0, -1, 0, -1, 0, -1, 0, -1, 0, -1, 0, -1, 0, -1, 0, -1);
	const bit1 = i16x8(0, -1, 0, -1, 0, -1, 0, -1);
	const bit2 = i32x4(0, -1, 0, -1);
	const bit3 = i64x2(0, -1);
	let total = i32x4.splat(0);
	let left = f32x4.splat(0);
	for (let o: usize = 0; o < bytes; o += 16) {
		const x = v128.load(query + o);
		const size = f32x4.abs(x);
		const u = i32x4.trunc_sat_f32x4_s(f32x4.add(f32x4.mul(size, inverse), half));
		const e = f32x4.sub(size, f32x4.mul(f32x4.convert_i32x4_s(u), steps));
		left = f32x4.add(left, f32x4.mul(e, e));
		total = i32x4.add(total, u);
		// A pattern has a size where its bit is set, or where it is not if the query is negative there.
		const sign = i32x4.shr_s(x, 31);
		const size0 = i8x16.shuffle(u, u, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
		const size1 = i8x16.shuffle(u, u, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4);
		const size2 = i8x16.shuffle(u, u, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8);
		const size3 = i8x16.shuffle(u, u, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12);
		let table = entry(size0, v128.shuffle<i32>(sign, sign, 0, 0, 0, 0), bit0);
		table = i8x16.add(table, entry(size1, v128.shuffle<i32>(sign, sign, 1, 1, 1, 1), bit1));
		table = i8x16.add(table, entry(size2, v128.shuffle<i32>(sign, sign, 2, 2, 2, 2), bit2));
		table = i8x16.add(table, entry(size3, v128.shuffle<i32>(sign, sign, 3, 3, 3, 3), bit3));
		v128.store(tables + o, table);
	}
	store<i32>(struct, sumI32(total), TOTAL);
	return sumF32(left);
}

@inline
function entry(size: v128, sign: v128, pattern: v128): v128 {
	return v128.and(size, v128.xor(sign, pattern));
}

/** The largest int16 whose products with codes of 8 bits a 32-bit lane can sum. */
@inline
function fineSteps(dimensions: u32): f32 {
	return <f32>min<u32>(32767, 0x7fffffff / (dimensions << 6));
}

/** Writes the query as int16 in the order of the vectors of the other bits; returns the squared length of what rounding left out. */
@inline
function writeFine(struct: usize, query: usize, bytes: usize, fine: usize, step: f32): f32 {
	const inverse = f32x4.splat(step == 0 ? 0 : <f32>1 / step);
	const steps = f32x4.splat(step);
	const half = f32x4.splat(0.5);
	let total = i32x4.splat(0);
	let left = f32x4.splat(0);
	for (let chunk: usize = 0; chunk < bytes; chunk += 256) {
		let to = fine + (chunk >> 1);
		for (let o = chunk; o < chunk + 256; o += 16) {
			const x = v128.load(query + o);
			const y = f32x4.floor(f32x4.add(f32x4.mul(x, inverse), half));
			const e = f32x4.sub(x, f32x4.mul(y, steps));
			left = f32x4.add(left, f32x4.mul(e, e));
			const u = i32x4.trunc_sat_f32x4_s(y);
			total = i32x4.add(total, u);
			v128.store16_lane(to, u, 0);
			v128.store16_lane(to, u, 2, 32);
			v128.store16_lane(to, u, 4, 64);
			v128.store16_lane(to, u, 6, 96);
			to += 2;
		}
	}
	store<i32>(struct, sumI32(total), FINE_TOTAL);
	return sumF32(left);
}

@inline
function largestSize(query: usize, bytes: usize): f32 {
	let most = f32x4.splat(0);
	for (let o: usize = 0; o < bytes; o += 16) most = f32x4.max(most, f32x4.abs(v128.load(query + o)));
	return largest(most);
}

@inline
function stepOf(most: f32, steps: f32): f32 {
	const step = most / steps;
	return step < LEAST_STEP ? 0 : step;
}

/** 2 for l2, whose key has the product twice. */
@inline
function productFactor(metric: i32): f32 {
	return metric == IP || metric == COSINE ? 1 : 2;
}

/** Prepares a query for all cells: reads the first 36 bytes of the struct, writes up to 64 and what they point to. */
export function rabitqPrepare(struct: usize): void {
	const dimensions = load<u32>(struct);
	const bytes = <usize>dimensions << 2;
	const rotated = load<u32>(struct, ROTATED);
	const row = load<u32>(struct, ROW);
	store<f32>(struct, sqrt<f32>(dot(row, row, load<u32>(struct, ROW_BYTES))), LENGTH);
	const m = productFactor(load<i32>(struct, METRIC));
	// The length of what was rounded counts as that of a query of its own whose product with s is all error: |s| / sqrt(D - 1) of it.
	const width = m * load<f32>(struct, EPSILON) * sqrt<f32>(<f32>dimensions / <f32>(dimensions - 1));
	const step = stepOf(largestGroup(rotated, bytes), GROUP_STEPS);
	const left = writeTables(struct, rotated, bytes, load<u32>(struct, TABLES), step);
	store<f32>(struct, m * step, STEP);
	store<f32>(struct, width * sqrt<f32>(left), LEFT);
	if (load<u32>(struct, BITS) == 1) return;
	const fineStep = stepOf(largestSize(rotated, bytes), fineSteps(dimensions));
	const fineLeft = writeFine(struct, rotated, bytes, load<u32>(struct, FINE), fineStep);
	store<f32>(struct, m * fineStep, FINE_STEP);
	store<f32>(struct, width * sqrt<f32>(fineLeft), FINE_LEFT);
}

/** Goes to the cell whose centroid is this row: what `scanBlock` needs beside what `rabitqPrepare` has written. */
@inline
export function probeCell(struct: usize, centroid: usize): void {
	const query = load<u32>(struct, ROW);
	const bytes = load<u32>(struct, ROW_BYTES);
	const metric = load<i32>(struct, METRIC);
	const length = load<f32>(struct, LENGTH);
	const m = productFactor(metric);
	let t: f32 = 1;
	let base: f32 = 0;
	if (metric == IP) {
		const product = dot(query, centroid, bytes);
		const centre = dot(centroid, centroid, bytes);
		t = centre > LEAST_CENTRE ? product / centre : 0;
		base = -product;
	}
	const squared = squaredAway(query, centroid, t, bytes);
	const away = sqrt<f32>(squared);
	if (metric != IP) base = metric == COSINE ? squared * 0.5 + (length == 0 ? <f32>0.5 : <f32>0) : squared;
	store<f32>(struct, base, BASE);
	store<f32>(struct, metric == IP ? t : metric == COSINE ? 0.5 : 1, OWN);
	store<f32>(struct, m * load<f32>(struct, EPSILON) * away, PER_SPREAD);
	// Products of the signs, of length sqrt(D), with the rotated query and centroid; t c is no longer than |q| + |q'|.
	const reach = (length + length + away) * sqrt<f32>(<f32>load<u32>(struct));
	store<f32>(struct, m * ROUNDING * reach, PER_SCALE);
	store<f32>(struct, ROUNDING * abs<f32>(base), SLACK);
}

/** {@link probeCell} for callers outside. */
export function rabitqProbe(struct: usize, centroid: usize): void {
	probeCell(struct, centroid);
}
