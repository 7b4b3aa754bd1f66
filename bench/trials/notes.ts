import { tableRow } from "../report/markdown.ts";
import type { Comparison } from "./compare.ts";
import { speedUpAt } from "./speed-up.ts";
import type { Trial } from "./trial.ts";

const RECALLS = [0.95, 0.99] as const;

/** A trial's row: for each set how many times as fast the change is at equal recall, and how many times as fast it builds. */
export function trialRow(
	{ name, base, title, verdict }: Trial,
	results: readonly Comparison[],
	sets: readonly string[],
): string {
	const figures = sets.flatMap((set) => figuresOf(results.find((each) => each.set.startsWith(set))));
	return tableRow([`${name} (of ${base})`, title, ...figures, verdict]);
}

/** The rows of a table by the names of their trials. */
export function rowsOf(table: string): Map<string, string> {
	const rows = table.split("\n").flatMap((line) => {
		const name = /^\| ([\w.-]+) \(of \w+\) \|/.exec(line)?.[1];
		return name === undefined ? [] : [[name, line] as const];
	});
	return new Map(rows);
}

/** The whole table, rows in the order of the names. */
export function trialTable(rows: ReadonlyMap<string, string>, sets: readonly string[]): string {
	const figures = sets.flatMap((set) => [...RECALLS.map((recall) => `${set} at ${recall}`), "build"]);
	const rule = `|---|---|${figures.map(() => "--:|").join("")}---|`;
	const sorted = [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
	return [tableRow(["patch", "what was tried", ...figures, "verdict"]), rule, ...sorted].join("\n");
}

function figuresOf(result: Comparison | undefined): string[] {
	if (result === undefined) return [...RECALLS.map(() => "-"), "-"];
	const { before, after } = result;
	const ratios = RECALLS.map((recall) => speedUpAt(before.points, after.points, recall));
	return [...ratios, before.buildSeconds / after.buildSeconds].map((ratio) =>
		ratio === undefined ? "not reached" : ratio.toFixed(2),
	);
}
