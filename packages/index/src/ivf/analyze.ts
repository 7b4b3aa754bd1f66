import { countDistinct } from "../kmeans/report.ts";
import type { InvertedFile } from "./inverted-file.ts";
import type { CellFill, NlistRule } from "./nlist.ts";
import { cellFill } from "./nlist.ts";

/** How the vectors lie in the cells. */
export interface CellAnalysis {
	readonly nlist: number;
	/** The rule that chose how many, and for how many vectors. */
	readonly rule: NlistRule | "given" | undefined;
	readonly trainedFor: number;
	readonly empty: number;
	/** Cells whose centroids differ. */
	readonly distinctCentroids: number;
	/** Vectors of a cell. */
	readonly size: { readonly min: number; readonly mean: number; readonly max: number };
	/** max / mean: 1 where all cells are equally full. */
	readonly imbalance: number;
	/** Rows that were removed and are still passed over in scans. */
	readonly tombstones: number;
	readonly fill: CellFill;
}

export function analyzeCells(file: InvertedFile, capacity?: number): CellAnalysis {
	const { nlist, size, learnt } = file;
	let [min, max, empty] = [nlist === 0 ? 0 : Number.POSITIVE_INFINITY, 0, 0];
	for (let cell = 0; cell < nlist; cell++) {
		const live = file.cells.liveIn(cell);
		min = Math.min(min, live);
		max = Math.max(max, live);
		if (live === 0) empty++;
	}
	const mean = nlist === 0 ? 0 : size / nlist;
	return {
		nlist,
		rule: learnt?.choice.rule,
		trainedFor: learnt?.choice.n ?? 0,
		empty,
		distinctCentroids: distinctCentroids(file),
		size: { min, mean, max },
		imbalance: mean === 0 ? 1 : max / mean,
		tombstones: file.cells.tombstones,
		fill: cellFill(size, learnt === undefined ? undefined : nlist, capacity),
	};
}

/** How many different centroids the cells have. */
export function distinctCentroids({ arena, learnt }: Pick<InvertedFile, "arena" | "learnt">): number {
	if (learnt === undefined) return 0;
	const { centroids, bytes, nlist } = learnt.coarse;
	return countDistinct(arena, centroids, bytes, nlist);
}
