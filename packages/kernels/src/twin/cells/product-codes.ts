/** Product quantisation. The layout of codebooks and codes is told in assembly/cells/product-codes.ts. */
import { CELL_BLOCK, CELL_PROBE, NO_PLACE } from "../../layout.ts";
import type { TwinMemory } from "../memory.ts";
import type { CellSearch } from "./state.ts";

const { fround } = Math;

/** Codes a row by the nearest entry of each part; of equally near ones by the first. Returns the squared error. */
export function productEncode(
	m: TwinMemory,
	row: number,
	books: number,
	subs: number,
	width: number,
	entries: number,
	code: number,
): number {
	const to = code >>> 0;
	let error = 0;
	for (let s = 0; s < subs; s++) {
		const part = row + 4 * s * width;
		const book = books + 4 * s * width * entries;
		let nearest = 0;
		let least = Infinity;
		for (let e = 0; e < entries; e++) {
			let sum = 0;
			for (let j = 0; j < width; j++) {
				const x = fround(m.loadF32(book + 4 * (j * entries + e)) - m.loadF32(part + 4 * j));
				sum = fround(sum + fround(x * x));
			}
			if (!(sum < least)) continue;
			least = sum;
			nearest = e;
		}
		m.u8[to + s] = nearest;
		error += least;
	}
	return error;
}

/** Writes the floats that a code stands for. */
export function productDecode(
	m: TwinMemory,
	code: number,
	books: number,
	subs: number,
	width: number,
	entries: number,
	row: number,
): void {
	for (let s = 0; s < subs; s++) {
		const entry = m.loadU8(code + s);
		for (let j = s * width; j < (s + 1) * width; j++) {
			m.storeF32(row + 4 * j, m.loadF32(books + 4 * (j * entries + entry)));
		}
	}
}

/** The tables of a query, and what is told of them in three float64 at `left`. */
export function productTables(
	m: TwinMemory,
	query: number,
	books: number,
	subs: number,
	width: number,
	entries: number,
	factor: number,
	tables: number,
	left: number,
): void {
	const scale = fround(factor);
	let leasts = 0;
	let widest = 0;
	let spreads = 0;
	for (let s = 0; s < subs; s++) {
		let least = Infinity;
		let most = -Infinity;
		for (let e = 0; e < entries; e++) {
			let sum = 0;
			for (let j = s * width; j < (s + 1) * width; j++) {
				sum = fround(sum + fround(m.loadF32(books + 4 * (j * entries + e)) * m.loadF32(query + 4 * j)));
			}
			const value = fround(sum * scale);
			m.storeF32(tables + 4 * (s * entries + e), value);
			least = Math.min(least, value);
			most = Math.max(most, value);
		}
		const spread = fround(most - least);
		leasts += least;
		widest = Math.max(widest, spread);
		spreads += spread;
	}
	m.storeF64(left, leasts);
	m.storeF64(left + 8, widest);
	m.storeF64(left + 16, spreads);
}

/** Tables of 16 entries as bytes 0..127: floor((x - least of its part) * inverse + 0.5). */
export function quantizeTables(m: TwinMemory, tables: number, subs: number, inverse: number, bytes: number): void {
	const scale = fround(inverse);
	const to = bytes >>> 0;
	for (let s = 0; s < subs; s++) {
		const table = Array.from({ length: 16 }, (_, e) => m.loadF32(tables + 4 * (16 * s + e)));
		const least = Math.min(...table);
		table.forEach((x, e) => {
			const scaled = fround(fround(fround(x - least) * scale) + 0.5);
			m.u8[to + 16 * s + e] = Math.min(127, Math.max(0, scaled)) | 0;
		});
	}
}

/** Scans the probed cells of a search by codes of a byte a sub-quantiser. Returns -1 where it was aborted. */
export function productScan(
	search: CellSearch,
	cellsAt: number,
	searchAt: number,
	tables: number,
	subs: number,
	entries: number,
	termBytes: number,
	eligibility: number,
): number {
	const { m, eligible } = search;
	search.open(cellsAt, searchAt);
	eligible.open(eligibility);
	for (let probe = search.nextProbe(); probe !== 0; probe = search.nextProbe()) {
		const bias = m.loadF32(probe + CELL_PROBE.bias);
		for (const block of search.blocksOf(probe)) {
			const terms = block + CELL_BLOCK.payload;
			const codes = terms + termBytes;
			const rows = search.rowsIn(block);
			for (let row = 0; row < rows; row++) {
				const start = termBytes === 0 ? bias : fround(bias + m.loadF32(terms + 4 * row));
				const key = fround(start + sumOf(m, codes + subs * row, tables, subs, entries));
				if (key > search.worstKey()) continue;
				const at = search.placeIn(block, row);
				if (at === NO_PLACE || (eligibility !== 0 && !eligible.admits(search.labelOf(at)))) continue;
				search.keep(key, at);
			}
		}
	}
	return search.close(searchAt) ? -1 : 0;
}

/** The sums of even and of odd parts, added at the end. */
function sumOf(m: TwinMemory, code: number, tables: number, subs: number, entries: number): number {
	let even = 0;
	let odd = 0;
	for (let s = 0; s < subs; s++) {
		const value = m.loadF32(tables + 4 * (s * entries + m.loadU8(code + s)));
		if ((s & 1) === 0) even = fround(even + value);
		else odd = fround(odd + value);
	}
	return fround(even + odd);
}
