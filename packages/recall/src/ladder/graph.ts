import type { GraphRung } from "./rungs.ts";
import { widths } from "./widths.ts";

export interface GraphLadderOptions {
	/** Hits that are searched for: the narrowest beam. */
	readonly k: number;
	/** The beam width of the dearest rung, as the pilot has found it; at least k. */
	readonly dearest: number;
	/** Let walks end early where their best have settled: it belongs to each rung, and is certified with it. Default: false. */
	readonly isPatient?: boolean;
}

/** The rungs of a graph, the dearest first. */
export function graphLadder({ k, dearest, isPatient = false }: GraphLadderOptions): GraphRung[] {
	return widths(k, Math.max(k, dearest)).map((ef) => graphRung(ef, isPatient));
}

/**
 * Expansions without anything new after which a walk ends, as a share of its beam. Measured on text, image and made vectors at 0.90, 0.95 and 0.99: of the
 * shares from 0.1 to 0.75, this one was never slower than the plain walk of the same recall by more than 5 %, and up to 10 % faster where the
 * beam is wide.
 */
const PATIENCE = 0.33;

/** A rung of a graph. */
export function graphRung(ef: number, isPatient = false): GraphRung {
	return isPatient ? { kind: "graph", ef, patience: Math.max(1, Math.round(PATIENCE * ef)) } : { kind: "graph", ef };
}
