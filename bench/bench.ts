// Nigh beside its peers on one set, one thread each, interleaved. `--help` tells the options.
//
//   npm run bench -- --set generated --n 100000 --dimensions 128 --peers hnswlib-cpp
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isNighError } from "@nigh/contract";
import { UsageError } from "../packages/nigh/src/terminal/usage-error.ts";
import { ENGINES } from "./engines/registry.ts";
import { type BenchOptions, HELP, parseOptions } from "./options.ts";
import { jsonReport } from "./report/json.ts";
import { thisMachine } from "./report/machine.ts";
import { markdownReport } from "./report/markdown.ts";
import { plotReport } from "./report/plot.ts";
import type { Report } from "./report/report.ts";
import { tableReport } from "./report/table.ts";
import { runInterleaved } from "./run/interleave.ts";
import { type BenchSet, loadSet } from "./sets/load.ts";

const EXIT = { ok: 0, failed: 1, usage: 2 } as const;
const CLEAR_LINE = "\r\u001b[K";

async function main(args: readonly string[]): Promise<number> {
	if (args.includes("--help") || args.includes("-h")) {
		console.log(HELP);
		return EXIT.ok;
	}
	const date = new Date();
	const options = parseOptions(args);
	// Now, so that a place that cannot be written to is known before hours of measuring.
	if (options.out !== undefined) mkdirSync(options.out, { recursive: true });
	const report = await measure(options);
	for (const [engine, message] of Object.entries(report.failures)) console.error(`${engine} failed: ${message}`);
	if (report.results.length > 0) {
		const json = JSON.stringify(jsonReport(report, date), null, "\t");
		console.log(options.json ? json : tableReport(report));
		if (options.out !== undefined) writeReports(report, json, options.out);
	}
	return Object.keys(report.failures).length === 0 ? EXIT.ok : EXIT.failed;
}

async function measure({ set: setOptions, run, command }: BenchOptions): Promise<Report> {
	showStep(`${setOptions.set}: loading`);
	try {
		const set = await loadSet(setOptions);
		checkNeighbors(set, run.k);
		const { results, failures } = await runInterleaved(set, { ...run, onStep: showStep });
		const { name, about, metric, dimensions, n, queryCount } = set;
		const { k, M, efConstruction, passes } = run;
		return {
			command,
			machine: thisMachine(),
			set: { name, about, metric, dimensions, n, queryCount },
			parameters: { k, M, efConstruction, passes },
			results,
			failures,
		};
	} finally {
		showStep("");
	}
}

/** Recall@k needs k neighbours that are known. */
function checkNeighbors({ name, n, truth }: BenchSet, k: number): void {
	const most = Math.min(n, truth.width);
	if (k > most) throw new UsageError(`--k is ${k}; it must be at most ${most}, the neighbours that ${name} knows.`);
}

function writeReports(report: Report, json: string, folder: string): void {
	const { name } = report.set;
	writeFileSync(join(folder, `${name}.json`), `${json}\n`);
	writeFileSync(join(folder, `${name}.svg`), plotReport(report, Object.keys(ENGINES)));
	writeFileSync(join(folder, `${name}.md`), markdownReport(report, `${name}.svg`));
}

function showStep(text: string): void {
	if (process.stderr.isTTY) process.stderr.write(`${CLEAR_LINE}${text}`);
}

/** One line where the message is meant for the caller, the whole stack where it is a mistake of ours. */
function explain(error: unknown): number {
	if (error instanceof UsageError || isNighError(error, "INVALID_OPTION")) {
		console.error(`${error.message}\nnpm run bench -- --help tells the options.`);
		return EXIT.usage;
	}
	const isForCaller = isNighError(error) || (error instanceof Error && "syscall" in error);
	console.error(isForCaller ? error.message : error);
	return EXIT.failed;
}

// npm runs its scripts in the folder of package.json; relative paths are meant from where the caller stands.
if (process.env.npm_lifecycle_event === "bench" && process.env.INIT_CWD !== undefined)
	process.chdir(process.env.INIT_CWD);

try {
	process.exitCode = await main(process.argv.slice(2));
} catch (error) {
	process.exitCode = explain(error);
}
