/**
 * Cells of RaBitQ codes (../rabitq/payload.ts draws what is scanned in a block). A row whose lower bound does not exclude it is compared
 * exactly at once, so that what is looked at again is decided by the bound and by nothing else: the threshold is the k-th least exact key so far.
 */
import { distanceMany } from "../distance";
import { eligible, openEligibility } from "../eligibility";
import { probeCell } from "../rabitq/query";
import { scanBlock } from "../rabitq/scan";
import { place as put } from "../topk";
import * as cells from "./state";

/** What a block may leave: {f32 lower bound, f32 estimate, u32 place}. */
const CANDIDATE: usize = 12;

/**
 * Scans the probed cells of a search for a query that has been prepared. `centroids` are rows `centroidStride` bytes apart. With `vectors` (rows by place) the pool is the
 * answer: pairs {exact key, label}; with 0 it has candidates, {estimate, place}. `out` is room for 640 bytes. Returns how many rows were
 * compared exactly, or -1 where it was aborted.
 */
export function rabitqCells(
	cellsAt: usize,
	search: usize,
	struct: usize,
	centroids: usize,
	centroidStride: usize,
	metric: i32,
	query: usize,
	vectors: usize,
	vectorStride: usize,
	bytes: usize,
	out: usize,
	eligibility: usize,
): i32 {
	cells.openCells(cellsAt);
	cells.openSearch(search);
	openEligibility(eligibility);
	const places = out + 32 * CANDIDATE;
	const keys = places + 128;
	let ranked = 0;
	for (let probe = cells.nextProbe(); probe != 0; probe = cells.nextProbe()) {
		const cell = load<u32>(probe);
		let at = cells.firstBlock(cell);
		if (at == cells.NONE) continue;
		probeCell(struct, centroids + <usize>cell * centroidStride);
		while (at != cells.NONE) {
			const block = cells.blockAt(at);
			const rows = cells.rowsIn(block);
			cells.countRows(rows);
			let placed = block + cells.PLACES;
			if (rows < cells.ROWS) {
				// A row that is written meanwhile is not among these.
				for (let row: usize = 0; row < 32; row++) {
					store<u32>(keys + (row << 2), <i32>row < rows ? load<u32>(placed + (row << 2)) : cells.NONE);
				}
				placed = keys;
			}
			const end = scanBlock(struct, block + cells.PAYLOAD, placed, cells.worstKey(), out);
			let n: usize = 0;
			for (let candidate = out; candidate < end; candidate += CANDIDATE) {
				const place = load<u32>(candidate, 8);
				if (eligibility != 0 && !eligible(cells.labelOf(place))) continue;
				store<u32>(places + (n << 2), place);
				store<f32>(keys + (n << 2), load<f32>(candidate, 4));
				n++;
			}
			if (vectors != 0) {
				distanceMany(metric, query, vectors, vectorStride, bytes, places, <i32>n, keys);
				ranked += <i32>n;
			}
			for (let i: usize = 0; i < n; i++) {
				const place = load<u32>(places + (i << 2));
				const id = vectors == 0 ? place : cells.labelOf(place);
				cells.resized(put(cells.pool, cells.size, cells.room, load<f32>(keys + (i << 2)), id));
			}
			at = cells.nextBlock(block);
		}
	}
	return cells.closeSearch(search) ? -1 : ranked;
}
