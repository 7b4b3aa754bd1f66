import type { EngineResult } from "../run/interleave.ts";
import type { Machine } from "./machine.ts";

/** All that a run has to tell, before it is written in any form. */
export interface Report {
	/** The command that measures the same again. */
	readonly command: string;
	readonly machine: Machine;
	readonly set: ReportedSet;
	readonly parameters: {
		/** Neighbours asked for. */
		readonly k: number;
		/** Links of a node on the upper layers of a graph. */
		readonly M: number;
		/** Beam width while building. */
		readonly efConstruction: number;
		/** Timed passes over each setting. */
		readonly passes: number;
	};
	/** The engines that answered everything, in the order they were asked. */
	readonly results: readonly EngineResult[];
	/** What went wrong, by engine. */
	readonly failures: Readonly<Record<string, string>>;
}

export interface ReportedSet {
	readonly name: string;
	readonly about: string;
	readonly metric: "l2" | "cosine";
	readonly dimensions: number;
	/** Vectors. */
	readonly n: number;
	readonly queryCount: number;
}

/** The engine that all others are compared with. */
export const NIGH = "nigh";

/** Whether an engine is Nigh, or another of its indexes: `nigh-ivf` and so on. */
export function isNigh(engine: string): boolean {
	return engine === NIGH || engine.startsWith(`${NIGH}-`);
}

/** Recalls at which the engines' queries a second are compared. */
export const COMPARED_RECALLS = [0.9, 0.95, 0.99] as const;

/** An engine in a table: its name, and what has to stand beside its figures. */
export function engineText({ engine, caveat }: EngineResult): string {
	return caveat === undefined ? engine : `${engine} (${caveat})`;
}
