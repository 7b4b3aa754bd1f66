import { grouped } from "../../packages/nigh/src/terminal/table.ts";
import { type Machine, machineLine } from "../report/machine.ts";
import { piped } from "../report/markdown.ts";
import type { Rows } from "../report/rows.ts";
import { type Check, certifiedShare, percent, type Results } from "./checks.ts";
import { ATTEMPTED, type Attempt } from "./end-to-end.ts";
import { TARGETS } from "./measure.ts";
import { median, type Outcome } from "./redraw.ts";
import { PILOT } from "./rows.ts";
import { LONGEST, SHIFTS, type ShiftName, toBeHeardWithin } from "./shifts.ts";
import type { CollectionResult, RunSize } from "./task.ts";
import { DELTA } from "./task.ts";
import { SILENT_FOR } from "./watch.ts";
import { type PooledShare, watchSums } from "./watch-sums.ts";

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
	return `Each collection has a pool of ${grouped(pool)} queries that were never inserted, and which *are* the distribution of queries: true means are exact. Truth is a scan in double precision that shares no code with the index. ${grouped(redraws)} samples of ${grouped(queries)} queries are drawn from the pool with replacement, and each is certified at delta ${DELTA} by the code of a database's examiner: the same certification (each query is asked once, on all rungs that are worth it then, and what looks hopeless is given up), and the same choice of the rung that serves. Not the same as in a database: ladders begin as wide as ${grouped(PILOT)} pilot queries find enough, those of a database eight times as wide as 128 at most do; no walk ends early (\`patience\`); cells have no re-rank depths to choose from; and no query is answered exactly on an approximate rung. What is measured end to end goes through all of that. Three numbers are of the targets ${TARGETS.join(", ")}. *wrong*: samples of which any certified rung has a true mean below the target. *approximate*: samples that certified a rung before the exact search. *cost*: what the served rung costs, as a multiple of the cheapest whose true mean reaches the target (the exact search where none does), the median; in distances computed, which are the same in every run: to nodes of a graph, or to centroids, scanned rows and candidates of cells.`;
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
	return `Ladders that are made to be certified wrongly: four rungs above the target, thirty 0.0005 below it. Wrong certificates of ${grouped(redraws)} samples of ${grouped(queries)} queries; *peeked at*: of as many samples of ${grouped(peeked)}, one query more at a time, every certificate looked at after every one, the target added half way, stopped and resumed from its recalls on the way.`;
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
	return `${attempts.length / ATTEMPTED.length} databases of 4,000 vectors from four distributions for each target, each written, certified once by 3,000 queries, and asked by 4,000 others afterwards, through nothing but what a user calls: ladders, walks that end early, truth, serving and statements are a database's own. The others are searched for through a reader, which logs nothing, and all are served by one certificate. Judged in double precision. *certified*: databases whose answers came with a certificate, and not from an exact search. *below*: databases whose mean over those others is below the target.`;
}

function endToEndRows(attempts: readonly Attempt[]): Rows {
	return {
		columns: columns([], ["target", "databases", "certified %", "below", "least mean", "median"]),
		rows: ATTEMPTED.map((target) => {
			const own = attempts.filter((each) => each.target === target);
			const recalls = Float64Array.from(own, ({ recall }) => recall);
			return [
				String(target),
				grouped(own.length),
				(100 * certifiedShare(own)).toFixed(1),
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
	return `${seeds} certifications of each cell, and what each has served (where that is not the exact search, and not wrong) watched by a detector that begins then, set as in a database: by what was measured on that rung until the certification ended. *silent*: no alarm in ${grouped(silentFor)} audits of the pool. Drops are to the target less 0.05, made from the matrices, and nothing is written or deleted; of each, the share that was heard within ${toBeHeardWithin("a mass insert")} audits (of queries that find nothing: ${grouped(LONGEST)}), and the median of the audits until the alarm, over all collections. Each share is of the certifications of all collections together; in brackets that of the collection where it is the least. Detectors are set by two drops, hits missed at random and more queries like the worst tenth; inserts and queries that find nothing are unlike both.${silentFor === SILENT_FOR ? "" : " **Shorter than a full run.**"}`;
}

function watchRows({ collections }: Results): Rows {
	const shifts = Object.keys(SHIFTS) as ShiftName[];
	return {
		columns: columns([], ["k", "target", "watched", "silent", ...shifts]),
		rows: watchSums(collections).map(({ k, target, watched, silent, heard }) => [
			String(k),
			String(target),
			grouped(watched),
			silent === undefined ? "-" : pooledText(silent),
			...shifts.map((shift) => {
				const found = heard.get(shift);
				return found === undefined ? "-" : `${pooledText(found)}, ${found.delay.toFixed(0)}`;
			}),
		]),
	};
}

function pooledText({ share, worst }: PooledShare): string {
	return `${percent(share)} (${percent(worst.share)})`;
}

function columns(left: readonly string[], right: readonly string[]): Rows["columns"] {
	return [
		...left.map((title) => ({ title, align: "left" }) as const),
		...right.map((title) => ({ title, align: "right" }) as const),
	];
}
