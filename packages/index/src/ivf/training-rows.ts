import type { VectorRows } from "../vector-index.ts";
import type { InvertedFile } from "./inverted-file.ts";
import type { TrainingRows } from "./train.ts";

/** Rows that a caller gives; `stored`: as `vector()` gives them back. */
export function givenRows({ rows }: InvertedFile, given: VectorRows, stored: boolean): TrainingRows {
	const n = rows.checkRows(given);
	return {
		n,
		write: (i, address) => {
			if (stored) rows.writeStored(rows.rowOf(given, i), address);
			else rows.write(rows.rowOf(given, i), address);
		},
	};
}

/** The vectors there are, in the order of their labels. */
export function ownRows(file: InvertedFile): TrainingRows {
	const { arena, rows } = file;
	const places = Uint32Array.from([...file.table.entries()].sort(([a], [b]) => a - b).map(([, place]) => place));
	return {
		n: places.length,
		write: (i, address) => {
			arena.u8(address, rows.bytes).set(arena.u8(file.vectorOf(places[i] as number), rows.bytes));
		},
	};
}
