import type { CellsRung } from "./rungs.ts";
import { widths } from "./widths.ts";

/** The arms that NanoIndex chose from (see the tuner), by the cells and rows that they look into. */
export const CELL_ARMS: readonly (CellsRung & { readonly arm: string; readonly budget: number })[] = [
	{ kind: "cells", arm: "ivf_aggressive", nprobe: 20, budget: 100_000 },
	{ kind: "cells", arm: "ivf_balanced", nprobe: 10, budget: 50_000 },
	{ kind: "cells", arm: "ivf_conservative", nprobe: 5, budget: 10_000 },
];

export interface CellsLadderOptions {
	/** Cells there are. */
	readonly nlist: number;
	/** Vectors in them. */
	readonly vectors: number;
	/** Cells that the dearest rung looks into, as the pilot has found them; at most nlist. */
	readonly dearest: number;
	/** Candidates that each rung compares by their vectors; left out: as many as the index takes by itself. */
	readonly rerank?: number | undefined;
}

/**
 * The rungs of cells, the dearest first. The arms of the tuner stand among them, in the order of the rows that they scan: what is certified is certified
 * in one sequence, and none of them is served without.
 */
export function cellsLadder({ nlist, vectors, dearest, rerank }: CellsLadderOptions): CellsRung[] {
	const depth = rerank === undefined ? {} : { rerank };
	const plain = widths(1, Math.min(nlist, dearest)).map((nprobe): CellsRung => ({ kind: "cells", nprobe, ...depth }));
	const arms = CELL_ARMS.map((arm): CellsRung => ({ ...arm, nprobe: Math.min(nlist, arm.nprobe), ...depth }));
	const rows = ({ nprobe, budget = Number.POSITIVE_INFINITY }: CellsRung) =>
		Math.min((nprobe * vectors) / nlist, budget);
	// Of those that scan as much, the one without a limit comes first: it finds no less.
	return [...plain, ...arms.filter((arm) => rows(arm) <= (dearest * vectors) / nlist)].sort(
		(a, b) => rows(b) - rows(a),
	);
}
