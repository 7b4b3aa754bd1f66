import { cellsLadder, dearestWidth, graphLadder, pilotGoal, type Rung } from "@nigh/recall";
import type { Searcher, SlotQuery } from "../memory/searcher.ts";
import { MOST_EF } from "./parameters.ts";
import type { Subject } from "./subject.ts";

/** Times the usual number of candidates that a ladder may compare by their vectors, where codes are too coarse for fewer. */
const DEEPER = [1, 4, 16] as const;
const MOST_CANDIDATES = 16_000;

/** Candidates beyond k that coarse codes take at least. */
const CANDIDATES = { least: 190, perK: 20 } as const;

/**
 * Fixes the ladder of a cell: what its dearest rung is like is found by a pilot, whose queries are not used again.
 *
 * @param target The highest that is to be certified.
 */
export async function placeLadder(
	subject: Subject,
	pilot: readonly SlotQuery["vector"][],
	k: number,
	target: number,
): Promise<readonly Rung[]> {
	const { main } = subject.searcher.area;
	if (main === null) return [];
	const goal = pilotGoal(target);
	const truths = await subject.truths(pilot, k);
	const meanOf = async (rung: Rung) => {
		let [sum, n] = [0, 0];
		for (const [i, vector] of pilot.entries()) {
			const truth = truths[i];
			if (truth === undefined) continue;
			sum += await subject.recallAt(rung, vector, k, truth);
			n++;
		}
		return n === 0 ? 1 : sum / n;
	};
	if (main.kind === "hnsw") {
		const most = Math.max(k, Math.min(MOST_EF, main.reader.maxEf));
		const { width } = await place(dearestWidth(Math.max(k, 16), most, goal), (ef) => meanOf({ kind: "graph", ef }));
		return graphLadder({ k, dearest: width });
	}
	const { nlist, parameters } = main.reader;
	const vectors = subject.searcher.generation.mainEnd;
	for (const rerank of depthsFor(parameters, k)) {
		const depth = rerank === undefined ? {} : { rerank };
		const found = await place(dearestWidth(Math.min(4, nlist), nlist, goal), (nprobe) =>
			meanOf({ kind: "cells", nprobe, ...depth }),
		);
		const isLast = rerank === undefined ? parameters.kind === "ivf" : rerank >= MOST_CANDIDATES;
		if (found.mean >= goal || isLast) return cellsLadder({ nlist, vectors, dearest: found.width, rerank });
	}
	return cellsLadder({ nlist, vectors, dearest: nlist, rerank: depthsFor(parameters, k).at(-1) });
}

/** Candidates to try, the fewest first: as many as the index takes by itself, unless it compares none by their vectors. */
function depthsFor(
	{ kind, rerank }: { readonly kind: string; readonly rerank: number | undefined },
	k: number,
): readonly (number | undefined)[] {
	if (kind === "ivf") return [undefined];
	const least = Math.max(k + CANDIDATES.least, CANDIDATES.perK * k);
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
	const rerank = depthsFor(parameters, k).at(1) ?? depthsFor(parameters, k)[0];
	return cellsLadder({ nlist, vectors: generation.mainEnd, dearest: Math.max(1, Math.floor(nlist / 4)), rerank });
}
