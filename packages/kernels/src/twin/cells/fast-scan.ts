/** Four-bit codes in blocks of 32 rows. The layout is told in assembly/cells/fast-scan.ts. */
import { CELL_BLOCK, CELL_PROBE, CELL_SEARCH, FAST_SUB_BYTES, NO_PLACE } from "../../layout.ts";
import type { TwinMemory } from "../memory.ts";
import type { CellSearch } from "./state.ts";

const { fround } = Math;

/** What 16 bits without a sign hold. */
const MOST = 65_535;

/** Where a row's nibble stands: its byte within those of a sub-quantiser, and how far up. */
function nibbleOf(row: number): { byte: number; shift: number } {
	return { byte: 2 * (row & 7) + ((row >> 3) & 1), shift: (row >> 4) << 2 };
}

/** Scans the probed cells of a search. Returns -1 where it was aborted. */
export function fastScan(
	search: CellSearch,
	cellsAt: number,
	searchAt: number,
	tables: number,
	subs: number,
	termBytes: number,
	inverse: number,
	offset: number,
	eligibility: number,
): number {
	const { m, eligible } = search;
	const factor = fround(inverse);
	search.open(cellsAt, searchAt);
	eligible.open(eligibility);
	for (let probe = search.nextProbe(); probe !== 0; probe = search.nextProbe()) {
		const shift = fround(m.loadF32(probe + CELL_PROBE.bias) - fround(offset));
		for (const block of search.blocksOf(probe)) {
			const terms = block + CELL_BLOCK.payload;
			const rows = search.rowsIn(block);
			for (let row = 0; row < rows; row++) {
				const at = search.placeIn(block, row);
				if (at === NO_PLACE) continue;
				const term = termBytes === 0 ? shift : fround(m.loadF32(terms + 4 * row) + shift);
				const key = Math.min(MOST, scaled(term, factor) + sumOf(m, terms + termBytes, tables, subs, row));
				if (key > search.worstKey()) continue;
				if (eligibility !== 0 && !eligible.admits(search.labelOf(at))) continue;
				search.keep(key, at);
			}
		}
	}
	m.fill(searchAt + CELL_SEARCH.sums, 0, CELL_SEARCH.bytes - CELL_SEARCH.sums);
	return search.close(searchAt) ? -1 : 0;
}

/** `| 0` makes a NaN 0, as a saturating conversion does. */
function scaled(term: number, factor: number): number {
	return Math.min(MOST, Math.max(0, fround(term * factor))) | 0;
}

/** Below 2^16 for as many sub-quantisers as there may be: it does not matter that the kernel adds them in 16 bits. */
function sumOf(m: TwinMemory, codes: number, tables: number, subs: number, row: number): number {
	const { byte, shift } = nibbleOf(row);
	let sum = 0;
	for (let s = 0; s < subs; s++) {
		const entry = (m.loadU8(codes + FAST_SUB_BYTES * s + byte) >> shift) & 15;
		sum += m.loadU8(tables + 16 * s + entry);
	}
	return sum;
}

/** Writes the code of a row, a byte 0..15 a sub-quantiser, into a block's codes as row `row`. */
export function putFastCodes(m: TwinMemory, code: number, subs: number, codes: number, row: number): void {
	const { byte, shift } = nibbleOf(row);
	for (let s = 0; s < subs; s++) {
		const at = (codes + FAST_SUB_BYTES * s + byte) >>> 0;
		m.u8[at] = ((m.u8[at] as number) & ~(15 << shift)) | (m.loadU8(code + s) << shift);
	}
}
