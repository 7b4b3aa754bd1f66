import { rowBytes } from "@nigh/kernels";
import type { Neighbor } from "../vector-index.ts";
import type { IvfOptions } from "./create-file.ts";
import { built } from "./ivf.test-support.ts";
import type { IvfIndex } from "./ivf.ts";
import type { IvfSearchOptions } from "./search.ts";

/** The same vectors in an index that holds them and in one that does not, of the same training, which codes them alike. */
export interface Twins {
	readonly memory: IvfIndex;
	readonly disk: IvfIndex;
}

export async function twins(options: IvfOptions, rows: Float32Array): Promise<Twins> {
	return { memory: await built(options, rows), disk: await built({ ...options, storage: "disk" }, rows) };
}

/** Vectors of labels as whoever owns an index on disk has kept them. */
export function vectorsOf(memory: IvfIndex, labels: Uint32Array): Float32Array {
	const d = memory.dimensions;
	const rows = new Float32Array(labels.length * d);
	labels.forEach((label, i) => {
		rows.set(memory.vector(label) as Float32Array, i * d);
	});
	return rows;
}

/** The same with the padding of rows. */
export function paddedRowsOf(memory: IvfIndex, labels: Uint32Array): Uint8Array {
	const bytes = rowBytes(4 * memory.dimensions);
	const rows = new Float32Array((labels.length * bytes) / 4);
	labels.forEach((label, i) => {
		rows.set(memory.vector(label) as Float32Array, (i * bytes) / 4);
	});
	return new Uint8Array(rows.buffer);
}

/** A search in its two halves. */
export function splitSearch(
	{ memory, disk }: Twins,
	query: Float32Array,
	k: number,
	options: IvfSearchOptions = {},
): Neighbor[] {
	const { labels } = disk.probe(query, k, options);
	return disk.rank(query, k, labels, vectorsOf(memory, labels));
}
