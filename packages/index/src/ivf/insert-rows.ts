import { throwIfAborted } from "../insert-signal.ts";
import type { InsertManyOptions, VectorRows } from "../vector-index.ts";
import { placeRows } from "./insert.ts";
import type { InvertedFile } from "./inverted-file.ts";

/** Rows that are written and placed at a time. */
const STEP = 16_384;

export interface InsertRowsOptions extends InsertManyOptions {
	/** Called before each step; what it throws ends it. */
	readonly beforeStep: () => void;
}

/**
 * Puts rows into an index that has room for them, in place of those of the same labels. It goes step by step, so that a signal ends it between two of them.
 * Whatever ends it, what has been placed by then stays, and labels that it has not come to keep the rows they had.
 */
export async function insertRows(
	file: InvertedFile,
	rows: VectorRows,
	labels: Uint32Array,
	options: InsertRowsOptions,
): Promise<void> {
	const n = labels.length;
	const step = file.staging?.most ?? STEP;
	for (let from = 0; from < n; from += step) {
		throwIfAborted(options.signal, from, n);
		options.beforeStep();
		const to = Math.min(n, from + step);
		file.staging?.begin(file.slots, to - from);
		const places = Array.from({ length: to - from }, (_, i) => {
			const place = file.takePlace();
			const vector = file.rows.rowOf(rows, from + i);
			if (options.stored === true) file.rows.writeStored(vector, file.vectorOf(place));
			else file.rows.write(vector, file.vectorOf(place));
			return place;
		});
		await placeAll(file, places, labels.subarray(from, to), options);
		options.onProgress?.(to, n);
	}
}

/** Puts rows into cells. Where that fails, places of those that are in none by then are given back. */
async function placeAll(
	file: InvertedFile,
	places: readonly number[],
	labels: Uint32Array,
	{ parallel }: InsertManyOptions,
): Promise<void> {
	let placed = 0;
	const onStep = (done: number) => {
		placed = done;
	};
	try {
		await placeRows(file, places, labels, { parallel, onStep });
	} catch (error) {
		file.giveBack(places.slice(placed));
		throw error;
	}
}
