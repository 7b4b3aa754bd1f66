// Writes the documents that are measured, and their plots: docs/benchmarks.md, docs/choosing-an-index.md and docs/limits.md. Measures every
// section (hours, with all peers) or those that are named, and leaves the others as they stand in their document.
//
//   npm run bench:docs -- [SECTION...] [--data FOLDER]
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { chosen } from "../../packages/nigh/src/terminal/arguments.ts";
import { UsageError } from "../../packages/nigh/src/terminal/usage-error.ts";
import { pinned } from "../run/pinned.ts";
import { CHECK_FAILED } from "../tables/exit-code.ts";
import { documentOf, sectionsOf } from "./document.ts";
import { type DocumentName, HEADS } from "./documents.ts";
import { SECTIONS, type Section } from "./sections.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const PLOTS = join(ROOT, "docs/benchmarks");
const NAMES = SECTIONS.map(({ name }) => name);

function main(args: readonly string[]): void {
	const { values, positionals } = parseArgs({
		args: [...args],
		allowPositionals: true,
		options: { data: { type: "string", default: process.env.NIGH_BENCH_DATA ?? join(ROOT, "bench/data") } },
	});
	for (const name of positionals) chosen("a section", name, NAMES);
	for (const section of SECTIONS) {
		if (positionals.length > 0 && !positionals.includes(section.name)) continue;
		process.stderr.write(`${section.name} ...\n`);
		const text = measure(section, resolve(values.data));
		// Read anew each time, and written at once: a run of hours that ends early keeps what it has.
		const file = join(ROOT, `docs/${section.document}.md`);
		const sections = sectionsOf(existsSync(file) ? readFileSync(file, "utf8") : "");
		sections.set(section.name, text);
		writeFileSync(file, documentOf(HEADS[section.document], namesOf(section.document), sections));
	}
}

function namesOf(document: DocumentName): string[] {
	return SECTIONS.filter((section) => section.document === document).map(({ name }) => name);
}

/** Runs a section's command; returns its text, and puts its plot where the text looks for it. */
function measure({ name, title, command, report, data, cores }: Section, folder: string): string {
	const out = mkdtempSync(join(tmpdir(), "nigh-bench-docs-"));
	const pins = cores === "all" ? [] : pinned();
	const line = [
		...pins,
		process.execPath,
		"--conditions=@nigh/source",
		...command,
		...(data ? ["--data", folder] : []),
		...(report === undefined ? [] : ["--out", out]),
	] as [string, ...string[]];
	try {
		const output = outputOf(line);
		if (report === undefined) {
			const where = pins.length > 0 ? "pinned to a core" : "on all cores";
			return `${output.trim()}\n\n\`npm run bench:${command[0]?.split("/")[1]} -- ${command.slice(1).join(" ")}\`, ${where}.`;
		}
		mkdirSync(PLOTS, { recursive: true });
		copyFileSync(join(out, `${report}.svg`), join(PLOTS, `${name}.svg`));
		return readFileSync(join(out, `${report}.md`), "utf8")
			.trim()
			.replace(`## ${report}\n`, `## ${title ?? report}\n`)
			.replace(`](${report}.svg)`, `](benchmarks/${name}.svg)`);
	} catch (error) {
		throw new Error(`${name} could not be measured: ${(error as Error).message}`, { cause: error });
	} finally {
		rmSync(out, { recursive: true, force: true });
	}
}

/** What a command prints. Checks that do not hold are in its text; any other failure is one. */
function outputOf([program, ...args]: readonly [string, ...string[]]): string {
	try {
		return execFileSync(program, args, {
			cwd: ROOT,
			encoding: "utf8",
			maxBuffer: 1 << 26,
			stdio: ["ignore", "pipe", "inherit"],
		});
	} catch (error) {
		const { status, stdout } = error as { status?: number | null; stdout?: string };
		if (status !== CHECK_FAILED || stdout === undefined) throw error;
		return stdout;
	}
}

try {
	main(process.argv.slice(2));
} catch (error) {
	const isUsage = error instanceof UsageError || (error as { code?: string }).code?.startsWith("ERR_PARSE_ARGS");
	if (!isUsage) throw error;
	process.stderr.write(`${(error as Error).message}\n`);
	process.exitCode = 2;
}
