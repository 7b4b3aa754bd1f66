import type { Rung } from "@nigh/recall";
import type { SlotQuery } from "../memory/searcher.ts";

/** What of a query a rung says. */
export type RungWidths = Pick<SlotQuery, "ef" | "patience" | "nprobe" | "rerank" | "budget">;

/** What a search of a rung is asked for. The width is that without a filter: with one, the planner goes by it, as it did when it was measured. */
export function widthsOf(rung: Rung, k: number): RungWidths {
	if (rung.kind === "graph") return { ef: Math.max(k, rung.ef), patience: rung.patience };
	const { nprobe, rerank, budget } = rung;
	return { nprobe, rerank: rerank === undefined ? undefined : Math.max(k, rerank), budget };
}
