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

/** Entries of two sub-quantisers for the rows of the low nibbles, added. */
@inline
function lows(s: v128, t: v128, c: v128, d: v128): v128 {
	const nibble = i8x16.splat(15);
	return i8x16.add(lookUp(s, v128.and(c, nibble)), lookUp(t, v128.and(d, nibble)));
}

/** The same for the rows of the high ones. */
@inline
function highs(s: v128, t: v128, c: v128, d: v128): v128 {
	return lows(s, t, i16x8.shr_u(c, 4), i16x8.shr_u(d, 4));
}

@inline
function odd(x: v128): v128 {
	return i16x8.shr_u(x, 8);
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
 * together held to 65,535; `bias` is the cell's less `offset`. `termBytes` is 128, or 0 where rows have no terms. The largest entries of all
 * tables together fit 16 bits. Returns -1 where it was aborted.
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
	const scale = f32x4.splat(inverse);
	const bias = f32x4.splat(shift);
	const none = v128.splat<i32>(0);
	const sums = search + cells.SUMS;
	let limit = limitOf();
	// A block without terms and with less than four sub-quantisers has no fourth line; behind the last one there may be no memory.
	const farthest: usize = subs < 4 && termBytes == 0 ? 128 : 192;
	let touched: i32 = 0;
	let next: u32 = 0;
	for (let at = cells.firstBlock(cell); at != cells.NONE; at = next) {
		const block = cells.blockAt(at);
		next = cells.nextBlock(block);
		const rows = cells.rowsIn(block);
		cells.countRows(rows);
		// The lines of the next block are fetched while this one is looked at: there is no other way to ask for them ahead of their use.
		const ahead: usize = next == cells.NONE ? 0 : cells.blockAt(next) - block;
		touched |= load<i32>(block + ahead) | load<i32>(block + ahead, 128) | load<i32>(block + ahead + farthest);
		const terms = block + cells.PAYLOAD;
		let codes = terms + termBytes;
		let table = tables;
		// Of 16 rows: both bytes of a 16-bit lane together, and the odd one by itself.
		let a = none;
		let aOdd = none;
		let b = none;
		let bOdd = none;
		let m = 0;
		for (; m + 4 <= subs; m += 4) {
			touched |= load<i32>(codes + ahead, 48);
			let s = v128.load(table);
			let t = v128.load(table, 16);
			let c = v128.load(codes);
			let d = v128.load(codes, 16);
			const x = lows(s, t, c, d);
			const y = highs(s, t, c, d);
			s = v128.load(table, 32);
			t = v128.load(table, 48);
			c = v128.load(codes, 32);
			d = v128.load(codes, 48);
			const u = lows(s, t, c, d);
			const w = highs(s, t, c, d);
			a = i16x8.add(i16x8.add(a, x), u);
			aOdd = i16x8.add(i16x8.add(aOdd, odd(x)), odd(u));
			b = i16x8.add(i16x8.add(b, y), w);
			bOdd = i16x8.add(i16x8.add(bOdd, odd(y)), odd(w));
			codes += 64;
			table += 64;
		}
		for (; m < subs; m++) {
			const s = v128.load(table);
			const c = v128.load(codes);
			const x = lows(s, none, c, c);
			const y = highs(s, none, c, c);
			a = i16x8.add(a, x);
			aOdd = i16x8.add(aOdd, odd(x));
			b = i16x8.add(b, y);
			bOdd = i16x8.add(bOdd, odd(y));
			codes += 16;
			table += 16;
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
		// Most blocks have no row that is near enough.
		const least = i16x8.min_u(i16x8.min_u(a, aOdd), i16x8.min_u(b, bOdd));
		if (!v128.any_true(i16x8.le_u(least, limit))) continue;
		v128.store(sums, a);
		v128.store(sums, aOdd, 16);
		v128.store(sums, b, 32);
		v128.store(sums, bOdd, 48);
		keepRows(block, rows, sums, limit, isFiltered);
		limit = limitOf();
	}
	// A load of which nothing is used may be left out.
	store<i32>(sums, touched);
}

/** Makes candidates of the rows of a block whose sums are at most the limit. */
function keepRows(block: usize, rows: i32, sums: usize, limit: v128, isFiltered: bool): void {
	let passed =
		i16x8.bitmask(i16x8.le_u(v128.load(sums), limit)) |
		(i16x8.bitmask(i16x8.le_u(v128.load(sums, 16), limit)) << 8) |
		(i16x8.bitmask(i16x8.le_u(v128.load(sums, 32), limit)) << 16) |
		(i16x8.bitmask(i16x8.le_u(v128.load(sums, 48), limit)) << 24);
	// A row that is written meanwhile is not among these.
	if (rows < cells.ROWS) passed &= (1 << rows) - 1;
	for (; passed != 0; passed &= passed - 1) {
		const row = ctz(passed);
		const place = cells.placeIn(block, row);
		if (place == cells.NONE || (isFiltered && !eligible(cells.labelOf(place)))) continue;
		const key = <f32>load<u16>(sums + (<usize>row << 1));
		cells.resized(put(cells.pool, cells.size, cells.room, key, place));
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
