import { type IvfScratch, stagedRows } from "./scratch.ts";
import type { IvfView } from "./view.ts";

/**
 * The second half of a search whose vectors are elsewhere: ranks rows by exact keys to the query in the scratch. `stage` puts `n` rows from row `first` on, each
 * with its padding, at an address. Returns how many answers there are.
 */
export function rankRows(
	{ arena, rows }: IvfView,
	{ query, keys, labels: labelsAt, answer }: IvfScratch,
	staged: number,
	labels: Uint32Array,
	k: number,
	stage: (first: number, n: number, address: number) => void,
): number {
	const step = stagedRows(rows.bytes);
	let size = 0;
	for (let first = 0; first < labels.length; first += step) {
		const n = Math.min(step, labels.length - first);
		stage(first, n, staged);
		arena.u32(labelsAt, n).set(labels.subarray(first, first + n));
		arena.kernels.distanceBlock(rows.metricCode, query, staged, rows.bytes, rows.bytes, n, keys);
		size = arena.kernels.topk(keys, labelsAt, n, k, answer, size, 0);
	}
	return size;
}
