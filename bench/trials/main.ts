// What was tried to make the engine faster, measured again: each trial is a patch, compared with the tree it is a patch of. Writes
// what each gives into its row of the table in docs/performance-notes.md.
//
//   npm run bench:trials -- [NAME...] [--data FOLDER]
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { machineLine, thisMachine } from "../report/machine.ts";
import type { SetOptions } from "../sets/load.ts";
import type { Comparison } from "./compare.ts";
import { rowsOf, trialRow, trialTable } from "./notes.ts";
import { runTrial } from "./run.ts";
import { listTrials, type Trial } from "./trial.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const NOTES = join(ROOT, "docs/performance-notes.md");
/** The table stands between these lines; the rest of the notes is written by hand. */
const [BEGIN, END] = ["<!-- trials: written by npm run bench:trials -->", "<!-- end of trials -->"];
const SETS = ["generated", "fashion-mnist-784"];

try {
	main(process.argv.slice(2));
} catch (error) {
	process.stderr.write(`${(error as Error).message}\n`);
	process.exitCode = 1;
}

function main(args: readonly string[]): void {
	const { values, positionals } = parseArgs({
		args: [...args],
		allowPositionals: true,
		options: { data: { type: "string", default: process.env.NIGH_BENCH_DATA ?? join(ROOT, "bench/data") } },
	});
	for (const trial of listTrials(positionals)) {
		process.stderr.write(`${trial.name}: ${trial.title}\n`);
		const sets = SETS.map((set) => setOptions(set, values.data));
		writeRow(trial, runTrial(trial, sets));
	}
}

function setOptions(set: string, data: string): SetOptions {
	return { set, data, n: undefined, dimensions: 128, queries: 1_000, metric: undefined, seed: 7, k: 10 };
}

/** Puts a trial's row into the table of the notes; the rows of other trials stay as they were measured. */
function writeRow(trial: Trial, results: readonly Comparison[]): void {
	const notes = readFileSync(NOTES, "utf8");
	const [from, to] = [notes.indexOf(BEGIN), notes.indexOf(END)];
	if (from < 0 || to < from) throw new Error(`${NOTES} has lost its lines ${BEGIN} and ${END}: put them back.`);
	const rows = rowsOf(notes.slice(from, to)).set(trial.name, trialRow(trial, results, SETS));
	const text = `Machine: ${machineLine(thisMachine())}.\n\n${trialTable(rows, SETS)}`;
	writeFileSync(NOTES, `${notes.slice(0, from)}${BEGIN}\n\n${text}\n\n${notes.slice(to)}`);
}
