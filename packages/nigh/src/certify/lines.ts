import type { CertifiedCell, CertifyReport, RecallStatement } from "@nigh/contract";
import { settingText } from "../doctor/lines.ts";
import { countText, durationText } from "../terminal/quantities.ts";
import { bandText, isBasisKnown, percentText, recallText, selectivityText } from "../terminal/recall-in-words.ts";
import { type Column, grouped, shareText, tableRows } from "../terminal/table.ts";

/** What keeps its target, by a certificate or because it is exact. */
export function isKept({ state }: RecallStatement): boolean {
	return state === "certified" || state === "provisional" || state === "exact";
}

/**
 * A certification as people read it: a line for each cell, what was measured for them, and how it ended.
 *
 * @param maxMs What it was allowed to take.
 */
export function certifyLines(
	name: string,
	{ statements, cells, isComplete, durationMs }: CertifyReport,
	maxMs = Number.POSITIVE_INFINITY,
): string[] {
	const families = familiesOf(cells);
	const kept = statements.filter(isKept).length;
	return [
		...(cells.length === 0 ? [] : cellTable(cells)),
		...families.flatMap((family, at) => measuredTable(family, at === 0 ? BOUNDS_REMARK : [])),
		...(cells.length === 0 ? [] : [""]),
		`${name}: ${grouped(kept)} of ${countText(statements.length, "cell")} ${kept === 1 ? "keeps its target" : "keep their targets"}, in ${durationText(durationMs)}.`,
		...(isComplete ? [] : [unfinishedText(durationMs >= maxMs, kept > 0 && kept === statements.length)]),
	];
}

/** @param keepsAll Whether all that is left open is whether a cheaper setting would do. */
function unfinishedText(isOfTime: boolean, keepsAll: boolean): string {
	if (keepsAll) {
		return `Nothing has to be done: with more ${isOfTime ? "time" : "queries"} nigh certify goes on, and may certify cheaper settings.`;
	}
	return isOfTime
		? "Time ended it before every test had come to its end: nigh certify goes on from there."
		: "The queries ended before every test had come to its end: with more of them nigh certify goes on.";
}

/** Under the title of the first table: there may be more of them than a screen shows. */
const BOUNDS_REMARK = [
	"Lower bounds hold for all settings of a table together, and are wide where few queries were enough to pass. A certificate is of its target",
	"alone and needs less: what is certified may stand beside a lower bound that is below the target.",
];

/** Cells that differ in their target alone, by the same measurements. */
type Family = readonly [CertifiedCell, ...CertifiedCell[]];

function familiesOf(cells: readonly CertifiedCell[]): Family[] {
	const families = new Map<string, [CertifiedCell, ...CertifiedCell[]]>();
	for (const each of cells) {
		const { statement, measured } = each;
		if (measured.length === 0) continue;
		const { k, selectivity } = statement.cell ?? {};
		const key = JSON.stringify([k, selectivity, measured.map((rung) => ({ ...rung, certified: undefined }))]);
		const family = families.get(key);
		if (family === undefined) families.set(key, [each]);
		else family.push(each);
	}
	return [...families.values()];
}

function cellTable(cells: readonly CertifiedCell[]): string[] {
	const rows = cells.map(({ statement, setting, endsEarly }) => {
		const { cell, target, state, confidence, queries, estimate, basis } = statement;
		return [
			cell === null ? "" : bandText(cell.k.from, cell.k.to),
			cell === null ? "" : (selectivityText(cell) ?? "none"),
			String(target),
			state,
			confidence === null ? "" : percentText(confidence),
			queries === 0 || !isBasisKnown(statement) ? "" : `${grouped(queries)}${basis === "heldout" ? " held out" : ""}`,
			estimate === null ? "" : shareText(estimate),
			setting === null ? "exact" : settingText(setting, endsEarly),
		];
	});
	const titles = ["k", "filter", "target", "state", "confidence", "queries", "mean", "searches use"];
	return table(titles, [false, false, true, false, true, true, true, false], rows);
}

/** One table for all targets: only what is certified depends on them. */
function measuredTable(family: Family, remark: readonly string[]): string[] {
	const [{ statement, measured }] = family;
	const rows = measured.map(({ setting, endsEarly, queries, mean, lowerBound }, rung) => [
		settingText(setting, endsEarly),
		grouped(queries),
		shareText(mean),
		shareText(lowerBound),
		...family.map((each) => (each.measured[rung]?.certified ? "certified" : "no")),
	]);
	const titles = ["setting", "queries", "mean", "lower bound", ...family.map((each) => `at ${each.statement.target}`)];
	const numbers = [false, true, true, true, ...family.map(() => false)];
	return ["", `Measured of ${recallText(statement.cell)}:`, ...remark, ...table(titles, numbers, rows)];
}

/** @param numbers Which columns stand on the right. */
function table(titles: readonly string[], numbers: readonly boolean[], rows: readonly (readonly string[])[]): string[] {
	const columns = titles.map(
		(title, at): Column => ({
			title,
			align: numbers[at] ? "right" : "left",
			width: Math.max(0, ...rows.map((cells) => (cells[at] ?? "").length)),
		}),
	);
	const { header, row } = tableRows(columns);
	return [header, ...rows.map(row)];
}
