import { aborted } from "../eligibility.ts";
import { CHUNK_ROWS, type IvfScratch } from "./scratch.ts";
import type { IvfView } from "./view.ts";

/** Lists the next rows of the cells that are listed, as places and labels in the scratch. Returns how many; 0 at the end. */
export function listCellRows({ arena, cells }: IvfView, { search, places, labels }: IvfScratch): number {
	const n = arena.kernels.listCells(cells, search, places, labels, CHUNK_ROWS);
	if (n < 0) throw aborted();
	return n;
}
