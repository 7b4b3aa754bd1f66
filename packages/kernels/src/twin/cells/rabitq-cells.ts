import { CELL_BLOCK, CELL_PROBE, NO_PLACE, RABITQ_BLOCK, RABITQ_CANDIDATE } from "../../layout.ts";
import { distanceMany } from "../distance.ts";
import { rabitqProbe } from "../rabitq/query.ts";
import { rabitqScan } from "../rabitq/scan.ts";
import type { CellSearch } from "./state.ts";

/** Scans the probed cells of a search by RaBitQ codes; what their bounds do not exclude is compared exactly at once. See assembly/cells/rabitq-cells.ts. */
export function rabitqCells(
	search: CellSearch,
	cellsAt: number,
	searchAt: number,
	struct: number,
	centroids: number,
	centroidStride: number,
	metric: number,
	query: number,
	vectors: number,
	vectorStride: number,
	bytes: number,
	out: number,
	eligibility: number,
): number {
	const { m, eligible } = search;
	search.open(cellsAt, searchAt);
	eligible.open(eligibility);
	const { rows } = RABITQ_BLOCK;
	const places = out + rows * RABITQ_CANDIDATE.bytes;
	const keys = places + 4 * rows;
	let ranked = 0;
	for (let probe = search.nextProbe(); probe !== 0; probe = search.nextProbe()) {
		let isPrepared = false;
		for (const block of search.blocksOf(probe)) {
			if (!isPrepared) {
				rabitqProbe(m, struct, centroids + m.loadU32(probe + CELL_PROBE.cell) * centroidStride);
				isPrepared = true;
			}
			const whole = search.rowsIn(block);
			let at = block + CELL_BLOCK.places;
			if (whole < rows) {
				for (let row = 0; row < rows; row++) {
					m.storeU32(keys + 4 * row, row < whole ? m.loadU32(at + 4 * row) : NO_PLACE);
				}
				at = keys;
			}
			const found = rabitqScan(m, struct, block + CELL_BLOCK.payload, 0, at, rows, search.worstKey(), out);
			let n = 0;
			for (let i = 0; i < found; i++) {
				const candidate = out + RABITQ_CANDIDATE.bytes * i;
				const place = m.loadU32(candidate + RABITQ_CANDIDATE.place);
				if (eligibility !== 0 && !eligible.admits(search.labelOf(place))) continue;
				m.storeU32(places + 4 * n, place);
				m.storeF32(keys + 4 * n, m.loadF32(candidate + RABITQ_CANDIDATE.estimate));
				n++;
			}
			if (vectors !== 0) {
				distanceMany(m, metric, query, vectors, vectorStride, bytes, places, n, keys);
				ranked += n;
			}
			for (let i = 0; i < n; i++) {
				const place = m.loadU32(places + 4 * i);
				search.keep(m.loadF32(keys + 4 * i), vectors === 0 ? place : search.labelOf(place));
			}
		}
	}
	return search.close(searchAt) ? -1 : ranked;
}
