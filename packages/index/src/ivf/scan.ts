import { NO_PLACE } from "@nigh/kernels";
import type { Label } from "../vector-index.ts";
import { CHUNK_ROWS, type IvfScratch } from "./scratch.ts";
import type { IvfView } from "./view.ts";

/**
 * Ranks the rows in places `first` to `first + n - 1` (at most {@link CHUNK_ROWS}) by exact keys to the query in the scratch, beside the `size`
 * answers that it has by now. Returns how many answers there are then.
 */
export function scanPlaces(
	view: IvfView,
	scratch: IvfScratch,
	{ first, n, size }: { readonly first: number; readonly n: number; readonly size: number },
	{ k, eligibility }: { readonly k: number; readonly eligibility: number },
): number {
	const { arena, rows, vectors } = view;
	const { query, keys, labels, answer } = scratch;
	const row = vectors + first * rows.bytes;
	arena.kernels.distanceBlock(rows.metricCode, query, row, rows.bytes, rows.bytes, n, keys);
	const labelOf = arena.u32(view.labels + 4 * first, n);
	const named = arena.u32(labels, n);
	const found = arena.f32(keys, n);
	let used = 0;
	for (let i = 0; i < n; i++) {
		const label = labelOf[i] as number;
		if (label === NO_PLACE) continue;
		found[used] = found[i] as number;
		named[used++] = label;
	}
	return arena.kernels.topk(keys, labels, used, k, answer, size, eligibility);
}

/**
 * Ranks some labels by exact keys to the query in the scratch; `placeOf` says where each is, and those that are nowhere are passed over.
 * Returns how many answers there are.
 */
export function rankPlaces(
	view: IvfView,
	scratch: IvfScratch,
	chosen: Iterable<Label>,
	placeOf: (label: Label) => number | undefined,
	{ k, eligibility }: { readonly k: number; readonly eligibility: number },
): number {
	const { arena, rows, vectors } = view;
	const { query, places, keys, labels, answer } = scratch;
	const at = arena.u32(places, CHUNK_ROWS);
	const named = arena.u32(labels, CHUNK_ROWS);
	let size = 0;
	let n = 0;
	const rank = () => {
		arena.kernels.distanceMany(rows.metricCode, query, vectors, rows.bytes, rows.bytes, places, n, keys);
		size = arena.kernels.topk(keys, labels, n, k, answer, size, eligibility);
		n = 0;
	};
	for (const label of chosen) {
		const place = placeOf(label);
		if (place === undefined) continue;
		at[n] = place;
		named[n++] = label;
		if (n === CHUNK_ROWS) rank();
	}
	rank();
	return size;
}
