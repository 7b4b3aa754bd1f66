import type { RecallBasis } from "@nigh/contract";
import { type Place, Process } from "./process.ts";

export const LADDER = [80, 60, 40, 20].map((ef) => ({ kind: "graph" as const, ef }));

export interface Told {
	readonly basis?: RecallBasis;
	readonly identity?: string;
	readonly place?: Partial<Place>;
	readonly targets?: readonly number[];
	readonly delta?: number;
}

/** A process of four rungs that so many queries were asked of, each of which found what `recalls` tells by rung. */
export function processFor(asked: number, recalls: readonly number[], told: Told = {}): Process {
	const { basis = "queries", identity = "first", targets = [0.9], delta = 0.05 } = told;
	const place = { identity, churn: 1_000, vectors: 1_000, changeNumber: 3, ...told.place };
	const process = new Process({ place, basis, ladder: LADDER, targets, delta });
	for (let i = 0; i < asked; i++) process.record([0, 1, 2, 3], recalls, 500 + i);
	return process;
}
