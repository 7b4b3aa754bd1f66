import type { CertifiedCell, CertifyReport, RecallStatement } from "@nigh/contract";
import { settingText } from "../doctor/lines.ts";
import { countText, durationText } from "../terminal/quantities.ts";
import { bandText, percentText, promiseText, selectivityText } from "../terminal/recall-in-words.ts";
import { type Column, grouped, shareText, tableRows } from "../terminal/table.ts";

/** What keeps its target, by a certificate or because it is exact. */
export function isKept({ state }: RecallStatement): boolean {
	return state === "certified" || state === "provisional" || state === "exact";
}

/** A certification as people read it: a line for each cell, what was measured for it, and how it ended. */
export function certifyLines(name: string, { statements, cells, isComplete, durationMs }: CertifyReport): string[] {
	const kept = statements.filter(isKept).length;
	return [
		...(cells.length === 0 ? [] : cellTable(cells)),
		...cells.filter(({ measured }) => measured.length > 0).flatMap(measuredTable),
		...(cells.length === 0 ? [] : [""]),
		`${name}: ${grouped(kept)} of ${countText(statements.length, "cell")} ${kept === 1 ? "keeps its target" : "keep their targets"}, in ${durationText(durationMs)}.`,
		...(isComplete
			? []
			: ["Time or queries ended it before every test had come to its end; nigh certify goes on from there."]),
	];
}

function cellTable(cells: readonly CertifiedCell[]): string[] {
	const rows = cells.map(({ statement, setting }) => {
		const { cell, target, state, confidence, queries, estimate, basis } = statement;
		return [
			cell === null ? "" : bandText(cell.k.from, cell.k.to),
			cell === null ? "" : (selectivityText(cell) ?? "none"),
			String(target),
			state,
			confidence === null ? "" : percentText(confidence),
			queries === 0 ? "" : `${grouped(queries)}${basis === "heldout" ? " held out" : ""}`,
			estimate === null ? "" : shareText(estimate),
			setting === null ? "exact" : settingText(setting),
		];
	});
	const titles = ["k", "filter", "target", "state", "confidence", "queries", "mean", "searches use"];
	return table(titles, [false, false, true, false, true, true, true, false], rows);
}

function measuredTable({ statement: { target, cell }, measured }: CertifiedCell): string[] {
	const rows = measured.map(({ setting, queries, mean, lowerBound, certified }) => [
		settingText(setting),
		grouped(queries),
		shareText(mean),
		shareText(lowerBound),
		certified ? "certified" : "not certified",
	]);
	const titles = ["setting", "queries", "recall", "lower bound", ""];
	return ["", `Measured for ${promiseText(target, cell)}:`, ...table(titles, [false, true, true, true, false], rows)];
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
