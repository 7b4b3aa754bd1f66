// Measures the recall of any back end by the contract alone. It asks for exact answers, and for approximate ones in several ways; it looks
// into no index, and believes no statement of recall but one: that everything was compared.
import { BOUNDS, type Collection, type CollectionStats, NighError, type VectorInput } from "@nigh/contract";
import { clopperPearson, deltaOf, pilotGoal, RecallCounts, randomFrom, shuffle } from "@nigh/recall";
import { type Climbed, climb } from "./climb.ts";
import type { Examination, ExamineOptions, Phase, SearchSetting } from "./examination.ts";
import { BY_DEFAULT, type Ladder, type PilotRun, pilotRun, settingsFor } from "./ladder.ts";
import { type Judged, Questions } from "./questions.ts";
import { speeds } from "./speeds.ts";

/** Queries of the pilot: a part of all, and no more than that. */
const PILOT = { part: 5, most: 200 } as const;

/** Queries of the pilot that are timed. */
const TIMED = 100;

/**
 * Looks for the cheapest setting whose mean recall is at least the target. The queries are put into a drawn order; the first of them place the ladder and
 * are not used again, the others are compared with exact answers, setting by setting, by a test that may stop at any of them. Searches go one at
 * a time. What the collection is written to meanwhile does no harm: an answer and its truth are of one state.
 *
 * @param queries Vectors such as searches will have, and not vectors that are stored: a graph leads to its own vectors too well. The first are
 * not taken before the last: an order in them means nothing.
 * @throws NighError `INVALID_OPTION` for a single query, or where nothing matches; what `search` throws.
 *
 * @example
 * const { verdict, cheapest, settings } = await examine(collection, queries, { searchWidth: true, target: 0.95 });
 * if (verdict === "kept") settings[cheapest].setting; // { ef: 37 }
 */
export async function examine(
	collection: Collection,
	queries: readonly VectorInput[],
	options: ExamineOptions,
): Promise<Examination> {
	const { target = 0.95, confidence = 0.95, k = BOUNDS.k.default, seed = 1, searchWidth, filter, signal } = options;
	const { floor = Number((target - 0.1).toFixed(6)), maxQueries = BOUNDS.certifyQueries.default } = options;
	const { clock = () => performance.now(), onProgress = () => {} } = options;
	const tell = (phase: Phase) => (done: number, total: number) => onProgress(phase, done, total);
	const stats = await collection.stats();
	const asking = { k, filter, signal };
	const always = alwaysExact(stats, k);
	const drawn = shuffle([...queries], randomFrom(seed)).slice(0, always === undefined ? maxQueries : TIMED);
	const questions = await Questions.ask(collection, drawn, asking, tell("exact answers"));
	if (questions.length === 0) throw nothingMatches(filter !== undefined);

	const pilot = always === undefined ? pilotOf(questions.length) : questions.length;
	const measured = questions.length - pilot;
	if (always === undefined && measured === 0) throw tooFew(questions.length);
	const runs = new Map<string, PilotRun>();
	const runPilot = async (setting: SearchSetting) => {
		const key = JSON.stringify(setting);
		const known = runs.get(key);
		if (known !== undefined) return known;
		const answers: Judged[] = [];
		for (let at = 0; at < pilot; at++) {
			answers.push(await questions.judge(at, setting));
			// How often the width will have to be doubled nobody knows.
			tell("pilot")(runs.size * pilot + at + 1, (runs.size + 2) * pilot);
		}
		const run = pilotRun(answers);
		runs.set(key, run);
		return run;
	};
	const judge = (query: number, setting: SearchSetting) => questions.judge(pilot + query, setting);
	let placed: Ladder | undefined;
	let exactBecause = always ?? null;
	if (always === undefined) {
		placed = await settingsFor(stats, { k, goal: pilotGoal(target), searchWidth }, runPilot);
		// What the pilot says of all, all have to say.
		if (placed === undefined && (await areExact(measured, judge, tell("measuring")))) {
			exactBecause = `each of ${questions.length} searches compared everything by itself`;
		} else placed ??= { settings: BY_DEFAULT, isWidest: !searchWidth };
	}
	const ladder = placed?.settings;

	const delta = deltaOf({ confidence });
	const climbing = { target, delta, queries: measured, pilotBeside };
	const climbed = await climb(ladder ?? [], { ...climbing, onProgress: tell("measuring") }, judge);
	const isDefaultAlone = ladder?.length === 1 && Object.keys(ladder[0] ?? {}).length === 0;
	const byDefault =
		ladder === undefined || isDefaultAlone
			? climbed
			: await climb([{}], { ...climbing, onProgress: tell("measuring") }, judge);

	const ways = [{}, ...climbed.settings.map(({ setting }) => setting), { exact: true } as const];
	const timed = Math.min(TIMED, pilot);
	const [usually = 0, ...others] = await speeds(
		ways.length,
		timed,
		(way, query) => questions.time(query, ways[way] ?? {}, clock),
		tell("timing"),
	);
	const settings = climbed.settings.map((setting, at) => ({ ...setting, queriesPerSecond: others[at] ?? 0 }));
	const [alone] = byDefault.settings;
	return {
		verdict: exactBecause === null ? verdictOf(climbed) : "exact",
		exactBecause,
		index: stats.effective.index,
		searchWidth,
		...{ k, target, confidence, seed },
		queries: {
			given: queries.length,
			notDrawn: queries.length - drawn.length,
			withoutMatch: questions.withoutMatch,
			pilot,
			measured,
			equalToStored: questions.equalToStored,
			timed,
		},
		ladder: ladder?.length ?? 0,
		isWidest: placed?.isWidest ?? true,
		settings,
		cheapest: climbed.cheapest < 0 ? null : climbed.cheapest,
		byDefault: alone === undefined ? null : { ...alone, queriesPerSecond: usually },
		below: belowOf(climbed, floor, delta / (ladder?.length ?? 1)),
		exactQueriesPerSecond: others.at(-1) ?? 0,
		changeNumbers: { first: questions.first, last: questions.last },
	};
}

/** Whether every query is answered exactly by default. */
async function areExact(
	queries: number,
	judge: (query: number, setting: SearchSetting) => Promise<Judged>,
	onProgress: (done: number, total: number) => void,
): Promise<boolean> {
	for (let query = 0; query < queries; query++) {
		const { isExact, recall } = await judge(query, {});
		if (!isExact || recall < 1) return false;
		onProgress(query + 1, queries);
	}
	return true;
}

/** Why every search compares everything, where that can be told beforehand. */
function alwaysExact({ effective }: CollectionStats, k: number): string | undefined {
	if (effective.index.kind === "flat") return "the index is flat";
	if (k > BOUNDS.k.exactAbove) return `searches for more than ${BOUNDS.k.exactAbove} hits are exact`;
	return undefined;
}

function verdictOf({ cheapest, settings: [dearest] }: Climbed): Examination["verdict"] {
	if (cheapest >= 0) return "kept";
	return dearest?.outcome === "fails" ? "missed" : "undecided";
}

/** One of the settings was chosen by the same queries: that the bound holds for it, it has to hold for all. */
function belowOf({ cheapest, recalls }: Climbed, floor: number, delta: number): Examination["below"] {
	if (cheapest < 0) return null;
	const counts = RecallCounts.of(recalls[cheapest] ?? []);
	const queries = counts.below(floor);
	return { floor, queries, of: counts.size, upperBound: clopperPearson(queries, counts.size, delta) };
}

function pilotOf(queries: number): number {
	return Math.min(PILOT.most, Math.ceil(queries / PILOT.part));
}

/** The pilot of a file that has so many queries to measure beside it. */
function pilotBeside(measured: number): number {
	return Math.min(PILOT.most, Math.ceil(measured / (PILOT.part - 1)));
}

function nothingMatches(isFiltered: boolean): NighError {
	return isFiltered
		? new NighError("INVALID_OPTION", "No record matches the filter: there is no recall to measure.", {
				field: "filter",
			})
		: new NighError("INVALID_OPTION", "The collection has no records: there is no recall to measure.", {
				field: "collection",
			});
}

function tooFew(queries: number): NighError {
	return new NighError(
		"INVALID_OPTION",
		`${queries} query is too few to tell anything: the first ones choose what to measure, and others have to be measured. Give some hundred, such as searches will have.`,
		{ field: "queries", value: queries },
	);
}
