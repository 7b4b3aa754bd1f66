import { grouped } from "../../packages/nigh/src/terminal/table.ts";
import { ENGINES, type EngineEntry, missing } from "../engines/registry.ts";
import {
	type FilterCase,
	type FilterSet,
	filterCases,
	filterSet,
	matches,
	nearestMatches,
} from "./filters/filter-set.ts";
import type { EngineStart, FilteringEngine } from "./filters/filtering-engine.ts";
import { type NighFiltering, startNigh } from "./filters/nigh.ts";
import {
	type DatabaseBenchOptions,
	DIMENSIONS,
	type Figure,
	K,
	type Measured,
	SEED,
	type Target,
} from "./measurement.ts";
import { quantile, timed } from "./times.ts";

const VECTORS = 200_000;
const QUERIES = 200;
/** Of the queries: what peers are asked, which take milliseconds for each. */
const PEER_QUERIES = 50;
const PASSES = 3;
/** Filters of each kind that have not been seen. */
const UNSEEN = 5;

/** An engine beside Nigh. */
export interface Peer {
	/** What keeps it from running here; `undefined` when nothing does. */
	readonly missing: () => string | undefined;
	readonly start: EngineStart;
}

/** Loaded where they are wanted: their packages may not be there. */
const PEERS: Readonly<Record<string, Peer>> = {
	lancedb: {
		missing: () => missing(ENGINES.lancedb as EngineEntry),
		start: async (...given) => (await import("./filters/lancedb.ts")).startLanceDb(...given),
	},
	pglite: {
		missing: () => missing(ENGINES.pglite as EngineEntry),
		start: async (set) => (await import("./filters/pglite.ts")).startPglite(set),
	},
};

/** Filtered searches, beside the peers that are installed. */
export function filters(options: DatabaseBenchOptions): Promise<Measured> {
	return filtersBeside(PEERS, options);
}

/** How one engine answered under one filter. */
interface Answered {
	/** Milliseconds, all passes. */
	readonly times: readonly number[];
	readonly found: readonly (readonly number[])[];
}

export async function filtersBeside(
	peers: Readonly<Record<string, Peer>>,
	{ size = VECTORS, folder, onStep }: DatabaseBenchOptions,
): Promise<Measured> {
	onStep("making the set");
	const set = filterSet(size, Math.min(QUERIES, size));
	const cases = filterCases(size);
	const truth = new Map<FilterCase, number[][]>();
	for (const filter of cases) truth.set(filter, await nearestMatches(set, filter));
	onStep("nigh is built");
	const nigh = await startNigh(set, folder);
	const figures: Figure[] = [{ what: "nigh, build", value: nigh.buildSeconds, unit: "s" }];
	const notes: string[] = [`nigh: ${nigh.about}.`];
	try {
		onStep("nigh certifies its recall");
		await nigh.certify(cases);
		figures.push(...seenFigures(set, cases, truth, nigh.name, await askInTurns(nigh, cases, set.queries, onStep)));
		figures.push(...(await unseenFigures(nigh, set, cases, "", onStep)));
		const { ms } = await nigh.index();
		figures.push({ what: "nigh, making both fields filterable", value: ms, unit: "ms" });
		figures.push(...(await unseenFigures(nigh, set, cases, ", filterable", onStep)));
	} finally {
		await nigh.close();
	}
	for (const [name, { missing, start }] of Object.entries(peers)) {
		if (missing() !== undefined) {
			notes.push(`${name} is left out, it is not installed: npm run bench:setup.`);
			continue;
		}
		onStep(`${name} is built`);
		const peer = await start(set, folder);
		try {
			notes.push(`${name}: ${peer.about}.`);
			figures.push({ what: `${name}, build`, value: peer.buildSeconds, unit: "s" });
			const answered = await askInTurns(peer, cases, set.queries.slice(0, PEER_QUERIES), onStep);
			figures.push(...seenFigures(set, cases, truth, name, answered));
		} finally {
			await peer.close();
		}
	}
	return {
		title: "Filtered searches",
		about: [
			`${grouped(size)} generated vectors of ${DIMENSIONS} dimensions under l2 (seed ${SEED}), k ${K}, without metadata. The filter is "field below a number": lot has nothing to do with the vectors, side is the order along one direction, so that a query is often far from all that matches. Nigh has certified its recall of 0.95 beforehand, by other queries, without a filter and with each: lot and side of one share are one cell, of which it keeps the mean, so that side may lie below it where lot lies above. ${grouped(set.queries.length)} queries (peers get the first ${PEER_QUERIES}), ${PASSES} passes after one to warm up, filters and none in turns; times are medians. Recall is against an exact scan of the matches; short answers have fewer than min(k, matches) hits, wrong ones a hit that does not match.`,
			notes.join(" "),
		],
		figures,
	};
}

/** Every query without a filter and under each, so that what else the machine does hits all alike. */
async function askInTurns(
	engine: FilteringEngine,
	cases: readonly FilterCase[],
	queries: readonly Float32Array[],
	onStep: (text: string) => void,
): Promise<Map<FilterCase | undefined, Answered>> {
	const asked = [undefined, ...cases].map((filter) => ({
		filter,
		times: [] as number[],
		found: [] as (readonly number[])[],
	}));
	for (let pass = 0; pass <= PASSES; pass++) {
		onStep(pass === 0 ? `${engine.name} warms up` : `${engine.name}, pass ${pass} of ${PASSES}`);
		for (const [i, query] of queries.entries()) {
			for (const { filter, times, found } of asked) {
				const { ms, result } = await timed(() => engine.search(query, filter));
				found[i] = result;
				if (pass > 0) times.push(ms);
			}
		}
	}
	return new Map(asked.map(({ filter, times, found }) => [filter, { times, found }]));
}

function seenFigures(
	{ fields, n }: FilterSet,
	cases: readonly FilterCase[],
	truth: ReadonlyMap<FilterCase, number[][]>,
	engine: string,
	answered: ReadonlyMap<FilterCase | undefined, Answered>,
): Figure[] {
	const unfiltered = quantile(answered.get(undefined)?.times ?? [], 0.5);
	const figures: Figure[] = [{ of: `${engine}, no filter`, what: "p50", value: unfiltered * 1_000, unit: "us" }];
	for (const filter of cases) {
		const { times, found } = answered.get(filter) as Answered;
		const nearest = truth.get(filter) as number[][];
		const wanted = Math.min(K, filter.below, n);
		const p50 = quantile(times, 0.5);
		const isWrong = (hits: readonly number[]) =>
			hits.length !== wanted || !hits.every((at) => matches(fields, filter, at));
		const figure = (what: string, value: number, unit: string, target: Target) => ({
			...{ of: `${engine}, ${nameOf(filter)}`, what, value, unit },
			// What others take is told, and not judged.
			...(engine === "nigh" && { target }),
		});
		figures.push(
			figure(`recall@${K}`, recallOfMatches(found, nearest), "", { atLeast: 0.95 }),
			{ of: `${engine}, ${nameOf(filter)}`, what: "p50", value: p50 * 1_000, unit: "us" },
			figure(": no filter", p50 / unfiltered, "times", { atMost: 3 }),
			figure("short or wrong answers", found.filter(isWrong).length, "", { atMost: 0 }),
		);
	}
	return figures;
}

/** Mean share of the exact nearest matches that was found; `found` may be shorter than `nearest`. */
export function recallOfMatches(
	found: readonly (readonly number[])[],
	nearest: readonly (readonly number[])[],
): number {
	let [hit, all] = [0, 0];
	found.forEach((places, query) => {
		const truth = new Set(nearest[query]);
		hit += new Set(places.filter((at) => truth.has(at))).size;
		all += truth.size;
	});
	return hit / all;
}

/** Filters that differ from those before by a record each: what finding the matches costs. */
async function unseenFigures(
	nigh: NighFiltering,
	{ queries, n }: FilterSet,
	cases: readonly FilterCase[],
	how: string,
	onStep: (text: string) => void,
): Promise<Figure[]> {
	const figures: Figure[] = [];
	// An index makes other filters of them than the ones asked before it was there.
	const offset = how === "" ? 1 : 1 + UNSEEN;
	for (const filter of cases) {
		onStep(`filters not seen before${how}`);
		const times: number[] = [];
		for (let i = 0; i < UNSEEN; i++) {
			const below = Math.min(n, filter.below + offset + i);
			const query = queries[i % queries.length] as Float32Array;
			times.push((await timed(() => nigh.search(query, { ...filter, below }))).ms);
		}
		const value = quantile(times, 0.5);
		figures.push({ of: `nigh, ${nameOf(filter)}`, what: `first time${how}`, value, unit: "ms" });
	}
	return figures;
}

function nameOf({ field, share }: FilterCase): string {
	return `${field} ${share * 100} %`;
}
