import type { CompactReport } from "../vector-index.ts";
import { learntBy } from "./insert.ts";
import type { InvertedFile } from "./inverted-file.ts";
import { rowMover } from "./move-row.ts";
import { type Arrangement, rearrange } from "./rearrange.ts";

/**
 * Puts the rows of every cell next to one another, in the order of the cells, and gives up the places and tombstones of removed ones: a scan of
 * a cell is one pass then. Nothing is learnt anew, and codes stay what they are.
 */
export function compactIvf(file: InvertedFile, keepRoom: boolean): CompactReport {
	const removedNodes = file.slots - file.size;
	const { tombstones } = file.cells;
	if (file.learnt !== undefined && file.size > 0) {
		rearrange(file, cellOrder(file), rowMover(file.arena, learntBy(file)));
	} else if (file.size === 0) file.clear();
	if (!keepRoom) file.trim();
	return { removedNodes: Math.max(removedNodes, tombstones), optimizedConnections: 0, totalNodes: file.size };
}

/** The places of all rows in the order of the cells, and the cell of each. */
function cellOrder(file: InvertedFile): Arrangement {
	const places = new Uint32Array(file.size);
	const cells = new Uint32Array(file.size);
	let n = 0;
	for (let cell = 0; cell < file.nlist; cell++) {
		for (const place of file.cells.placesOf(cell)) {
			places[n] = place;
			cells[n++] = cell;
		}
	}
	return { places, cells };
}
