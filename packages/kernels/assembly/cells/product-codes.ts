/**
 * Product quantisation (Jegou, Douze, Schmid 2011): a row is cut into `subs` parts of `width` floats, each of which is coded by the
 * nearest of `entries` (16 to 256, a power of two) centroids of its own. Codebooks lie with the entries together, so that four are
 * computed at a time: the float of sub-quantiser m, dimension j and entry e is number (m * width + j) * entries + e.
 */
import { eligible, openEligibility } from "../eligibility";
import { place as put } from "../topk";
import * as cells from "./state";

/** Codes a row of subs * width floats: the nearest entry of each part, a byte each; of equally near ones the first. Returns the squared error. */
export function productEncode(row: usize, books: usize, subs: i32, width: i32, entries: i32, code: usize): f64 {
	let error: f64 = 0;
	const bytes = <usize>entries << 2;
	for (let m = 0; m < subs; m++) {
		let nearest = 0;
		let least = <f32>Infinity;
		for (let e: usize = 0; e < bytes; e += 16) {
			let sum = f32x4.splat(0);
			let book = books + e;
			for (let j = 0; j < width; j++) {
				const x = f32x4.sub(v128.load(book), v128.load32_splat(row + (<usize>j << 2)));
				sum = f32x4.add(sum, f32x4.mul(x, x));
				book += bytes;
			}
			if (!v128.any_true(f32x4.lt(sum, f32x4.splat(least)))) continue;
			for (let lane = 0; lane < 4; lane++) {
				const key = f32x4.extract_lane(sum, 0);
				if (key < least) {
					least = key;
					nearest = <i32>(e >> 2) + lane;
				}
				sum = v128.shuffle<i32>(sum, sum, 1, 2, 3, 0);
			}
		}
		store<u8>(code + m, <u8>nearest);
		error += <f64>least;
		row += <usize>width << 2;
		books += <usize>width * bytes;
	}
	return error;
}

/** Writes the floats that a code stands for. */
export function productDecode(code: usize, books: usize, subs: i32, width: i32, entries: i32, row: usize): void {
	const bytes = <usize>entries << 2;
	for (let m = 0; m < subs; m++) {
		let book = books + (<usize>load<u8>(code + m) << 2);
		for (let j = 0; j < width; j++) {
			store<f32>(row, load<f32>(book));
			row += 4;
			book += bytes;
		}
		books += <usize>width * bytes;
	}
}

/**
 * The tables of a query: `factor` times the dot product of each of its parts with each entry, f32, entries of a part together. Writes three
 * float64 to `left`: the sum of the least value of every part, the largest spread of a part, and the sum of all spreads.
 */
export function productTables(
	query: usize,
	books: usize,
	subs: i32,
	width: i32,
	entries: i32,
	factor: f32,
	tables: usize,
	left: usize,
): void {
	const bytes = <usize>entries << 2;
	const scale = f32x4.splat(factor);
	let leasts: f64 = 0;
	let widest: f32 = 0;
	let spreads: f64 = 0;
	for (let m = 0; m < subs; m++) {
		let least = f32x4.splat(Infinity);
		let most = f32x4.splat(-Infinity);
		for (let e: usize = 0; e < bytes; e += 16) {
			let sum = f32x4.splat(0);
			let book = books + e;
			for (let j = 0; j < width; j++) {
				sum = f32x4.add(sum, f32x4.mul(v128.load(book), v128.load32_splat(query + (<usize>j << 2))));
				book += bytes;
			}
			sum = f32x4.mul(sum, scale);
			v128.store(tables + e, sum);
			least = f32x4.min(least, sum);
			most = f32x4.max(most, sum);
		}
		least = f32x4.min(least, v128.shuffle<i32>(least, least, 2, 3, 0, 1));
		most = f32x4.max(most, v128.shuffle<i32>(most, most, 2, 3, 0, 1));
		const low = min<f32>(f32x4.extract_lane(least, 0), f32x4.extract_lane(least, 1));
		const spread = max<f32>(f32x4.extract_lane(most, 0), f32x4.extract_lane(most, 1)) - low;
		leasts += <f64>low;
		widest = max<f32>(widest, spread);
		spreads += <f64>spread;
		query += <usize>width << 2;
		books += <usize>width * bytes;
		tables += bytes;
	}
	store<f64>(left, leasts);
	store<f64>(left, <f64>widest, 8);
	store<f64>(left, spreads, 16);
}

/** Tables of 16 entries as bytes 0..127: floor((x - least of its part) * inverse + 0.5). */
export function quantizeTables(tables: usize, subs: i32, inverse: f32, bytes: usize): void {
	const scale = f32x4.splat(inverse);
	const half = f32x4.splat(0.5);
	for (let m = 0; m < subs; m++) {
		const a = v128.load(tables);
		const b = v128.load(tables, 16);
		const c = v128.load(tables, 32);
		const d = v128.load(tables, 48);
		let least = f32x4.min(f32x4.min(a, b), f32x4.min(c, d));
		least = f32x4.min(least, v128.shuffle<i32>(least, least, 2, 3, 0, 1));
		least = f32x4.min(least, v128.shuffle<i32>(least, least, 1, 0, 3, 2));
		const ab = i16x8.narrow_i32x4_s(entry(a, least, scale, half), entry(b, least, scale, half));
		const cd = i16x8.narrow_i32x4_s(entry(c, least, scale, half), entry(d, least, scale, half));
		v128.store(bytes, i8x16.min_u(i8x16.narrow_i16x8_u(ab, cd), i8x16.splat(127)));
		tables += 64;
		bytes += 16;
	}
}

@inline
function entry(x: v128, least: v128, scale: v128, half: v128): v128 {
	return i32x4.trunc_sat_f32x4_s(f32x4.add(f32x4.mul(f32x4.sub(x, least), scale), half));
}

/**
 * Scans the probed cells of a search by codes of a byte a sub-quantiser. What is scanned in a block: f32 term of each of the 32 rows (none
 * where `termBytes` is 0), then `subs` bytes a row. A row's key is bias + term + the sum of its table entries, added in this order. Returns -1
 * where it was aborted.
 */
export function productScan(
	cellsAt: usize,
	search: usize,
	tables: usize,
	subs: i32,
	entries: i32,
	termBytes: usize,
	eligibility: usize,
): i32 {
	cells.openCells(cellsAt);
	cells.openSearch(search);
	openEligibility(eligibility);
	const stride = <usize>entries << 2;
	for (let probe = cells.nextProbe(); probe != 0; probe = cells.nextProbe()) {
		const bias = load<f32>(probe, 4);
		let limit = cells.worstKey();
		let block: usize = 0;
		for (let at = cells.firstBlock(load<u32>(probe)); at != cells.NONE; at = cells.nextBlock(block)) {
			block = cells.blockAt(at);
			const rows = cells.rowsIn(block);
			cells.countRows(rows);
			let term = block + cells.PAYLOAD;
			let code = term + termBytes;
			for (let row = 0; row < rows; row++) {
				let key = bias;
				if (termBytes != 0) key += load<f32>(term);
				key += sumOf(code, tables, subs, stride);
				term += 4;
				code += <usize>subs;
				if (key > limit) continue;
				const place = cells.placeIn(block, row);
				if (place == cells.NONE || (eligibility != 0 && !eligible(cells.labelOf(place)))) continue;
				cells.resized(put(cells.pool, cells.size, cells.room, key, place));
				limit = cells.worstKey();
			}
		}
	}
	return cells.closeSearch(search) ? -1 : 0;
}

/** Two sums, of even and odd parts, so that one does not wait for the other. */
@inline
function sumOf(code: usize, tables: usize, subs: i32, stride: usize): f32 {
	let even: f32 = 0;
	let odd: f32 = 0;
	let m = 0;
	for (; m + 2 <= subs; m += 2) {
		even += load<f32>(tables + (<usize>load<u8>(code + m) << 2));
		odd += load<f32>(tables + stride + (<usize>load<u8>(code + m, 1) << 2));
		tables += 2 * stride;
	}
	if (m < subs) even += load<f32>(tables + (<usize>load<u8>(code + m) << 2));
	return even + odd;
}
