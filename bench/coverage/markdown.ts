import { grouped } from "../../packages/nigh/src/terminal/table.ts";
import { type Machine, machineLine } from "../report/machine.ts";
import { piped } from "../report/markdown.ts";
import type { Rows } from "../report/rows.ts";
import { type Check, percent, type Results, watchSums } from "./checks.ts";
import { ATTEMPTED, type Attempt } from "./end-to-end.ts";
import { TARGETS } from "./measure.ts";
import { median, type Outcome } from "./redraw.ts";
import { SHIFTS } from "./shifts.ts";
import type { CollectionResult, RunSize } from "./task.ts";
import { DELTA } from "./task.ts";
import { SILENT_FOR } from "./watch.ts";

export interface MarkdownOptions {
	readonly machine: Machine;
	readonly size: RunSize;
	readonly results: Results;
	readonly checks: readonly Check[];
	readonly command: string;
	/** Collections that were left out for want of their files. */
	readonly missing: readonly string[];
}

/** A run as a section of a document. */
export function coverageMarkdown({ machine, size, results, checks, command, missing }: MarkdownOptions): string {
	const { collections, planted, power, attempts } = results;
	const cells = collections.flatMap((each) => each.cells);
	const parts = [
		"## Measured",
		`\`${command}\`, on ${machineLine(machine)}.`,
		...(missing.length === 0 ? [] : [`Left out, since their files are not there: ${missing.join(", ")}.`]),
		checks.map(({ promise, holds, found }) => `- ${holds ? "yes" : "**NO**"}: ${promise} (${found})`).join("\n"),
		...(collections.length === 0
			? []
			: ["### Coverage and usefulness", aboutCoverage(size), piped(coverageRows(collections))]),
		...(planted.length === 0 ? [] : ["### Planted matrices", aboutPlanted(size), piped(plantedRows(results))]),
		...(attempts.length === 0 ? [] : ["### End to end", aboutEndToEnd(attempts), piped(endToEndRows(attempts))]),
		...(power.length === 0 ? [] : ["### Power", aboutPower(size), piped(powerRows(results))]),
		...(cells.length === 0 ? [] : ["### The watch", aboutWatch(size), piped(watchRows(results))]),
	];
	return parts.join("\n\n");
}

function aboutCoverage({ pool, redraws, queries }: RunSize): string {
	return `Each collection has a pool of ${grouped(pool)} queries that were never inserted, and which *are* the distribution of queries: true means are exact. Truth is a scan in double precision that shares no code with the index. ${grouped(redraws)} samples of ${grouped(queries)} queries are drawn from the pool with replacement, and each is certified by the code that serves, at delta ${DELTA}. Three numbers are of the targets ${TARGETS.join(", ")}. *wrong*: samples of which any certified rung has a true mean below the target. *approximate*: samples that certified a rung before the exact search. *cost*: what the served rung costs, as a multiple of the cheapest whose true mean reaches the target (the exact search where none does), the median; in distances computed, which are the same in every run: to nodes of a graph, or to centroids, scanned rows and candidates of cells.`;
}

function coverageRows(collections: readonly CollectionResult[]): Rows {
	const left = ["collection"];
	const right = ["n", "dimensions", "k", "rungs", "wrong", "approximate %", "cost"];
	return {
		columns: columns(left, right),
		rows: collections.flatMap(({ collection, cells }) =>
			cells.map(({ k, rungs, outcomes }) => [
				collection.name,
				grouped(collection.n),
				String(collection.dimensions),
				String(k),
				String(rungs),
				outcomes.map(({ wrong }) => wrong).join(" / "),
				outcomes.map((each) => ((100 * each.approximate) / each.redraws).toFixed(0)).join(" / "),
				outcomes.map(costText).join(" / "),
			]),
		),
	};
}

function costText({ attainable, costRatio }: Outcome): string {
	return `${Number.isNaN(costRatio) ? "-" : costRatio.toFixed(2)}${attainable ? "" : " (none keeps it)"}`;
}

function aboutPlanted({ redraws, queries, peeked }: RunSize): string {
	return `Ladders that are made to be certified wrongly: four rungs above the target, thirty 0.0005 below it. Wrong certificates of ${grouped(redraws)} samples of ${grouped(queries)} queries; *peeked at*: of as many samples of ${grouped(peeked)}, one query more at a time, every certificate looked at after every measurement, the target added half way, stopped and resumed from its recalls on the way.`;
}

function plantedRows({ planted }: Results): Rows {
	return {
		columns: columns(["planted"], ["target", "wrong", "wrong, peeked at"]),
		rows: planted.map(({ name, target, certified, peeked }) => [
			name,
			String(target),
			String(certified.wrong),
			String(peeked.wrong),
		]),
	};
}

function aboutEndToEnd(attempts: readonly Attempt[]): string {
	return `${attempts.length / ATTEMPTED.length} databases of 4,000 vectors from four distributions, each written, certified once for each target by 3,000 queries, and asked by 4,000 others, through \`Collection\` alone; judged in double precision. *below*: databases whose mean over those others is below the target.`;
}

function endToEndRows(attempts: readonly Attempt[]): Rows {
	return {
		columns: columns([], ["target", "databases", "certified %", "below", "least mean", "median"]),
		rows: ATTEMPTED.map((target) => {
			const own = attempts.filter((each) => each.target === target);
			const recalls = Float64Array.from(own, ({ recall }) => recall);
			const certified = own.filter(({ state }) => state === "certified").length;
			return [
				String(target),
				grouped(own.length),
				((100 * certified) / own.length).toFixed(0),
				String(recalls.filter((recall) => recall < target).length),
				Math.min(...recalls).toFixed(4),
				median(recalls).toFixed(4),
			];
		}),
	};
}

function aboutPower({ powerRuns }: RunSize): string {
	return `Queries after which one rung has passed, of ${grouped(powerRuns)} runs. Hits are scattered (each of ten missing by itself), clumped (correlation 0.25 within a query) or all or nothing. The design does not say of which recalls its numbers are. The correlation was chosen, of four that were tried, as the one that comes nearest to them: those rows confirm nothing by themselves; the row of all-or-nothing queries, where there is nothing to choose, does.`;
}

function powerRows({ power }: Results): Rows {
	return {
		columns: columns(
			["recalls"],
			["target", "truth", "half of the runs", "nine of ten", "design", "passed by the design's"],
		),
		rows: power.map(({ shape, target, truth, half, most, designed, byDesign }) => [
			shape,
			String(target),
			String(truth),
			grouped(half),
			grouped(most),
			designed === undefined ? "" : designed.map(grouped).join(" / "),
			byDesign === undefined ? "" : byDesign.map(percent).join(" / "),
		]),
	};
}

function aboutWatch({ seeds, silentFor }: RunSize): string {
	return `${seeds} certifications of each cell, and what each has served (where that is not the exact search, and not wrong) watched by a detector that begins then. *silent*: no alarm in ${grouped(silentFor)} audits of the pool. Drops are to the target less 0.05, made from the matrices; of each, the share that was heard within 100 audits, and the median of the audits until the alarm, over all collections.${silentFor === SILENT_FOR ? "" : " **Shorter than a full run.**"}`;
}

function watchRows({ collections }: Results): Rows {
	const shifts = Object.keys(SHIFTS);
	return {
		columns: columns([], ["k", "target", "watched", "silent", ...shifts]),
		rows: watchSums(collections.flatMap(({ cells }) => cells)).map(({ k, target, watched, silent, heard }) => [
			String(k),
			String(target),
			grouped(watched),
			percent(silent),
			...shifts.map((shift) => {
				const found = heard.get(shift);
				return found === undefined ? "-" : `${percent(found.share)}, ${found.delay.toFixed(0)}`;
			}),
		]),
	};
}

function columns(left: readonly string[], right: readonly string[]): Rows["columns"] {
	return [
		...left.map((title) => ({ title, align: "left" }) as const),
		...right.map((title) => ({ title, align: "right" }) as const),
	];
}
