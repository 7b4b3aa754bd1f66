import { BOUNDS, type Filter } from "@nigh/contract";
import { deltaOf, RecallCounts, targetFor } from "@nigh/recall";
import { indexText } from "../database/index-text.ts";
import { paramsText } from "../eval/report.ts";
import { percentText, queriesText } from "../terminal/recall-in-words.ts";
import { grouped, shareText, tableRows } from "../terminal/table.ts";
import type { Examination, ExaminedSetting, Outcome, SearchSetting } from "./examination.ts";
import { TARGET } from "./settings.ts";
import { PASSES } from "./speeds.ts";
import { storedQueriesText } from "./stored-queries.ts";
import { queriesNeeded } from "./too-few.ts";

const OUTCOMES: Readonly<Record<Outcome, string>> = { passes: "passes", fails: "fails", undecided: "cannot be told" };

/** From this share of the queries/s on, an exact search is about as fast: measurements differ by as much. */
const AS_FAST = 0.95;

/** An examination as people read it: what was asked, a line for each setting, and what it means. */
export function examinationLines(name: string, examination: Examination): string[] {
	return [
		...headLines(name, examination),
		...(examination.exactBecause === null ? [...columnsRemark(examination), ...tableLines(examination)] : []),
		"",
		...verdictLines(examination),
		...remarkLines(examination),
	];
}

/** What follows from an examination, in a sentence. */
export function verdictText({ verdict, exactBecause, k, target, settings, cheapest, ...rest }: Examination): string {
	const recall = `recall@${k} of at least ${target}`;
	const [dearest] = settings;
	switch (verdict) {
		case "exact":
			return `Every search is exact: ${exactBecause}. Recall@${k} is 1.`;
		case "kept": {
			const { setting, mean, queries } = settings[cheapest ?? 0] as ExaminedSetting;
			return `${settingText(setting)} is the cheapest that keeps ${recall} (${percentText(rest.confidence)} confidence; mean ${shareText(mean)} over ${queriesText(queries)}).`;
		}
		case "missed":
			return missedText(settingText(dearest?.setting ?? {}), recall, rest);
		case "undecided":
			if (dearest !== undefined && dearest.queriesNeeded === null)
				return unseenText(dearest, recall, { ...rest, target });
			return `Too few queries to tell whether anything short of exact keeps ${recall}${dearest?.queriesNeeded == null ? "" : neededText({ ...rest, target }, dearest.queriesNeeded)}.`;
	}
}

/**
 * What to do where searches by default do not keep the recall that the collection has declared; `undefined` where they do, as far as is known.
 *
 * @param declared By the collection; `undefined` where a back end does not tell.
 * @param asked The file of the queries, and the filter that they were asked with.
 */
export function certifyAdvice(
	name: string,
	{ byDefault, exactBecause, k, target }: Examination,
	declared: number | undefined,
	{ file, filter }: { readonly file: string; readonly filter?: Filter | undefined },
): string | undefined {
	if (declared === undefined || exactBecause !== null || byDefault?.outcome !== "fails") return undefined;
	// The next one of the list is what a declared recall is held to.
	const isKeptTo = declared > TARGET.max || target <= targetFor(declared);
	if (!isKeptTo) return undefined;
	const filtered = filter === undefined ? "" : ` --filter ${quoted(JSON.stringify(filter))}`;
	return `The collection's recall of ${declared} is not kept: nigh certify ${name} --query ${quoted(file)} -k ${k}${filtered} has searches keep it.`;
}

/** A word as a shell takes it. */
function quoted(word: string): string {
	return /^[\w./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** A pilot of few queries may have taken a width to be enough that is not: that says nothing of wider ones. */
function missedText(
	dearest: string,
	recall: string,
	{ confidence, isWidest }: Pick<Examination, "confidence" | "isWidest">,
): string {
	const sure = `(${percentText(confidence)} confidence)`;
	return isWidest
		? `No setting short of exact keeps ${recall}: ${dearest}, the dearest, is below it ${sure}.`
		: `${dearest}, where the pilot began, is below ${recall} ${sure}; a wider one may keep it: give more queries.`;
}

/** More queries are of no use where those that there are have found less, or nothing but the target itself. */
function unseenText(
	{ setting, mean, queries }: ExaminedSetting,
	recall: string,
	{ target, confidence, isWidest }: Pick<Examination, "target" | "confidence" | "isWidest">,
): string {
	const dearest = `${settingText(setting)}, ${isWidest ? "the dearest" : "where the pilot began"},`;
	const found = `its mean over ${queriesText(queries)} is ${shareText(mean)}`;
	const is =
		mean < target
			? `below it, though by too little to be sure (${percentText(confidence)} confidence)`
			: "too near to it for any number of queries to tell";
	const wider = isWidest ? "" : "; a wider one may keep it: give more queries";
	return `${dearest} is not seen to keep ${recall}: ${found}, ${is}${wider}.`;
}

function headLines(name: string, { index, k, target, confidence, seed, queries, exactBecause }: Examination): string[] {
	const { given, notDrawn, withoutMatch, pilot, measured } = queries;
	const drawn = notDrawn === 0 ? "" : `, ${grouped(given - notDrawn)} drawn`;
	const left = withoutMatch === 0 ? "" : `, ${grouped(withoutMatch)} without a match left out`;
	const parts =
		exactBecause === null ? `, ${grouped(pilot)} to choose the settings, ${grouped(measured)} to measure them` : "";
	return [
		`${name}: recall@${k} of ${target} at ${percentText(confidence)} confidence, index ${indexText(index)}`,
		`${queriesText(given)}${drawn}${left}${parts}; order of seed ${seed}`,
	];
}

/** What the columns mean, above the table: it may be longer than a screen. */
function columnsRemark({ ladder, queries: { timed } }: Examination): string[] {
	const bounds =
		ladder === 1 ? "The lower bound is" : `Lower bounds hold for all ${grouped(ladder)} settings together, and are`;
	return [
		"",
		`${bounds} wide where few queries were enough to pass. To pass needs less: what passes`,
		"may stand beside a lower bound that is below the target.",
		`queries/s: one search at a time, over ${queriesText(timed)} of those that chose the settings; the best of ${PASSES} passes, which the settings make in turns.`,
	];
}

function tableLines({ k, settings, cheapest, byDefault, exactQueriesPerSecond, ladder }: Examination): string[] {
	const rows = settings.map((each, at) => ({ ...each, text: settingText(each.setting), isCheapest: at === cheapest }));
	const alone = settings.every(({ setting }) => isDefault(setting)) ? null : byDefault;
	const width = Math.max(DEFAULT.length, ...rows.map(({ text }) => text.length));
	const { header, row } = tableRows([
		{ title: "setting", align: "left", width },
		{ title: "queries", align: "right" },
		{ title: `recall@${k}`, align: "right" },
		{ title: "lower bound", align: "right" },
		{ title: "queries/s", align: "right", width: 9 },
		{ title: "target", align: "left" },
	]);
	const cells = (each: ExaminedSetting, isCheapest: boolean) => [
		settingText(each.setting),
		grouped(each.queries),
		shareText(each.mean),
		shareText(each.lowerBound),
		grouped(each.queriesPerSecond),
		`${OUTCOMES[each.outcome]}${isCheapest ? "  <- the cheapest that does" : ""}`,
	];
	const untried = ladder - settings.length;
	return [
		"",
		header,
		row(["exact", "", shareText(1), "", grouped(exactQueriesPerSecond), ""]),
		...rows.map((each) => row(cells(each, each.isCheapest))),
		...(untried === 0
			? []
			: [
					`${untried} cheaper ${untried === 1 ? "setting was" : "settings were"} not measured: the first that does not pass ends the test.`,
				]),
		...(alone === null ? [] : ["", row(cells(alone, false))]),
	];
}

function verdictLines(examination: Examination): string[] {
	const { below, byDefault, settings, cheapest, target, confidence, searchWidth, exactBecause, exactQueriesPerSecond } =
		examination;
	const next = cheapest === null ? undefined : settings[cheapest + 1];
	const lines = [verdictText(examination)];
	const served = cheapest === null ? undefined : settings[cheapest];
	if (served !== undefined && exactQueriesPerSecond >= AS_FAST * served.queriesPerSecond) {
		const [exact, approximate] = [exactQueriesPerSecond, served.queriesPerSecond].map(grouped);
		const is = exactQueriesPerSecond > served.queriesPerSecond ? "faster" : "about as fast";
		lines.push(
			`Comparing everything is ${is}, ${exact} beside ${approximate} queries/s: nothing is gained by searching approximately.`,
		);
	}
	if (exactBecause === null && !searchWidth) {
		lines.push(
			"This back end takes no widths, so that searches can be measured as they are by default, and in no other way.",
		);
	}
	if (next?.outcome === "undecided") {
		const { setting, mean, queriesNeeded } = next;
		lines.push(
			queriesNeeded === null
				? `${settingText(setting)} is not seen to keep it: its mean is ${shareText(mean)}, ${mean < target ? "below it by too little to be sure" : "too near to it to tell"}.`
				: `${settingText(setting)} may keep it too; these queries are too few to tell${neededText(examination, queriesNeeded)}.`,
		);
	}
	if (below !== null) {
		const { floor, queries, of, upperBound } = below;
		lines.push(
			`It found less than ${floor} of the answers for ${grouped(queries)} of ${queriesText(of)}; of all, at most ${shareText(Math.min(1, upperBound + 1e-4))} are such (${percentText(confidence)} confidence).`,
		);
	}
	if (byDefault !== null && settings.length > 0 && !isDefault(settings[0]?.setting ?? {})) {
		const says = { passes: "keeps", fails: "does not keep", undecided: "cannot be told to keep" }[byDefault.outcome];
		lines.push(`A search that does not say how wide it is to be ${says} ${target}.`);
	}
	return lines;
}

function remarkLines({ queries, changeNumbers, exactBecause, exactQueriesPerSecond }: Examination): string[] {
	const { equalToStored, pilot, measured, timed } = queries;
	const lines: string[] = [];
	if (exactBecause !== null) {
		lines.push(
			`${grouped(exactQueriesPerSecond)} queries/s, the best of ${PASSES} passes over ${queriesText(timed)}, one at a time.`,
		);
	}
	const { first, last } = changeNumbers;
	if (last > first)
		lines.push(
			`The collection was written to meanwhile: this is of its changes ${grouped(first)} to ${grouped(last)}.`,
		);
	const stored = storedQueriesText(equalToStored, pilot + measured);
	if (stored !== undefined) lines.push(stored);
	return lines;
}

/** `: about 1,200 in the file would do, if they are as these` */
function neededText(
	{ target, confidence, queries }: Pick<Examination, "target" | "confidence" | "queries">,
	needed: number,
): string {
	const least = queriesNeeded(RecallCounts.of([1]), target, deltaOf({ confidence })) ?? 0;
	const perfect =
		queries.measured < least ? `; fewer than ${queriesText(least)} cannot show it, whatever they find` : "";
	const most = needed > BOUNDS.certifyQueries.max ? ", which is more than are taken" : "";
	return `: about ${grouped(Number(needed.toPrecision(2)))} in the file would do, if they are as these${most}${perfect}`;
}

const DEFAULT = "by default";

function isDefault(setting: SearchSetting): boolean {
	return Object.keys(setting).length === 0;
}

/** `nprobe=8 rerank=40`, or `by default` for a search that says nothing; `ef=40, ends early` where walks do. */
export function settingText(setting: SearchSetting, endsEarly = false): string {
	return isDefault(setting) ? DEFAULT : `${paramsText(setting)}${endsEarly ? ", ends early" : ""}`;
}
