// Writes docs/benchmarks.md and its plots: runs every section (hours, with all peers), or those that are named, and puts the document
// together from what each gave the last time it ran.
//
//   npm run bench:docs -- [SECTION...] [--data FOLDER]
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { chosen } from "../../packages/nigh/src/terminal/arguments.ts";
import { UsageError } from "../../packages/nigh/src/terminal/usage-error.ts";
import { machineLine, thisMachine } from "../report/machine.ts";
import { pinned } from "../run/pinned.ts";
import { SECTIONS, type Section } from "./sections.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const CACHE = join(ROOT, "bench/.cache/docs");
const PLOTS = join(ROOT, "docs/benchmarks");

const NAMES = SECTIONS.map(({ name }) => name);

function main(args: readonly string[]): void {
	const { values, positionals } = parseArgs({
		args: [...args],
		allowPositionals: true,
		options: { data: { type: "string", default: process.env.NIGH_BENCH_DATA ?? join(ROOT, "bench/data") } },
	});
	for (const name of positionals) chosen("a section", name, NAMES);
	mkdirSync(CACHE, { recursive: true });
	for (const section of SECTIONS) {
		if (positionals.length === 0 || positionals.includes(section.name)) run(section, resolve(values.data));
	}
	const measured = SECTIONS.filter(({ name }) => existsSync(join(CACHE, `${name}.md`)));
	mkdirSync(PLOTS, { recursive: true });
	for (const { report } of measured) {
		if (report !== undefined) copyFileSync(join(CACHE, `${report}.svg`), join(PLOTS, `${report}.svg`));
	}
	writeFileSync(join(ROOT, "docs/benchmarks.md"), `${[head(measured), ...measured.map(textOf)].join("\n\n")}\n`);
	const missing = NAMES.filter((name) => !measured.some((section) => section.name === name));
	if (missing.length > 0) process.stderr.write(`Not measured yet, so not in the document: ${missing.join(", ")}.\n`);
}

/** Runs a section's command and keeps what it gave. A check that does not hold (exit code 1) is in the text, and shown. */
function run({ name, command, report, data, cores }: Section, folder: string): void {
	process.stderr.write(`${name} ...\n`);
	const line = [
		...(cores === "all" ? [] : pinned()),
		process.execPath,
		"--conditions=@nigh/source",
		...command,
		...(data ? ["--data", folder] : []),
		...(report === undefined ? [] : ["--out", CACHE]),
	] as [string, ...string[]];
	let output: string;
	try {
		output = execFileSync(line[0], line.slice(1), {
			cwd: ROOT,
			encoding: "utf8",
			maxBuffer: 1 << 26,
			stdio: ["ignore", "pipe", "inherit"],
		});
	} catch (error) {
		const { status, stdout } = error as { status?: number | null; stdout?: string };
		if (status !== 1 || !stdout) throw error;
		output = stdout;
	}
	if (report === undefined) writeFileSync(join(CACHE, `${name}.md`), output);
}

/** What a section gave, with the links to plots as the document needs them. */
function textOf({ name, report }: Section): string {
	const text = readFileSync(join(CACHE, `${name}.md`), "utf8").trim();
	if (report === undefined) return text.replace(/^Measured on .*\n+/, "");
	return text.replace(`](${report}.svg)`, `](benchmarks/${report}.svg)`);
}

function head(measured: readonly Section[]): string {
	return `# Benchmarks

Written by \`npm run bench:docs -- --data FOLDER\`, after \`npm run bench:setup\` (which installs and compiles the peers); every section names
its own command. One thread, pinned to a core; engines take turns, a pass over the queries at a time, so that what else the machine does
hits all of them alike. On a shared machine two runs differ by a tenth and more: compare within one table.

Machine: ${machineLine(thisMachine())}.

Contents: ${measured.map(({ name }) => name).join(", ")}.
How the engine came to be as fast as it is, and what was tried and did not pay, is in
[performance-notes.md](performance-notes.md).`;
}

try {
	main(process.argv.slice(2));
} catch (error) {
	const isUsage = error instanceof UsageError || (error as { code?: string }).code?.startsWith("ERR_PARSE_ARGS");
	if (!isUsage) throw error;
	process.stderr.write(`${(error as Error).message}\n`);
	process.exitCode = 2;
}
