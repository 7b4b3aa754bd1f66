import { isSameRung, type Rung } from "../ladder/rungs.ts";

/** A way to search that the tuner may choose. */
export interface Arm {
	/** `flat`, the name of an arm of cells (`ivf_balanced`), or the setting: `ef 40`. */
	readonly name: string;
	/** `null`: the exact search. */
	readonly rung: Rung | null;
}

/** The exact search, which keeps every target without a certificate. */
export const FLAT: Arm = { name: "flat", rung: null };

/** Rungs dearer than the served one that are arms of a graph: 1.1^2 = 1.21 times its beam at most. */
const DEARER_OF_GRAPH = 2;
/** The same of cells, whose arms of a name stand among them. */
const DEARER_OF_CELLS = 1;

/**
 * The arms of one cell of recall: each is certified for it, or exact.
 *
 * - Of a graph: the served rung and the next two dearer ones. They are a few per cent apart, and which of them is the fastest depends on the machine.
 * - Of cells: the exact search, the arms of a name among what has passed (`CELL_ARMS`), the served rung and the next dearer one.
 * - Where nothing has passed, the exact search alone.
 *
 * @param passed The rungs that have passed for the cell's target, the dearest first: those of the ladder up to the certificate's.
 * @param served The place in `passed` of the cheapest that may serve; -1: none. Not what the tuner has chosen, but what it is to choose from. What is
 *   cheaper is no arm, also where it has passed: a search between two bands of k is held to the stricter one's. Left out: the cheapest of them.
 * @returns The dearest first.
 */
export function armsFor(passed: readonly Rung[], served: number = passed.length - 1): readonly Arm[] {
	if (!Number.isInteger(served) || served < -1 || served >= passed.length) {
		throw new RangeError(`rung ${served} is none of the ${passed.length} that have passed`);
	}
	const cheapest = passed[served];
	if (cheapest === undefined) return [FLAT];
	const isOfCells = cheapest.kind === "cells";
	const from = served - (isOfCells ? DEARER_OF_CELLS : DEARER_OF_GRAPH);
	const arms = passed.slice(0, served + 1).filter((rung, at) => at >= from || (rung.kind === "cells" && rung.arm));
	return isOfCells ? [FLAT, ...arms.map(armOf)] : arms.map(armOf);
}

/** The arm that asks for a rung, by its name: that of NanoIndex's arms, else the setting. */
export function armOf(rung: Rung): Arm {
	const named = rung.kind === "cells" ? rung.arm : undefined;
	const patience = rung.kind === "graph" && rung.patience !== undefined ? { patience: rung.patience } : {};
	const asked = Object.entries({ ...settingOf(rung), ...patience });
	return { name: named ?? asked.map(([name, value]) => `${name} ${value}`).join(", "), rung };
}

/** What a search is asked for to be made on a rung, but for {@link endsEarly}, for which it has no name; `null` of the exact search. */
export function settingOf(rung: Rung): Readonly<Record<string, number>>;
export function settingOf(rung: Rung | null): Readonly<Record<string, number>> | null;
export function settingOf(rung: Rung | null): Readonly<Record<string, number>> | null {
	if (rung === null) return null;
	if (rung.kind === "graph") return { ef: rung.ef };
	const { nprobe, rerank, budget } = rung;
	return { nprobe, ...(rerank !== undefined && { rerank }), ...(budget !== undefined && { budget }) };
}

/** Whether the walks of a rung end early where their best have settled. */
export function endsEarly(rung: Rung | null): boolean {
	return rung?.kind === "graph" && rung.patience !== undefined;
}

/** Whether two arms are one: what is known of the one holds for the other. */
export function isSameArm(a: Arm, b: Arm): boolean {
	if (a === b) return true;
	if (a.name !== b.name) return false;
	return a.rung === null || b.rung === null ? a.rung === b.rung : isSameRung(a.rung, b.rung);
}
