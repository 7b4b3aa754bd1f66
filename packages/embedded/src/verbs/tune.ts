import { checkOptions, type ProgressOptions, type TuneReport, type TuneStats } from "@nigh/contract";
import type { Arm, Bandit, Tuner } from "@nigh/recall";
import type { CollectionCore } from "../core.ts";
import { isExactWay } from "../memory/main-search.ts";
import type { TunedCell } from "../recall/collection-recall.ts";
import type { SampledQuery } from "../recall/queries.ts";
import { checkAborted } from "./check-aborted.ts";
import { checkRequest } from "./check-request.ts";
import { fairTurn } from "./fair-turn.ts";
import { find } from "./find.ts";
import { Progress } from "./progress.ts";
import { inSomeState } from "./search-state.ts";

/** Queries that the settings of a cell are measured by. */
const QUERIES = 64;
/** Times that all of them go round: what comes first finds nothing in the processor's cache. */
const ROUNDS = 3;
/** Parts that progress is told in: which settings are certified may change meanwhile. */
const PARTS = 1_000;

/**
 * Measures the certified settings of every cell by queries that were searched for, in turn, so that what else goes on slows all of them. What is not
 * certified is not measured.
 */
export async function tune(core: CollectionCore, options: ProgressOptions): Promise<TuneReport> {
	checkOptions(options, ["onProgress", "signal"], "tune");
	checkAborted(options.signal);
	const tuner = tunerOf(core);
	const cells = tuner === undefined ? [] : core.recall.tunedCells;
	const samples = cells.length === 0 ? [] : await sampled(core);
	const before: number[] = [];
	const after: number[] = [];
	let changed = 0;
	const progress = new Progress(options.onProgress, PARTS);
	for (const [at, tuned] of cells.entries()) {
		const { cell, bandit } = tuned;
		const queries = samples.filter(({ k, band }) => k === cell.k && band === cell.selectivity);
		const was = bandit.best();
		if (queries.length === 0 || was === undefined) continue;
		const means = await measureAll(core, tuned, queries, {
			signal: options.signal,
			onSearch: (share) => progress.advance(Math.floor((PARTS * (at + share)) / cells.length)),
		});
		const is = bandit.best() ?? was;
		if (is.name !== was.name) changed++;
		before.push(means.get(was.name) ?? Number.NaN);
		after.push(means.get(is.name) ?? Number.NaN);
	}
	await keep(core);
	progress.finish();
	const { latencyMs } = core.spec;
	const tooSlow = latencyMs === null ? [] : (tuner?.tooSlow(latencyMs) ?? []);
	return { changed, before: meanOf(before), after: meanOf(after), tooSlow };
}

interface Measuring {
	readonly signal: AbortSignal | undefined;
	/** Told the share of a cell's searches that are done; less again where settings have been certified meanwhile. */
	readonly onSearch: (share: number) => void;
}

async function sampled(core: CollectionCore): Promise<readonly SampledQuery[]> {
	core.recall.sampling.flush();
	return core.database.threads.examiner.call("sample", { key: core.key, most: QUERIES });
}

/** Measures all arms, those too that are certified meanwhile. Returns the mean time of each by its name, in ms; one that could not answer has none. */
async function measureAll(
	core: CollectionCore,
	{ bandit }: TunedCell,
	queries: readonly SampledQuery[],
	measuring: Measuring,
): Promise<ReadonlyMap<string, number>> {
	const means = new Map<string, number>();
	const measured = new Set<string>();
	for (;;) {
		const arms = bandit.records.flatMap(({ arm }) => (measured.has(arm.name) ? [] : [arm]));
		if (arms.length === 0) return means;
		for (const [{ name }, mean] of await measure(core, bandit, arms, queries, measuring)) means.set(name, mean);
		for (const { name } of arms) measured.add(name);
	}
}

/** Searches for each query with each arm, one after the other. */
async function measure(
	core: CollectionCore,
	bandit: Bandit,
	arms: readonly Arm[],
	queries: readonly SampledQuery[],
	{ signal, onSearch }: Measuring,
): Promise<ReadonlyMap<Arm, number>> {
	let searches = 0;
	const times = new Map<Arm, number[]>(arms.map((arm) => [arm, []]));
	for (let round = 0; round < ROUNDS; round++) {
		for (const query of queries) {
			for (const arm of arms) {
				await fairTurn();
				checkAborted(signal);
				const ms = await timed(core, query, arm, signal);
				if (ms === undefined) bandit.fellBack(arm);
				else if (bandit.credit(arm, ms)) times.get(arm)?.push(ms);
				onSearch(++searches / (ROUNDS * queries.length * arms.length));
			}
		}
	}
	return new Map([...times].flatMap(([arm, all]) => (all.length === 0 ? [] : [[arm, meanOf(all) as number]])));
}

/** ms of a search as an arm is labelled; `undefined` where it was answered another way. */
async function timed(
	core: CollectionCore,
	{ vector, k, node }: SampledQuery,
	arm: Arm,
	signal: AbortSignal | undefined,
): Promise<number | undefined> {
	const request = { ...checkRequest(core, { vector, k }), node };
	let ms = 0;
	const found = await inSomeState(core, { signal, left: () => Number.POSITIVE_INFINITY }, async (state) => {
		if (state === undefined) return undefined;
		const start = performance.now();
		const answer = await find(core, { request, vector, start, isTrial: true, rung: arm.rung }, state);
		ms = performance.now() - start;
		return answer;
	});
	return found !== undefined && isExactWay(found.way) === (arm.rung === null) ? ms : undefined;
}

function meanOf(times: readonly number[]): number | null {
	const known = times.filter((ms) => !Number.isNaN(ms));
	return known.length === 0 ? null : known.reduce((sum, ms) => sum + ms, 0) / known.length;
}

/**
 * What has been learned of the index that serves; `undefined` where there is nothing to choose from, as where everything is compared. What is known of another
 * index says nothing of this one.
 */
export function tunerOf({
	recall: { tuner },
	searcher,
}: Pick<CollectionCore, "recall" | "searcher">): Tuner | undefined {
	return tuner !== undefined && searcher?.generation.handle.identity?.id === tuner.index ? tuner : undefined;
}

/** Has the examiner write down what has been learned. */
async function keep(core: CollectionCore): Promise<void> {
	const tuner = tunerOf(core);
	if (tuner === undefined) return;
	await core.database.threads.examiner.call("tuned", { key: core.key, state: tuner.state });
}

export function tuneStats(core: CollectionCore): TuneStats {
	const { latencyMs, tuner } = core.spec;
	return tunerOf(core)?.stats(latencyMs) ?? { ...tuner, totalPulls: 0, latencyMs, cells: [] };
}

export async function resetTuning(core: CollectionCore): Promise<void> {
	core.recall.tuner?.reset();
	await keep(core);
}
