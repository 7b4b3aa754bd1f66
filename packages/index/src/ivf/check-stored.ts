import { checkVector, NighError } from "@nigh/contract";
import type { InvertedFile } from "./inverted-file.ts";

/**
 * How many vectors, as they are stored, are given with their labels.
 *
 * @throws NighError `INVALID_OPTION`, `INVALID_VECTOR`, `DIMENSION_MISMATCH`.
 */
export function checkStored({ rows }: InvertedFile, labels: Uint32Array, vectors: Float32Array): number {
	if (!(labels instanceof Uint32Array)) {
		throw new NighError("INVALID_OPTION", "labels are given as a Uint32Array, one for each row", { field: "labels" });
	}
	const n = rows.countRows(vectors);
	if (n !== labels.length) {
		throw new NighError("DIMENSION_MISMATCH", `there are ${n} rows and ${labels.length} labels: give one for each`, {
			expected: labels.length,
			actual: n,
		});
	}
	for (let row = 0; row < n; row++) checkVector(rows.rowOf(vectors, row), rows.dimensions, { row });
	return n;
}
