import { CELL_ROWS, RABITQ_BLOCK, TERM_BYTES } from "@nigh/kernels";
import type { ArenaView } from "../arena-view.ts";
import type { Learnt } from "./learnt.ts";

/** Where a row's codes are: what is scanned of a block, and the number of the row in it. */
export interface RowAt {
	readonly payload: number;
	readonly row: number;
}

/** Copies what is scanned of a row from one block to another; returns its term, 0 where rows have none. */
export type MoveRow = (from: RowAt, to: RowAt) => number;

/** How codes of a kind are copied, bit for bit. The layouts are drawn in the kernels' cells/fast-scan.ts, cells/product-codes.ts and rabitq/payload.ts. */
export function rowMover(arena: ArenaView, { product, rabitq }: Pick<Learnt, "product" | "rabitq">): MoveRow {
	if (product !== undefined) {
		const { subs, bits, hasTerms } = product;
		const codesAt = hasTerms ? TERM_BYTES : 0;
		const copy = bits === 4 ? copyFastCodes : copyBytes;
		return (from, to) => {
			copy(arena, subs, from.payload + codesAt, from.row, to.payload + codesAt, to.row);
			return hasTerms ? copyWord(arena, from.payload, from.row, to.payload, to.row) : 0;
		};
	}
	if (rabitq === undefined) return () => 0;
	const { rotatedDimensions: D, spec } = rabitq.codec;
	const factors = spec.bits === 1 ? RABITQ_BLOCK.factors : RABITQ_BLOCK.fineFactors;
	const factorsAt = 4 * D;
	const restAt = factorsAt + factors * TERM_BYTES;
	const restBytes = (D * (spec.bits - 1)) / 8;
	return (from, to) => {
		copyTopBits(arena, D / 4, from, to);
		for (let factor = 0; factor < factors; factor++) {
			const at = factorsAt + factor * TERM_BYTES;
			copyWord(arena, from.payload + at, from.row, to.payload + at, to.row);
		}
		copyBytes(arena, restBytes, from.payload + restAt, from.row, to.payload + restAt, to.row);
		return 0;
	};
}

/** One f32 of a row; returns it. */
function copyWord(arena: ArenaView, from: number, row: number, to: number, toRow: number): number {
	const word = arena.f32(from, CELL_ROWS)[row] as number;
	arena.f32(to, CELL_ROWS)[toRow] = word;
	return word;
}

function copyBytes(arena: ArenaView, bytes: number, from: number, row: number, to: number, toRow: number): void {
	if (bytes > 0) arena.u8(to + toRow * bytes, bytes).set(arena.u8(from + row * bytes, bytes));
}

/** Nibbles, 16 bytes a sub-quantiser. */
function copyFastCodes(arena: ArenaView, subs: number, from: number, row: number, to: number, toRow: number): void {
	const byteOf = (at: number) => 2 * (at & 7) + ((at >> 3) & 1);
	copyNibbles(
		arena,
		subs,
		{ at: from + byteOf(row), shift: (row >> 4) << 2 },
		{ at: to + byteOf(toRow), shift: (toRow >> 4) << 2 },
	);
}

/** The top bits of four dimensions in a nibble, 16 bytes a group. */
function copyTopBits(arena: ArenaView, groups: number, from: RowAt, to: RowAt): void {
	const placeOf = ({ payload, row }: RowAt) => ({ at: payload + (row & 15), shift: row < 16 ? 0 : 4 });
	copyNibbles(arena, groups, placeOf(from), placeOf(to));
}

interface Nibble {
	readonly at: number;
	readonly shift: number;
}

function copyNibbles(arena: ArenaView, count: number, from: Nibble, to: Nibble): void {
	const source = arena.u8(from.at, 16 * count - 15);
	const target = arena.u8(to.at, 16 * count - 15);
	const kept = 15 << (4 - to.shift);
	for (let i = 0; i < source.length; i += 16) {
		const nibble = ((source[i] as number) >> from.shift) & 15;
		target[i] = ((target[i] as number) & kept) | (nibble << to.shift);
	}
}
