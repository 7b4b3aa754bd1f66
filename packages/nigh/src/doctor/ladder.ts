import { BOUNDS, CELL_KINDS, type CollectionStats } from "@nigh/contract";
import { cellsLadder, dearestWidth, graphLadder, settingOf } from "@nigh/recall";
import type { SearchSetting } from "./examination.ts";
import type { Judged } from "./questions.ts";

/** What the pilot's queries say of a setting. */
export interface PilotRun {
	readonly mean: number;
	/** Whether every one of them compared everything: by its own word, and by what it found. */
	readonly isExact: boolean;
	/** Candidates that were compared by their vectors, at most. */
	readonly rerank: number | undefined;
}

/** Asks the pilot's queries. */
export type Pilot = (setting: SearchSetting) => Promise<PilotRun>;

export function pilotRun(answers: readonly Judged[]): PilotRun {
	const reranks = answers.flatMap(({ rerank }) => (rerank === undefined ? [] : [rerank]));
	return {
		mean: answers.reduce((sum, { recall }) => sum + recall, 0) / answers.length,
		isExact: answers.every(({ isExact, recall }) => isExact && recall === 1),
		rerank: reranks.length === 0 ? undefined : Math.max(...reranks),
	};
}

/** Nothing but how the collection searches by itself. */
export const BY_DEFAULT: readonly SearchSetting[] = [{}];

/** The settings to test. */
export interface Ladder {
	/** The dearest first. */
	readonly settings: readonly SearchSetting[];
	/** Whether no search can be wider than the first of them; if it can, the pilot has found that enough. */
	readonly isWidest: boolean;
}

export interface LadderOptions {
	readonly k: number;
	/** The mean that the pilot is to see on the dearest setting. */
	readonly goal: number;
	/** Whether the back end takes settings at all. */
	readonly searchWidth: boolean;
}

/**
 * The settings to test: a graph's beam widths, or the cells to look into, placed by the pilot. One that says nothing where
 * the back end takes none, or does not tell its cells.
 *
 * @returns `undefined` where all of the pilot was answered exactly without having been asked to, as narrowly as may be and by default.
 */
export async function settingsFor(
	{ effective, index: { main } }: Pick<CollectionStats, "effective" | "index">,
	{ k, goal, searchWidth }: LadderOptions,
	pilot: Pilot,
): Promise<Ladder | undefined> {
	const { kind, parameters } = effective.index;
	const { nlist } = parameters;
	const isExact = async (narrowest: SearchSetting) => (await pilot(narrowest)).isExact && (await pilot({})).isExact;
	if (searchWidth && kind === "hnsw") {
		if (await isExact({ ef: k })) return undefined;
		const most = Math.max(k, Math.min(BOUNDS.ef.max, main));
		const { width } = await place(k, most, goal, (ef) => pilot({ ef }));
		return { settings: graphLadder({ k, dearest: width }).map((rung) => settingOf(rung)), isWidest: width === most };
	}
	if (searchWidth && CELL_KINDS.some((each) => each === kind) && typeof nlist === "number") {
		if (await isExact({ nprobe: 1 })) return undefined;
		const { isWidest, ...cells } = await placeCells(kind !== "ivf", { k, goal, nlist, main }, pilot);
		return { settings: cellsLadder({ nlist, vectors: main, ...cells }).map((rung) => settingOf(rung)), isWidest };
	}
	return (await pilot({})).isExact ? undefined : { settings: BY_DEFAULT, isWidest: !searchWidth };
}

interface Cells {
	readonly k: number;
	readonly goal: number;
	readonly nlist: number;
	readonly main: number;
}

/** Where all cells are not enough, codes have misjudged: more candidates are compared, and cells are counted anew. */
async function placeCells(
	isCoded: boolean,
	{ k, goal, nlist, main }: Cells,
	pilot: Pilot,
): Promise<{ readonly dearest: number; readonly rerank?: number; readonly isWidest: boolean }> {
	let usual = 0;
	const probes = await place(1, nlist, goal, async (nprobe) => {
		const run = await pilot({ nprobe });
		usual = Math.max(usual, run.rerank ?? 0);
		return run;
	});
	// Of codes, more candidates could be compared.
	if (!isCoded) return { dearest: probes.width, isWidest: probes.width === nlist };
	if (probes.mean >= goal) return { dearest: probes.width, isWidest: false };
	const most = Math.max(k, Math.min(BOUNDS.rerank.max, main));
	const { width: rerank } = await place(Math.max(k, 2 * usual), most, goal, (each) =>
		pilot({ nprobe: nlist, rerank: each }),
	);
	const { width: dearest } = await place(1, nlist, goal, (nprobe) => pilot({ nprobe, rerank }));
	return { dearest, rerank, isWidest: dearest === nlist && rerank === most };
}

async function place(
	least: number,
	most: number,
	goal: number,
	run: (width: number) => Promise<PilotRun>,
): Promise<{ readonly width: number; readonly mean: number }> {
	const search = dearestWidth(least, most, goal);
	let step = search.next();
	while (!step.done) step = search.next((await run(step.value)).mean);
	return step.value;
}
