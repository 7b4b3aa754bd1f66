import { CELL_PROBE, CELL_ROWS, CELL_SEARCH, NO_PLACE } from "../../layout.ts";
import type { CellSearch } from "./state.ts";

/**
 * Lists places and labels of the rows in the probed cells of a search, as many as `room` has space for in whole blocks; the next call goes
 * on. Rows that have been removed are left out. Returns how many there are, 0 at the end, -1 where it was aborted.
 */
export function listCells(
	search: CellSearch,
	cellsAt: number,
	searchAt: number,
	places: number,
	labels: number,
	room: number,
): number {
	const { m } = search;
	search.open(cellsAt, searchAt);
	let listed = 0;
	// 1 + the block, 0 for none: as in the struct.
	let at = m.loadU32(searchAt + CELL_SEARCH.listing);
	for (;;) {
		if (at === 0) {
			const probe = search.nextProbe();
			if (probe === 0) break;
			at = (search.firstBlock(m.loadU32(probe + CELL_PROBE.cell)) + 1) >>> 0;
		}
		for (; at !== 0; at = (search.nextBlock(search.blockAt(at - 1)) + 1) >>> 0) {
			if (listed + CELL_ROWS > room) {
				m.storeU32(searchAt + CELL_SEARCH.listing, at);
				search.close(searchAt);
				return listed;
			}
			const block = search.blockAt(at - 1);
			const rows = search.rowsIn(block);
			search.countRows(rows);
			for (let row = 0; row < rows; row++) {
				const place = search.placeIn(block, row);
				if (place === NO_PLACE) continue;
				m.storeU32(places + 4 * listed, place);
				m.storeU32(labels + 4 * listed, search.labelOf(place));
				listed++;
			}
		}
	}
	m.storeU32(searchAt + CELL_SEARCH.listing, 0);
	return search.close(searchAt) ? -1 : listed;
}
