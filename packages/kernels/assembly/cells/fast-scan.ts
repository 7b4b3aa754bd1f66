/**
 * Four-bit codes, looked up in registers (Andre, Kermarrec, Le Scouarnec 2015; Faiss' fast scan): the 16 sums of a sub-quantiser are
 * one vector, which a shuffle reads for 16 rows at a time.
 *
 * What is scanned in a block of 32 rows: f32 term of each row (not under a dot product), then 16 bytes a sub-quantiser. Row i has the
 * nibble i >> 4 (0: the low one) of byte 2 (i & 7) + (i >> 3 & 1): so even and odd bytes, summed apart, are rows in order.
 *
 * Tables are 16 bytes of 0..127 a sub-quantiser: two of them fit a byte, so that sums are widened half as often.
 */
import { eligible, openEligibility } from "../eligibility";
import { place as put } from "../topk";
import * as cells from "./state";

@inline
function lookUp(table: v128, at: v128): v128 {
	// Exact on every machine: what is looked up stays in 0..15.
	return ASC_FEATURE_RELAXED_SIMD ? i8x16.relaxed_swizzle(table, at) : i8x16.swizzle(table, at);
}

/** Terms of eight rows, brought to the scale of the tables. */
@inline
function scaled(terms: usize, bias: v128, inverse: v128): v128 {
	const a = f32x4.mul(f32x4.add(v128.load(terms), bias), inverse);
	const b = f32x4.mul(f32x4.add(v128.load(terms, 16), bias), inverse);
	return i16x8.narrow_i32x4_u(i32x4.trunc_sat_f32x4_s(a), i32x4.trunc_sat_f32x4_s(b));
}

/**
 * Scans the probed cells of a search. A row's key is floor((term + bias) * inverse), held to 0..65,535, and the sum of its table entries,
 * together held to 65,535; `bias` is the cell's less `offset`. `termBytes` is 128, or 0 where rows have no terms. There are at most 516
 * sub-quantisers, so that their sum fits 16 bits. Returns -1 where it was aborted.
 */
export function fastScan(
	cellsAt: usize,
	search: usize,
	tables: usize,
	subs: i32,
	termBytes: usize,
	inverse: f32,
	offset: f32,
	eligibility: usize,
): i32 {
	cells.openCells(cellsAt);
	cells.openSearch(search);
	openEligibility(eligibility);
	for (let probe = cells.nextProbe(); probe != 0; probe = cells.nextProbe()) {
		const shift = load<f32>(probe, 4) - offset;
		scanCell(load<u32>(probe), shift, search, tables, subs, termBytes, inverse, eligibility != 0);
	}
	// What the sums of the last block were is nobody's: so the struct is the same whatever the order of the work.
	memory.fill(search + cells.SUMS, 0, 64);
	return cells.closeSearch(search) ? -1 : 0;
}

function scanCell(
	cell: u32,
	shift: f32,
	search: usize,
	tables: usize,
	subs: i32,
	termBytes: usize,
	inverse: f32,
	isFiltered: bool,
): void {
	const low = i8x16.splat(15);
	const scale = f32x4.splat(inverse);
	const bias = f32x4.splat(shift);
	const none = v128.splat<i32>(0);
	const sums = search + cells.SUMS;
	let limit = limitOf();
	let block: usize = 0;
	for (let at = cells.firstBlock(cell); at != cells.NONE; at = cells.nextBlock(block)) {
		block = cells.blockAt(at);
		cells.countRows(cells.rowsIn(block));
		const terms = block + cells.PAYLOAD;
		let codes = terms + termBytes;
		let table = tables;
		// Of 16 rows: both bytes of a 16-bit lane together, and the odd one by itself.
		let a = none;
		let aOdd = none;
		let b = none;
		let bOdd = none;
		let m = 0;
		for (; m + 2 <= subs; m += 2) {
			const c = v128.load(codes);
			const d = v128.load(codes, 16);
			const s = v128.load(table);
			const t = v128.load(table, 16);
			const x = i8x16.add(lookUp(s, v128.and(c, low)), lookUp(t, v128.and(d, low)));
			const y = i8x16.add(
				lookUp(s, v128.and(i16x8.shr_u(c, 4), low)),
				lookUp(t, v128.and(i16x8.shr_u(d, 4), low)),
			);
			a = i16x8.add(a, x);
			aOdd = i16x8.add(aOdd, i16x8.shr_u(x, 8));
			b = i16x8.add(b, y);
			bOdd = i16x8.add(bOdd, i16x8.shr_u(y, 8));
			codes += 32;
			table += 32;
		}
		if (m < subs) {
			const c = v128.load(codes);
			const s = v128.load(table);
			const x = lookUp(s, v128.and(c, low));
			const y = lookUp(s, v128.and(i16x8.shr_u(c, 4), low));
			a = i16x8.add(a, x);
			aOdd = i16x8.add(aOdd, i16x8.shr_u(x, 8));
			b = i16x8.add(b, y);
			bOdd = i16x8.add(bOdd, i16x8.shr_u(y, 8));
		}
		a = i16x8.sub(a, i16x8.shl(aOdd, 8));
		b = i16x8.sub(b, i16x8.shl(bOdd, 8));
		if (termBytes != 0) {
			a = i16x8.add_sat_u(a, scaled(terms, bias, scale));
			aOdd = i16x8.add_sat_u(aOdd, scaled(terms + 32, bias, scale));
			b = i16x8.add_sat_u(b, scaled(terms + 64, bias, scale));
			bOdd = i16x8.add_sat_u(bOdd, scaled(terms + 96, bias, scale));
		} else {
			const one = i32x4.trunc_sat_f32x4_s(f32x4.mul(bias, scale));
			const all = i16x8.narrow_i32x4_u(one, one);
			a = i16x8.add_sat_u(a, all);
			aOdd = i16x8.add_sat_u(aOdd, all);
			b = i16x8.add_sat_u(b, all);
			bOdd = i16x8.add_sat_u(bOdd, all);
		}
		let passed =
			i16x8.bitmask(i16x8.le_u(a, limit)) |
			(i16x8.bitmask(i16x8.le_u(aOdd, limit)) << 8) |
			(i16x8.bitmask(i16x8.le_u(b, limit)) << 16) |
			(i16x8.bitmask(i16x8.le_u(bOdd, limit)) << 24);
		if (passed == 0) continue;
		v128.store(sums, a);
		v128.store(sums, aOdd, 16);
		v128.store(sums, b, 32);
		v128.store(sums, bOdd, 48);
		for (; passed != 0; passed &= passed - 1) {
			const row = ctz(passed);
			const place = cells.placeIn(block, row);
			if (place == cells.NONE || (isFiltered && !eligible(cells.labelOf(place)))) continue;
			const key = <f32>load<u16>(sums + (<usize>row << 1));
			cells.resized(put(cells.pool, cells.size, cells.room, key, place));
		}
		limit = limitOf();
	}
}

@inline
function limitOf(): v128 {
	return i16x8.splat(<i16>(<u16>min<f32>(65535, cells.worstKey())));
}

/** Writes the code of a row, a byte 0..15 a sub-quantiser, into a block's codes as row `row`. */
export function putFastCodes(code: usize, subs: i32, codes: usize, row: i32): void {
	let at = codes + <usize>(2 * (row & 7) + ((row >> 3) & 1));
	const shift = (row >> 4) << 2;
	const kept = ~(15 << shift);
	for (let m = 0; m < subs; m++) {
		store<u8>(at, <u8>((load<u8>(at) & kept) | (load<u8>(code + m) << shift)));
		at += 16;
	}
}
