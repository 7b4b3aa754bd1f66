import type { Column } from "../../packages/nigh/src/terminal/table.ts";
import { settingText } from "../engines/setting.ts";
import type { EngineResult, Point } from "../run/interleave.ts";
import { type AtRecall, frontier, median, qpsAt } from "./operating-points.ts";
import { COMPARED_RECALLS, engineText, NIGH, type Report } from "./report.ts";
import { cut, lessIsBetter, moreIsBetter, raise, recallText } from "./rounding.ts";

/** A table in words, for the terminal and for Markdown. */
export interface Rows {
	readonly columns: readonly Column[];
	readonly rows: readonly (readonly string[])[];
}

const left = (title: string): Column => ({ title, align: "left" });
const right = (title: string): Column => ({ title, align: "right" });

/** An engine a row: what it took to have an index. */
export function engineRows({ results }: Report): Rows {
	return {
		columns: [
			left("engine"),
			right("build s"),
			right("MB"),
			right("cold first query us"),
			left("what"),
			left("version"),
		],
		rows: results.map((result) => {
			const { engine, about, build, coldUs } = result;
			return [
				engineText(result),
				lessIsBetter(engine, build.seconds, 2),
				lessIsBetter(engine, build.bytes / 1e6, 1),
				lessIsBetter(engine, coldUs, 0),
				about,
				build.version,
			];
		}),
	};
}

/** An engine at one setting a row; of combinations of knobs, those on its frontier. */
export function pointRows({ results, parameters }: Report): Rows {
	return {
		columns: [
			left("engine"),
			left("setting"),
			right(`recall@${parameters.k}`),
			right("queries/s"),
			right("min..max"),
			right("p50 us"),
			right("p95 us"),
			right("p99 us"),
		],
		rows: results.flatMap((result) =>
			shownPoints(result).map(({ engine, setting, recall, qps, p50, p95, p99 }) => [
				engineText(result),
				settingText(setting),
				recallText(recall),
				moreIsBetter(engine, median(qps)),
				`${moreIsBetter(engine, Math.min(...qps))}..${moreIsBetter(engine, Math.max(...qps))}`,
				...[p50, p95, p99].map((us) => lessIsBetter(engine, us, 1)),
			]),
		),
	};
}

/** A single knob's values show what it does; of a grid, most combinations show only what not to do. */
function shownPoints({ points }: EngineResult): readonly Point[] {
	return points.some(isCombination) ? frontier(points) : points;
}

function isCombination({ setting }: Point): boolean {
	return Object.keys(setting).length > 1;
}

/** An engine a row: queries a second at equal recall, and how many times as many Nigh answers. */
export function recallRows({ results }: Report): Rows {
	const nigh = results.find(({ engine }) => engine === NIGH);
	return {
		columns: [
			left("engine"),
			...COMPARED_RECALLS.flatMap((recall) => [right(`queries/s at ${recall.toFixed(2)}`), right("Nigh : it")]),
		],
		rows: results.map((result) => [
			engineText(result),
			...COMPARED_RECALLS.flatMap((recall) => {
				const peer = qpsAt(result, recall);
				const ratio = nigh === undefined || result === nigh ? "" : ratioText(qpsAt(nigh, recall), peer);
				return [atRecallText(result, peer), ratio];
			}),
		]),
	};
}

/** What the tables do not say of themselves. */
export function notes({ results, set, parameters }: Report): string[] {
	const grids = results.filter(({ points }) => points.some(isCombination)).map(({ engine }) => engine);
	const fewer = results.filter(({ queries }) => queries < set.queryCount);
	return [
		`One query at a time, one thread; queries/s is the median of ${parameters.passes} passes, taken engine after engine; us are of the median pass.`,
		"Every figure is rounded against Nigh, and recall is cut. Queries/s at a recall lies on the line between the settings around it, of those that no other setting of the engine beats in both.",
		">= and <=: the cheapest setting measured has more recall than that, so the figure is a limit; open: true of both engines.",
		...(grids.length > 0
			? [`Of ${grids.join(", ")} only the settings are shown that no other of the engine beats; the JSON has all.`]
			: []),
		...fewer.map(
			({ engine, queries }) => `${engine} is asked the first ${queries} of the ${set.queryCount} queries only.`,
		),
	];
}

function atRecallText({ engine }: EngineResult, { qps, atLeast }: AtRecall): string {
	if (qps === undefined) return "not reached";
	return `${atLeast ? ">= " : ""}${moreIsBetter(engine, qps)}`;
}

function ratioText(nigh: AtRecall, peer: AtRecall): string {
	if (nigh.qps === undefined || peer.qps === undefined) return "-";
	if (nigh.atLeast && peer.atLeast) return "open";
	const ratio = nigh.qps / peer.qps;
	// An upper limit that were cut would no longer be one.
	if (peer.atLeast) return `<= ${raise(ratio, 2).toFixed(2)}`;
	return `${nigh.atLeast ? ">= " : ""}${cut(ratio, 2).toFixed(2)}`;
}
