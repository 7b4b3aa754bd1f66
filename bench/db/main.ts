// The database in a folder: what writing, opening, searching and filtering cost. A target that is missed makes the exit code 3.
//
//   npm run bench:db -- [--only NAME,...] [--size N] [--data FOLDER] [--json] [--out FOLDER]
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { UsageError } from "../../packages/nigh/src/terminal/usage-error.ts";
import { machineLine, thisMachine } from "../report/machine.ts";
import { CHECK_FAILED } from "../tables/exit-code.ts";
import { keeps, type Measured, markdownOf } from "./measurement.ts";
import { MEASUREMENTS } from "./measurements.ts";
import { type DatabaseBenchCommand, HELP, parseDatabaseOptions } from "./options.ts";
import { inWorkingFolder } from "./working-folder.ts";

interface Report {
	readonly format: 1;
	readonly command: string;
	readonly machine: ReturnType<typeof thisMachine>;
	readonly nigh: string;
	readonly measurements: Readonly<Record<string, Measured>>;
}

const MANIFEST = new URL("../../packages/embedded/package.json", import.meta.url);

function onStep(text: string): void {
	if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`);
}

async function main(args: readonly string[]): Promise<void> {
	if (args.includes("--help")) return console.log(HELP);
	const command = parseDatabaseOptions(args, Object.keys(MEASUREMENTS));
	const { names, json, out } = command;
	const measurements: Record<string, Measured> = {};
	const report = (): Report => ({
		format: 1,
		command: command.command,
		machine: thisMachine(),
		nigh: `@nigh/embedded ${JSON.parse(readFileSync(MANIFEST, "utf8")).version}, SQLite ${process.versions.sqlite}`,
		measurements,
	});
	if (!json) console.log(headOf(report()));
	for (const name of names) {
		if (!process.stderr.isTTY && names.length > 1) process.stderr.write(`${name} ...\n`);
		measurements[name] = names.length === 1 ? await measure(name, command) : measureAside(name, command);
		onStep("");
		// One at a time: what is done is there to read while the next is measured.
		if (!json) console.log(`\n${markdownOf(measurements[name])}`);
		if (out !== undefined) write(report(), out);
	}
	if (json) console.log(JSON.stringify(report(), null, "\t"));
	const figures = Object.values(measurements).flatMap((measured) => measured.figures);
	if (figures.some((figure) => keeps(figure) === false)) process.exitCode = CHECK_FAILED;
}

function headOf({ machine, nigh, command }: Report): string {
	return `## The database in a folder\n\n\`${command}\`\n\nMachine: ${machineLine(machine)}; ${nigh}.`;
}

function write(report: Report, out: string): void {
	mkdirSync(out, { recursive: true });
	const parts = [headOf(report), ...Object.values(report.measurements).map(markdownOf)];
	writeFileSync(join(out, "database.md"), `${parts.join("\n\n")}\n`);
	writeFileSync(join(out, "database.json"), `${JSON.stringify(report, null, "\t")}\n`);
}

async function measure(name: string, { size, data }: DatabaseBenchCommand): Promise<Measured> {
	const measurement = MEASUREMENTS[name] as (typeof MEASUREMENTS)[string];
	const [load = 0] = loadavg();
	const measured = await inWorkingFolder(resolve(data), (folder) =>
		measurement({ size, folder, onStep: (text) => onStep(`${name}: ${text}`) }),
	);
	// Every thread of the database wants a core: what else runs is in all times.
	const busy = `Before it began, ${load.toFixed(1)} processes of the machine wanted a core (mean of a minute).`;
	return { ...measured, about: [...measured.about, busy] };
}

/** In a process of its own: what one measurement leaves in memory is no part of the next. */
function measureAside(name: string, { size, data }: DatabaseBenchCommand): Measured {
	const script = fileURLToPath(import.meta.url);
	const args = ["--only", name, "--json", "--data", data, ...(size === undefined ? [] : ["--size", String(size)])];
	const { status, stdout, error } = spawnSync(process.execPath, ["--conditions=@nigh/source", script, ...args], {
		encoding: "utf8",
		stdio: ["ignore", "pipe", "inherit"],
	});
	if (status !== 0 && status !== CHECK_FAILED) {
		throw new Error(`${name} could not be measured: it ended with ${status}; its message is above`, { cause: error });
	}
	return (JSON.parse(stdout) as Report).measurements[name] as Measured;
}

try {
	await main(process.argv.slice(2));
} catch (error) {
	if (!(error instanceof UsageError)) throw error;
	console.error(error.message);
	process.exitCode = 2;
}
