import type { InvertedFile } from "../../packages/index/src/ivf/inverted-file.ts";
import type { RowTransform } from "./transforms.ts";

/** How the elements of a row are divided: the first so many dimension-major, then chunks of 64. */
export interface Division {
	readonly vertical: number;
	readonly chunks: number;
}

/** Cells stored dimension-major beside an inverted file. Addresses are bytes of its arena. */
export interface VerticalCells extends Division {
	/** The cell table of assembly/scan.ts. */
	readonly table: number;
	readonly transform: RowTransform;
	/** Bytes of labels and elements. */
	readonly bytes: number;
	dispose(): void;
}

const BLOCK_ROWS = 64;
const CHUNK = 64;
const VERTICAL_SHARE = 0.25;
const STEP_WIDTH = 16;

/** A quarter of the elements dimension-major and the rest in whole chunks: as near to that as goes. */
export function divide(width: number): Division {
	if (width <= CHUNK) return { vertical: width, chunks: 0 };
	const nearest = Math.round((width * (1 - VERTICAL_SHARE)) / CHUNK);
	const chunks = Math.max(1, CHUNK * nearest < width ? nearest : nearest - 1);
	return { vertical: width - CHUNK * chunks, chunks };
}

/** Writes the rows of every cell, as `transform` gives them, in blocks. */
export function layOutCells(file: InvertedFile, transform: RowTransform): VerticalCells {
	const { arena, nlist } = file;
	const division = divide(transform.width);
	const cells = Array.from({ length: nlist }, (_, cell) => [...file.cells.placesOf(cell)]);
	const bytes = cells.reduce((sum, places) => sum + cellBytes(places.length, division), 0);
	const table = arena.alloc(8 * nlist);
	const blocks = arena.alloc(bytes);
	const row = arena.alloc(4 * transform.width);
	let at = blocks;
	cells.forEach((places, cell) => {
		arena.u32(table + 8 * cell, 2).set([at, places.length]);
		for (let from = 0; from < places.length; from += BLOCK_ROWS) {
			const n = Math.min(BLOCK_ROWS, places.length - from);
			for (let i = 0; i < n; i++) {
				const place = places[from + i] as number;
				transform.write(file.vectorOf(place), row);
				arena.u32(at + 4 * i, 1)[0] = file.labelOf(place);
				putRow(arena.f32(row, transform.width), arena.f32(at, blockBytes(n, division) / 4), i, n, division);
			}
			at += blockBytes(n, division);
		}
	});
	arena.free(row);
	return {
		...division,
		table,
		transform,
		bytes,
		dispose() {
			arena.free(table);
			arena.free(blocks);
		},
	};
}

function putRow(row: Float32Array, block: Float32Array, i: number, n: number, { vertical, chunks }: Division): void {
	const width = blockWidth(n);
	for (let d = 0; d < vertical; d++) block[width * (d + 1) + i] = row[d] as number;
	block.set(row.subarray(vertical), width * (vertical + 1) + CHUNK * chunks * i);
}

function blockWidth(n: number): number {
	return STEP_WIDTH * Math.ceil(n / STEP_WIDTH);
}

function blockBytes(n: number, { vertical, chunks }: Division): number {
	return 4 * (blockWidth(n) * (vertical + 1) + CHUNK * n * chunks);
}

function cellBytes(n: number, division: Division): number {
	const whole = Math.floor(n / BLOCK_ROWS);
	const rest = n % BLOCK_ROWS;
	return whole * blockBytes(BLOCK_ROWS, division) + (rest === 0 ? 0 : blockBytes(rest, division));
}
