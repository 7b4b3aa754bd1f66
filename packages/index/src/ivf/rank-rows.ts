import type { ArenaView } from "../arena-view.ts";
import type { Eligibility } from "../eligibility.ts";
import type { Label } from "../vector-index.ts";
import { type IvfScratch, stagedRows } from "./scratch.ts";
import type { IvfView } from "./view.ts";

/** Writes the rows of `n` labels from `first` on to `into`, one after the other, each with its padding. */
export type ReadRows = (first: Label, n: number, into: Uint8Array) => void;

/** What is ranked: how many answers there are by now, how many are wanted, and which may be given. */
export interface Ranking {
	readonly size: number;
	readonly k: number;
	readonly eligibility: number;
}

/**
 * The second half of a search whose vectors are elsewhere: ranks rows by exact keys to the query in the scratch. `stage` puts `n` rows from row `first` on, each
 * with its padding, at an address. Returns how many answers there are.
 */
export function rankRows(
	view: IvfView,
	scratch: IvfScratch,
	staged: number,
	labels: Uint32Array,
	{ k, eligibility }: Omit<Ranking, "size">,
	stage: (first: number, n: number, address: number) => void,
): number {
	const step = stagedRows(view.rows.bytes);
	let size = 0;
	for (let first = 0; first < labels.length; first += step) {
		const n = Math.min(step, labels.length - first);
		stage(first, n, staged);
		view.arena.u32(scratch.labels, n).set(labels.subarray(first, first + n));
		writeKeys(view, scratch, staged, n);
		size = nearest(view, scratch, n, { size, k, eligibility });
	}
	return size;
}

/** Ranks the rows of `n` labels from `first` on, which are staged in the scratch, but for those that are not `held`. Returns how many answers there are. */
export function rankStaged(
	view: IvfView,
	scratch: IvfScratch,
	{ first, n }: { readonly first: Label; readonly n: number },
	held: (label: Label) => boolean,
	ranking: Ranking,
): number {
	writeKeys(view, scratch, scratch.staged, n);
	const keys = view.arena.f32(scratch.keys, n);
	const labels = view.arena.u32(scratch.labels, n);
	let left = 0;
	for (let i = 0; i < n; i++) {
		if (!held(first + i)) continue;
		keys[left] = keys[i] as number;
		labels[left++] = first + i;
	}
	return nearest(view, scratch, left, ranking);
}

function writeKeys({ arena, rows }: IvfView, { query, keys }: IvfScratch, staged: number, n: number): void {
	arena.kernels.distanceBlock(rows.metricCode, query, staged, rows.bytes, rows.bytes, n, keys);
}

function nearest(
	{ arena }: IvfView,
	{ keys, labels, answer }: IvfScratch,
	n: number,
	{ size, k, eligibility }: Ranking,
): number {
	return arena.kernels.topk(keys, labels, n, k, answer, size, eligibility);
}

/** Whether a bitmap has one of `n` labels from `first` on, or of those that share a word with them. */
export function mayHave(
	arena: ArenaView,
	{ address, covered }: NonNullable<Eligibility["allow"]>,
	first: Label,
	n: number,
): boolean {
	const end = Math.min(first + n, covered);
	if (first >= end) return false;
	const word = first >>> 5;
	return arena.u32(address + 4 * word, ((end - 1) >>> 5) - word + 1).some((bits) => bits !== 0);
}
