// Everything that has to hold before a change is taken in, one line a step: `npm run check`, or some of it:
// `npm run check -- types lint`. A step that fails does not keep the others from running.
import { buildPackages } from "./build.ts";
import { checkAssemblyFormat } from "./guards/assembly-format.ts";
import { checkImports } from "./guards/imports.ts";
import { checkLockfile } from "./guards/lockfile.ts";
import { checkMachinePaths } from "./guards/machine-paths.ts";
import { checkPacked } from "./guards/packed.ts";
import { checkSizes } from "./guards/sizes.ts";
import { reportFailures, runTool } from "./processes.ts";
import { root } from "./workspace.ts";

/** Returns what is wrong, an empty list when nothing is. */
export type Step = () => string[] | Promise<string[]>;

/** In the order in which they run: `packed` needs what `build` has made. */
const STEPS: Readonly<Record<string, Step>> = {
	types: () => tool("typescript/bin/tsc", ["-p", root, "--pretty", "false"]),
	lint: () => tool("@biomejs/biome/bin/biome", ["ci", "--colors=off", root]),
	assembly: () => checkAssemblyFormat(),
	imports: () => checkImports(),
	lockfile: () => checkLockfile(),
	paths: () => checkMachinePaths(),
	sizes: () => checkSizes(),
	build: async () => {
		await buildPackages();
		return [];
	},
	packed: () => checkPacked(),
};

async function tool(bin: string, args: readonly string[]): Promise<string[]> {
	const { code, output } = await runTool(bin, args);
	return code === 0 ? [] : [output.trim() || `${bin} exits with ${code}.`];
}

async function problemsOf(step: Step): Promise<string[]> {
	try {
		return await step();
	} catch (error) {
		return [error instanceof Error ? error.message : String(error)];
	}
}

/** Runs those of the steps that are asked for, or all, prints a line for each, and returns the names of those that failed. */
export async function runSteps(
	steps: Readonly<Record<string, Step>>,
	asked: readonly string[],
	print: (line: string) => void,
): Promise<string[]> {
	const unknown = asked.filter((name) => !(name in steps));
	if (unknown.length > 0) {
		throw new Error(`There is no step ${unknown.join(", ")}; the steps are ${Object.keys(steps).join(", ")}.`);
	}
	const failed: string[] = [];
	for (const [name, step] of Object.entries(steps)) {
		if (asked.length > 0 && !asked.includes(name)) continue;
		const started = performance.now();
		const problems = await problemsOf(step);
		const seconds = ((performance.now() - started) / 1000).toFixed(1);
		print(`${problems.length === 0 ? "ok    " : "FAILED"} ${name.padEnd(9)} ${seconds.padStart(5)} s`);
		for (const problem of problems) print(problem.replace(/^/gm, "       "));
		if (problems.length > 0) failed.push(name);
	}
	return failed;
}

async function main(): Promise<void> {
	const failed = await runSteps(STEPS, process.argv.slice(2), console.log);
	if (failed.length > 0) throw new Error(`Failed: ${failed.join(", ")}. One alone: npm run check -- ${failed[0]}`);
}

if (import.meta.main) await reportFailures(main);
