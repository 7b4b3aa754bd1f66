import { cellsLadder, dearestWidth, graphLadder, graphRung, pilotGoal, type Rung, widths } from "@nigh/recall";
import type { Searcher, SlotQuery } from "../memory/searcher.ts";
import { MOST_EF } from "./parameters.ts";
import type { Subject } from "./subject.ts";
import { TimedPilot } from "./timed-pilot.ts";

/** Times the usual number of candidates that a ladder may compare by their vectors, where codes are too coarse for fewer. */
const DEEPER = [1, 4, 16] as const;
const MOST_CANDIDATES = 16_000;

/** Candidates that coarse codes take at least. */
const CANDIDATES = { beyondK: 190, perK: 20 } as const;

/** A ladder is placed for a target of at most this: beyond, hardly any pilot can tell where it begins. */
const HIGHEST = 0.999;

/** A walk that ends early has to be so much faster than one that does not, at the same recall of the pilot, to be worth a ladder. */
const WORTH = 0.95;

/**
 * Times as wide as the pilot has found enough, the dearest rung is: a pilot is a small sample, and the few queries that find little may all be missing
 * from it. It costs time, and hardly anything of the certificate: dearer rungs find more, and pass first; those that have are not measured any more.
 */
const MARGIN = 8;

/**
 * Fixes the ladder of a cell: what its dearest rung is like is found by a pilot, whose queries are not used again.
 *
 * @param target The highest that is to be certified.
 */
export async function placeLadder(
	subject: Subject,
	queries: readonly SlotQuery["vector"][],
	k: number,
	target: number,
): Promise<readonly Rung[]> {
	const { main } = subject.searcher.area;
	if (main === null) return [];
	const goal = pilotGoal(Math.min(target, HIGHEST));
	const pilot = await TimedPilot.of(subject, queries, k);
	if (main.kind === "hnsw") {
		const most = Math.max(k, Math.min(MOST_EF, main.reader.maxEf));
		const found = await place(dearestWidth(Math.max(k, 16), most, goal), (ef) => pilot.meanOf(graphRung(ef)));
		const isPatient = await isWorthEndingEarly(pilot, k, found.width, target);
		return graphLadder({ k, dearest: Math.min(most, MARGIN * found.width), isPatient });
	}
	const { nlist, parameters } = main.reader;
	const vectors = subject.searcher.generation.mainEnd;
	const depths = depthsFor(parameters, k);
	for (const rerank of depths) {
		const depth = rerank === undefined ? {} : { rerank };
		const found = await place(dearestWidth(Math.min(4, nlist), nlist, goal), (nprobe) =>
			pilot.meanOf({ kind: "cells", nprobe, ...depth }),
		);
		if (found.mean < goal && rerank !== depths.at(-1)) continue;
		return cellsLadder({ nlist, vectors, dearest: Math.min(nlist, MARGIN * found.width), rerank });
	}
	return [];
}

/** Whether the narrowest walk that reaches the target in the pilot is slower than the narrowest of those that end early. */
async function isWorthEndingEarly(pilot: TimedPilot, k: number, widest: number, target: number): Promise<boolean> {
	const narrowest = async (isPatient: boolean) => {
		const rungs = widths(k, widest).map((ef) => graphRung(ef, isPatient));
		// Recall grows with the width, but for chance: by bisection.
		let [low, high] = [0, rungs.length - 1];
		while (low < high) {
			const middle = (low + high + 1) >> 1;
			if ((await pilot.meanOf(rungs[middle] as Rung)) >= target) low = middle;
			else high = middle - 1;
		}
		return rungs[low] as Rung;
	};
	const [plain, patient] = [await narrowest(false), await narrowest(true)];
	if ((await pilot.meanOf(patient)) < target) return false;
	const [plainMs, patientMs] = await pilot.timesOf([plain, patient]);
	return (patientMs as number) < WORTH * (plainMs as number);
}

/** Candidates to try, the fewest first: as many as the index takes by itself, unless it compares none by their vectors. */
function depthsFor(
	{ kind, rerank }: { readonly kind: string; readonly rerank: number | undefined },
	k: number,
): readonly (number | undefined)[] {
	if (kind === "ivf") return [undefined];
	const least = Math.max(k + CANDIDATES.beyondK, CANDIDATES.perK * k);
	const explicit = DEEPER.map((times) => Math.max(k, Math.min(MOST_CANDIDATES, times * least)));
	return rerank === 0 ? explicit : [undefined, ...explicit];
}

async function place<T>(asking: Generator<number, T, number>, answer: (width: number) => Promise<number>): Promise<T> {
	let asked = asking.next();
	while (asked.done !== true) asked = asking.next(await answer(asked.value));
	return asked.value;
}

/** Where no query may be kept to place it: from as wide as searches commonly are at most. */
export function ladderWithoutPilot({ area: { main }, generation }: Searcher, k: number): readonly Rung[] {
	if (main === null) return [];
	if (main.kind === "hnsw")
		return graphLadder({ k, dearest: Math.min(MOST_EF, main.reader.maxEf, 32 * Math.max(k, 16)) });
	const { nlist, parameters } = main.reader;
	const depths = depthsFor(parameters, k);
	const vectors = generation.mainEnd;
	return cellsLadder({
		nlist,
		vectors,
		dearest: Math.max(1, Math.floor(nlist / 4)),
		rerank: depths.at(1) ?? depths[0],
	});
}
