import type { Label } from "../vector-index.ts";
import type { InvertedFile } from "./inverted-file.ts";

/** Takes the memory for so many rows in all, exactly; also where free places are not to be used again, as beside readers. */
export function reserveRows(file: InvertedFile, rows: number): void {
	file.reserve(rows, true, rows + file.freePlaces.length);
}

/** Rows that can be inserted before something must move. */
export function roomOf(file: InvertedFile): number {
	const places = placesLeft(file);
	return file.learnt === undefined ? places : Math.min(places, file.cells.slack().rowsWithin(blocksLeft(file)));
}

/** Whether inserting these labels, which must be different ones, moves or uses again nothing that readers read. */
export function fits(file: InvertedFile, labels: Iterable<Label>): boolean {
	const { isHeld } = file.sharing;
	let rows = 0;
	for (const label of labels) {
		if (file.table.get(label) !== undefined) return false;
		if (isHeld && !file.sharing.covers(label)) return false;
		rows++;
	}
	return rows <= roomOf(file);
}

/** Whether so many new rows go behind those that there are, so that a reader that is opened meanwhile misses nothing and is not disturbed. */
export function goesBehind(file: InvertedFile, rows: number): boolean {
	return rows <= file.capacity - file.slots;
}

/** A free place may still be looked at by a reader, who would see another row come to it. */
function placesLeft({ capacity, slots, freePlaces, reusesPlaces }: InvertedFile): number {
	return capacity - slots + (reusesPlaces ? freePlaces.length : 0);
}

function blocksLeft({ cells: { blockCapacity, blocksUsed, freeBlocks } }: InvertedFile): number {
	return blockCapacity - blocksUsed + freeBlocks.length;
}
