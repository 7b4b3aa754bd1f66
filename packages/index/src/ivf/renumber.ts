import { NO_PLACE } from "@nigh/kernels";
import { completed, permuteRows } from "../rows/permute-rows.ts";
import type { InvertedFile } from "./inverted-file.ts";

/**
 * Moves rows to new places: place `i` gets what was in place `order[i]`, and those that are not in `order` are given up. The table of labels
 * follows; the cells are empty afterwards.
 */
export function renumber(file: InvertedFile, order: Uint32Array): void {
	const { arena, rows } = file;
	const whole = completed(order, file.slots);
	// By falling width, so that what the first takes is enough for the others.
	if (!file.isOnDisk) permuteRows(arena, file.vectors, rows.bytes, whole);
	if (file.scalar !== undefined) {
		permuteRows(arena, file.codeRows, file.codeStride, whole);
		permuteRows(arena, file.errors, 8, whole);
	}
	permuteRows(arena, file.labelsAddress, 4, whole);
	const labels = file.labels();
	labels.fill(NO_PLACE, order.length);
	file.slots = order.length;
	file.freePlaces.length = 0;
	for (let place = 0; place < order.length; place++) file.table.set(labels[place] as number, place);
	file.cells.empty();
}
