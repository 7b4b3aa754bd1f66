/**
 * The scan of a cell's codes in two steps. First the top bits of all 32 rows of a block at once: each group of four dimensions is a look-up
 * in 16 bytes (`swizzle`), added up in 16-bit lanes; that gives every row an estimate and a bound. Then, where codes have more bits and for
 * those rows alone that the bound does not exclude, the dot product with the whole code, which gives a closer estimate and a closer bound.
 *
 * Counting the bits that a row's code shares with bit planes of the query, row by row, was tried beside the look-ups: a full block took more
 * than twice as long, and each bit of the query costs a pass, where here about 8 of them come for nothing. It would win in blocks with few
 * rows, of which a cell has one.
 */
import { BLOCK_ROWS, FINE_FACTORS, ownAt, restAt, SCALE, SPREAD } from "./payload";
import {
	BASE,
	BITS,
	FINE,
	FINE_LEFT,
	FINE_STEP,
	FINE_TOTAL,
	LEFT,
	OWN,
	PER_SCALE,
	PER_SPREAD,
	REFINED,
	ROUNDING,
	SLACK,
	STEP,
	SUMS,
	TABLES,
	TOTAL,
} from "./query";

/** "No row" among the places of a block. */
const NO_PLACE: u32 = 0xffffffff;

/** Groups whose bytes a 16-bit lane can sum: 256 x 255. */
const LANE_GROUPS: usize = 256;

@inline
function lookUp(table: v128, nibbles: v128): v128 {
	if (ASC_FEATURE_RELAXED_SIMD) return i8x16.relaxed_swizzle(table, nibbles);
	return i8x16.swizzle(table, nibbles);
}

@inline
function addTo(at: usize, sums: v128): void {
	v128.store(at, i32x4.add(v128.load(at), sums));
}

/** Adds 16 sums that stand in even and odd bytes: `all` has both (odd ones 256-fold), `odds` the odd ones. */
@inline
function addRows(at: usize, all: v128, odds: v128): void {
	const evens = i16x8.sub(all, i16x8.shl(odds, 8));
	const first = v128.shuffle<i16>(evens, odds, 0, 8, 1, 9, 2, 10, 3, 11);
	const second = v128.shuffle<i16>(evens, odds, 4, 12, 5, 13, 6, 14, 7, 15);
	addTo(at, i32x4.extend_low_i16x8_u(first));
	addTo(at + 16, i32x4.extend_high_i16x8_u(first));
	addTo(at + 32, i32x4.extend_low_i16x8_u(second));
	addTo(at + 48, i32x4.extend_high_i16x8_u(second));
}

/** The sums of the sizes whose signs agree, for all rows of a block, as int32 at `sums`. */
@inline
function sumBlock(payload: usize, tables: usize, dimensions: usize, sums: usize): void {
	const mask = i8x16.splat(15);
	memory.fill(sums, 0, 128);
	const end = payload + (dimensions << 2);
	while (payload < end) {
		const stop = min(end, payload + (LANE_GROUPS << 4));
		let low = i16x8.splat(0);
		let lowOdds = low;
		let high = low;
		let highOdds = low;
		for (; payload < stop; payload += 16) {
			const codes = v128.load(payload);
			const table = v128.load(tables);
			const a = lookUp(table, v128.and(codes, mask));
			const b = lookUp(table, v128.and(i16x8.shr_u(codes, 4), mask));
			low = i16x8.add(low, a);
			lowOdds = i16x8.add(lowOdds, i16x8.shr_u(a, 8));
			high = i16x8.add(high, b);
			highOdds = i16x8.add(highOdds, i16x8.shr_u(b, 8));
			tables += 16;
		}
		addRows(sums, low, lowOdds);
		addRows(sums + 64, high, highOdds);
	}
}

/** 16 codes of a vector times the query's int16, four to a lane. */
@inline
function multiply(sum: v128, codes: v128, query: usize): v128 {
	const low = i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_u(codes), v128.load(query));
	const high = i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_u(codes), v128.load(query, 16));
	return i32x4.add(sum, i32x4.add(low, high));
}

/** The top bits of 64 dimensions of a row, four to a lane. */
@inline
function topBits(at: usize, shift: i32): v128 {
	let v = v128.load8_splat(at);
	v = v128.load8_lane(at, v, 1, 16);
	v = v128.load8_lane(at, v, 2, 32);
	v = v128.load8_lane(at, v, 3, 48);
	v = v128.load8_lane(at, v, 4, 64);
	v = v128.load8_lane(at, v, 5, 80);
	v = v128.load8_lane(at, v, 6, 96);
	v = v128.load8_lane(at, v, 7, 112);
	v = v128.load8_lane(at, v, 8, 128);
	v = v128.load8_lane(at, v, 9, 144);
	v = v128.load8_lane(at, v, 10, 160);
	v = v128.load8_lane(at, v, 11, 176);
	v = v128.load8_lane(at, v, 12, 192);
	v = v128.load8_lane(at, v, 13, 208);
	v = v128.load8_lane(at, v, 14, 224);
	v = v128.load8_lane(at, v, 15, 240);
	return v128.and(i16x8.shr_u(v, shift), i8x16.splat(15));
}

/** <2 g, u> for the whole code of a row and the query's int16 u. Whole numbers: exact. */
@inline
function fineProduct(struct: usize, payload: usize, row: usize, dimensions: usize, width: i32): f64 {
	let query = <usize>load<u32>(struct, FINE);
	let top = payload + (row & 15);
	const shift = row < 16 ? 0 : 4;
	let rest = restAt(payload, dimensions, <usize>width, row);
	const one = i8x16.splat(1);
	const three = i8x16.splat(3);
	const fifteen = i8x16.splat(15);
	const last = i8x16.splat((<i8>1) << <i8>(width & 6));
	const bits0 = i8x16(1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2);
	const bits1 = i8x16(4, 4, 4, 4, 4, 4, 4, 4, 8, 8, 8, 8, 8, 8, 8, 8);
	const bits2 = i8x16(16, 16, 16, 16, 16, 16, 16, 16, 32, 32, 32, 32, 32, 32, 32, 32);
	const bits3 = i8x16(64, 64, 64, 64, 64, 64, 64, 64, -128, -128, -128, -128, -128, -128, -128, -128);
	let sum = i32x4.splat(0);
	for (const end = top + (dimensions << 2); top < end; top += 256) {
		const nibbles = topBits(top, shift);
		let a = i16x8.shl(v128.and(nibbles, one), width);
		let b = i16x8.shl(v128.and(i16x8.shr_u(nibbles, 1), one), width);
		let c = i16x8.shl(v128.and(i16x8.shr_u(nibbles, 2), one), width);
		let d = i16x8.shl(v128.and(i16x8.shr_u(nibbles, 3), one), width);
		if (width & 4) {
			const v = v128.load(rest);
			const w = v128.load(rest, 16);
			a = v128.or(a, v128.and(v, fifteen));
			b = v128.or(b, v128.and(i16x8.shr_u(v, 4), fifteen));
			c = v128.or(c, v128.and(w, fifteen));
			d = v128.or(d, v128.and(i16x8.shr_u(w, 4), fifteen));
			rest += 32;
		}
		if (width & 2) {
			const v = v128.load(rest);
			const place = width & 4;
			a = v128.or(a, i16x8.shl(v128.and(v, three), place));
			b = v128.or(b, i16x8.shl(v128.and(i16x8.shr_u(v, 2), three), place));
			c = v128.or(c, i16x8.shl(v128.and(i16x8.shr_u(v, 4), three), place));
			d = v128.or(d, i16x8.shl(v128.and(i16x8.shr_u(v, 6), three), place));
			rest += 16;
		}
		if (width & 1) {
			const v = v128.load64_splat(rest);
			a = v128.or(a, v128.and(last, i8x16.eq(v128.and(v, bits0), bits0)));
			b = v128.or(b, v128.and(last, i8x16.eq(v128.and(v, bits1), bits1)));
			c = v128.or(c, v128.and(last, i8x16.eq(v128.and(v, bits2), bits2)));
			d = v128.or(d, v128.and(last, i8x16.eq(v128.and(v, bits3), bits3)));
			rest += 8;
		}
		sum = multiply(sum, a, query);
		sum = multiply(sum, b, query + 32);
		sum = multiply(sum, c, query + 64);
		sum = multiply(sum, d, query + 96);
		query += 128;
	}
	const low: i64 = <i64>i32x4.extract_lane(sum, 0) + <i64>i32x4.extract_lane(sum, 1);
	const product: i64 = low + <i64>i32x4.extract_lane(sum, 2) + <i64>i32x4.extract_lane(sum, 3);
	return 2 * <f64>product - <f64>((2 << width) - 1) * <f64>load<i32>(struct, FINE_TOTAL);
}

/** Appends a row of a block by its whole code, unless that excludes it. Returns the end of the candidates. */
function refine(
	struct: usize,
	payload: usize,
	row: usize,
	dimensions: usize,
	threshold: f32,
	place: u32,
	out: usize,
): usize {
	store<u32>(struct, load<u32>(struct, REFINED) + 1, REFINED);
	const at = ownAt(payload, dimensions) + (row << 2);
	const product = <f32>fineProduct(struct, payload, row, dimensions, load<i32>(struct, BITS) - 1);
	const own = load<f32>(struct, OWN) * load<f32>(at + FINE_FACTORS);
	const near = load<f32>(at + FINE_FACTORS, SCALE) * (load<f32>(struct, FINE_STEP) * product);
	const key = load<f32>(struct, BASE) + own - near;
	// A code of more bits lies no farther from its row: the scale of the signs is an upper bound for what rounding does.
	const perScale = load<f32>(struct, FINE_LEFT) + load<f32>(struct, PER_SCALE);
	const width = load<f32>(at + FINE_FACTORS, SPREAD) * load<f32>(struct, PER_SPREAD) + load<f32>(at, SCALE) * perScale;
	const lower = key - (width + (ROUNDING * abs<f32>(own) + load<f32>(struct, SLACK)));
	if (!(lower <= threshold)) return out;
	return append(out, lower, key, place);
}

@inline
function append(out: usize, lower: f32, key: f32, place: u32): usize {
	store<f32>(out, lower);
	store<f32>(out, key, 4);
	store<u32>(out, place, 8);
	return out + 12;
}

/**
 * Scans one block for a chain walker: appends {f32 lower bound, f32 estimate, u32 place} for each of its rows whose lower bound is at most
 * `threshold`, with room for 32 of them at `out`. Returns the end of the candidates.
 */
@inline
export function scanBlock(struct: usize, payload: usize, places: usize, threshold: f32, out: usize): usize {
	const dimensions = <usize>load<u32>(struct);
	const isFine = load<u32>(struct, BITS) > 1;
	const sums = struct + SUMS;
	sumBlock(payload, load<u32>(struct, TABLES), dimensions, sums);
	const base = v128.load32_splat(struct + BASE);
	const perOwn = v128.load32_splat(struct + OWN);
	const step = v128.load32_splat(struct + STEP);
	const total = v128.load32_splat(struct + TOTAL);
	const perSpread = v128.load32_splat(struct + PER_SPREAD);
	const perScale = f32x4.splat(load<f32>(struct, LEFT) + load<f32>(struct, PER_SCALE));
	const slack = v128.load32_splat(struct + SLACK);
	const most = f32x4.splat(threshold);
	const rounding = f32x4.splat(ROUNDING);
	for (let row: usize = 0; row < <usize>BLOCK_ROWS; row += 4) {
		const at = ownAt(payload, dimensions) + (row << 2);
		const product = f32x4.convert_i32x4_s(i32x4.sub(i32x4.shl(v128.load(sums + (row << 2)), 1), total));
		const own = f32x4.mul(perOwn, v128.load(at));
		const scale = v128.load(at, SCALE);
		const keys = f32x4.sub(f32x4.add(base, own), f32x4.mul(scale, f32x4.mul(step, product)));
		const width = f32x4.add(f32x4.mul(v128.load(at, SPREAD), perSpread), f32x4.mul(scale, perScale));
		const rounded = f32x4.add(f32x4.mul(rounding, f32x4.abs(own)), slack);
		const lowers = f32x4.sub(keys, f32x4.add(width, rounded));
		let left = i32x4.bitmask(f32x4.le(lowers, most));
		if (left == 0) continue;
		v128.store(sums + (row << 2), lowers);
		v128.store(sums + (row << 2), keys, 128);
		while (left != 0) {
			const each = row + ctz<i32>(left);
			left &= left - 1;
			const place = load<u32>(places + (each << 2));
			if (place == NO_PLACE) continue;
			if (isFine) out = refine(struct, payload, each, dimensions, threshold, place, out);
			else out = append(out, load<f32>(sums + (each << 2)), load<f32>(sums + (each << 2), 128), place);
		}
	}
	return out;
}

/**
 * Scans `n` rows in blocks that follow each other: `stride` bytes from payload to payload, places (u32) of all rows in a row, 32 a block.
 * Appends the candidates of {@link scanBlock} at `out`; returns how many.
 */
export function rabitqScan(
	struct: usize,
	payload: usize,
	stride: usize,
	places: usize,
	n: i32,
	threshold: f32,
	out: usize,
): i32 {
	let end = out;
	for (let row = 0; row < n; row += BLOCK_ROWS) {
		end = scanBlock(struct, payload, places, threshold, end);
		payload += stride;
		places += 128;
	}
	return <i32>((end - out) / 12);
}
