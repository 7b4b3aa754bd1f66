import type { SearchPlan } from "@nigh/contract";
import { K } from "../table.ts";

/** Settings to be asked for beside an index's own: fewer and more cells, fewer and more candidates. None where it has no `cells`. */
export function settingsAround(
	{ index, nprobe: own, rerank }: Pick<SearchPlan, "index" | "nprobe" | "rerank">,
	cells: number,
): { readonly nprobe: number; readonly rerank?: number }[] {
	if (own === undefined || cells === 0) return [];
	const counts = [
		...new Set([own / 2, own, own * 2].map((nprobe) => Math.min(cells, Math.max(1, Math.round(nprobe))))),
	];
	// 7-bit codes have bounds that say what to compare; how many is nobody's to choose.
	if (index === "ivf" || rerank === undefined)
		return counts.filter((nprobe) => nprobe !== own).map((nprobe) => ({ nprobe }));
	const depths = [...new Set([rerank / 2, rerank, rerank * 2].map((depth) => Math.max(K, Math.round(depth))))];
	const others = counts.filter((nprobe) => nprobe !== own);
	return [
		...others.map((nprobe) => ({ nprobe, rerank })),
		...depths.filter((depth) => depth !== rerank).map((depth) => ({ nprobe: own, rerank: depth })),
		...others.filter((nprobe) => nprobe > own).map((nprobe) => ({ nprobe, rerank: rerank * 2 })),
	];
}
