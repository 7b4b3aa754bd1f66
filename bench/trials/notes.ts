import { tableRow } from "../report/markdown.ts";
import type { Comparison } from "./compare.ts";
import { speedUpAt } from "./speed-up.ts";
import type { Trial } from "./trial.ts";

/** A trial with what it gave the last time it ran; `undefined` where it has not run here. */
export interface MeasuredTrial {
	readonly trial: Trial;
	readonly results: readonly Comparison[] | undefined;
}

const RECALLS = [0.95, 0.99] as const;

/** The table of trials as Markdown: for each set how many times as fast the change is at equal recall, and what it does to the build. */
export function trialTable(measured: readonly MeasuredTrial[], sets: readonly string[]): string {
	const head = [
		"what was tried",
		...sets.flatMap((set) => [...RECALLS.map((recall) => `${set} at ${recall}`), "build"]),
		"verdict",
		"patch",
	];
	const rule = `|${head.map((_, at) => (at === 0 || at >= head.length - 2 ? "---" : "--:")).join("|")}|`;
	const rows = measured.map(({ trial, results }) =>
		tableRow([
			trial.title,
			...sets.flatMap((set) => cellsOf(results?.find((each) => each.set.startsWith(set)))),
			trial.verdict,
			`${trial.name}, of ${trial.base}`,
		]),
	);
	return [tableRow(head), rule, ...rows].join("\n");
}

function cellsOf(result: Comparison | undefined): string[] {
	if (result === undefined) return [...RECALLS.map(() => "-"), "-"];
	const { before, after } = result;
	const ratios = RECALLS.map((recall) => speedUpAt(before.points, after.points, recall));
	return [...ratios, before.buildSeconds / after.buildSeconds].map((ratio) =>
		ratio === undefined ? "not reached" : ratio.toFixed(2),
	);
}
