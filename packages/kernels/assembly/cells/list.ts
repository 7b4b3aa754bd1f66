import * as cells from "./state";

/**
 * Lists places and labels of the rows in the probed cells of a search, as many as `room` has space for in whole blocks; the next call goes on. Rows that
 * have been removed are left out. Returns how many there are, 0 at the end, -1 where it was aborted.
 */
export function listCells(cellsAt: usize, search: usize, places: usize, labels: usize, room: i32): i32 {
	cells.openCells(cellsAt);
	cells.openSearch(search);
	let listed = 0;
	let at = load<u32>(search, 36);
	for (;;) {
		if (at == 0) {
			const probe = cells.nextProbe();
			if (probe == 0) break;
			at = cells.firstBlock(load<u32>(probe)) + 1;
		}
		// NONE + 1 is 0.
		while (at != 0) {
			if (listed + cells.ROWS > room) {
				store<u32>(search, at, 36);
				cells.closeSearch(search);
				return listed;
			}
			const block = cells.blockAt(at - 1);
			const rows = cells.rowsIn(block);
			cells.countRows(rows);
			for (let row = 0; row < rows; row++) {
				const place = cells.placeIn(block, row);
				if (place == cells.NONE) continue;
				store<u32>(places + (<usize>listed << 2), place);
				store<u32>(labels + (<usize>listed << 2), cells.labelOf(place));
				listed++;
			}
			at = cells.nextBlock(block) + 1;
		}
	}
	store<u32>(search, 0, 36);
	return cells.closeSearch(search) ? -1 : listed;
}
