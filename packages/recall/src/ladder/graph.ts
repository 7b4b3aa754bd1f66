import type { GraphRung } from "./rungs.ts";
import { widths } from "./widths.ts";

export interface GraphLadderOptions {
	/** Hits that are searched for: the narrowest beam. */
	readonly k: number;
	/** The beam width of the dearest rung, as the pilot has found it; at least k. */
	readonly dearest: number;
}

/** The rungs of a graph, the dearest first. */
export function graphLadder({ k, dearest }: GraphLadderOptions): GraphRung[] {
	return widths(k, Math.max(k, dearest)).map((ef) => ({ kind: "graph", ef }));
}
