/** One way to search a graph: the beam width, and after how many expansions that changed nothing the walk ends; none: it goes on to its end. */
export interface GraphRung {
	readonly kind: "graph";
	readonly ef: number;
	readonly patience?: number;
}

/** One way to search cells. */
export interface CellsRung {
	readonly kind: "cells";
	readonly nprobe: number;
	/** Candidates that are compared by their vectors; left out: as many as the index takes by itself. */
	readonly rerank?: number;
	/** Rows that may be scanned; left out: no limit. */
	readonly budget?: number;
	/** The arm of the tuner that it is. */
	readonly arm?: string;
}

/** One step of a ladder: what an approximate search is asked for. The last step, the exact search, is none of them. */
export type Rung = GraphRung | CellsRung;

/** Whether two rungs ask for the same search. */
export function isSameRung(a: Rung, b: Rung): boolean {
	if (a.kind === "graph") return b.kind === "graph" && a.ef === b.ef && a.patience === b.patience;
	return b.kind === "cells" && a.nprobe === b.nprobe && a.rerank === b.rerank && a.budget === b.budget;
}
