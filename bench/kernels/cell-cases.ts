// The scans of the cells of an inverted file: codes of 8 bytes a row with terms, every cell of the working set in order, and a pool of
// 40 candidates that every pass starts afresh.
import { CELL, CELL_PROBE, CELL_ROWS, CELL_SEARCH, CELLS, TERM_BYTES } from "@nigh/kernels";
import { seeded } from "../sets/random.ts";
import { type KernelCase, type OpenCase, type Place, workingSet } from "./kernel-case.ts";
import { BLOCKS_PER_CELL, CELL_BLOCK_BYTES, CELL_CODE_BYTES, type Workbench } from "./workbench.ts";

const CANDIDATES = 40;
const CELL_BYTES = BLOCKS_PER_CELL * CELL_BLOCK_BYTES;
/** What a scan reads of a block: what it starts with, terms and codes. Places are looked at where a row comes near enough. */
const READ_BYTES = 16 + TERM_BYTES + CELL_ROWS * CELL_CODE_BYTES;

type Scan = (cells: number, search: number) => void;

/** The structs of a search over `cells` cells, probed in the order in which they lie. */
function putStructs(bench: Workbench, cells: number): { struct: number; search: number; probes: number } {
	const { arena, region } = bench;
	const table = bench.alloc(CELL.bytes * cells);
	const probes = bench.alloc(CELL_PROBE.bytes * cells);
	const entries = arena.u32(table, (CELL.bytes / 4) * cells);
	const probed = arena.u32(probes, (CELL_PROBE.bytes / 4) * cells);
	for (let cell = 0; cell < cells; cell++) {
		entries[(CELL.bytes * cell + CELL.first) / 4] = BLOCKS_PER_CELL * cell;
		entries[(CELL.bytes * cell + CELL.last) / 4] = BLOCKS_PER_CELL * (cell + 1) - 1;
		entries[(CELL.bytes * cell + CELL.rows) / 4] = BLOCKS_PER_CELL * CELL_ROWS;
		probed[(CELL_PROBE.bytes * cell + CELL_PROBE.cell) / 4] = cell;
	}
	const struct = bench.alloc(CELLS.bytes);
	const words = arena.u32(struct, CELLS.bytes / 4);
	words[CELLS.table / 4] = table;
	words[CELLS.blocks / 4] = region;
	words[CELLS.blockStride / 4] = CELL_BLOCK_BYTES;
	const search = bench.alloc(CELL_SEARCH.bytes);
	const asked = arena.u32(search, CELL_SEARCH.bytes / 4);
	asked[CELL_SEARCH.budget / 4] = 2 ** 31 - 1;
	asked[CELL_SEARCH.pool / 4] = bench.alloc(8 * CANDIDATES);
	asked[CELL_SEARCH.room / 4] = CANDIDATES;
	return { struct, search, probes };
}

/** Items are cells. */
function open(bench: Workbench, place: Place, scan: Scan): OpenCase {
	const { arena, readLoop, region } = bench;
	const items = Math.floor(workingSet(bench, place) / CELL_BYTES);
	const { struct, search, probes } = putStructs(bench, items);
	const asked = arena.u32(search, CELL_SEARCH.bytes / 4);
	return {
		items,
		bytesPerItem: BLOCKS_PER_CELL * READ_BYTES,
		readBytesPerItem: CELL_BYTES,
		unitsPerItem: BLOCKS_PER_CELL * CELL_ROWS,
		run(from, count) {
			asked[CELL_SEARCH.probes / 4] = probes + CELL_PROBE.bytes * from;
			asked[CELL_SEARCH.count / 4] = count;
			asked[CELL_SEARCH.next / 4] = 0;
			asked[CELL_SEARCH.scanned / 4] = 0;
			asked[CELL_SEARCH.size / 4] = 0;
			scan(struct, search);
		},
		read(from, count) {
			readLoop.readRange(region + from * CELL_BYTES, count * CELL_BYTES);
		},
	};
}

function fast(bench: Workbench): Scan {
	const subs = 2 * CELL_CODE_BYTES;
	const { uniform } = seeded(12);
	const tables = bench.alloc(16 * subs);
	bench.arena.u8(tables, 16 * subs).set(Uint8Array.from({ length: 16 * subs }, () => 128 * uniform()));
	// Terms that differ about as much as the sums of entries do.
	return (cells, search) => bench.kernels.fastScan(cells, search, tables, subs, TERM_BYTES, 500, 0, 0);
}

function product(bench: Workbench): Scan {
	const subs = CELL_CODE_BYTES;
	const { uniform } = seeded(13);
	const tables = bench.alloc(4 * 256 * subs);
	bench.arena.f32(tables, 256 * subs).set(Float32Array.from({ length: 256 * subs }, uniform));
	return (cells, search) => bench.kernels.productScan(cells, search, tables, subs, 256, TERM_BYTES, 0);
}

export const CELL_CASES: readonly KernelCase[] = (
	[
		{ kernel: "fastScan", variant: "16 x 4 bits", scan: fast },
		{ kernel: "productScan", variant: "8 x 8 bits", scan: product },
	] as const
).map(({ kernel, variant, scan }) => ({
	kernel,
	variant,
	unit: "row",
	content: "cells",
	places: ["cache", "memory"],
	open: (bench, _, place) => open(bench, place, scan(bench)),
}));
