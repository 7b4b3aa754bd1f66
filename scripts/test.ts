// Runs the tests on node:test, from the sources. Arguments that are no options choose files whose path contains them
// (`npm test -- packages/index`); options go to Node (`npm test -- --test-name-pattern recall`).
import { spawn } from "node:child_process";
import { globSync } from "node:fs";
import { join, sep } from "node:path";
import { root } from "./workspace.ts";

const PLACES = [
	"packages/*/src/**/*.test.ts",
	"packages/*/test/*.test.ts",
	"test/*.test.ts",
	"scripts/**/*.test.ts",
	"bench/*.test.ts",
	"bench/!(node_modules)/**/*.test.ts",
] as const;

/** Options of Node's test runner that take a value, which may be the next argument. */
const WITH_VALUE: ReadonlySet<string> = new Set([
	"--test-concurrency",
	"--test-name-pattern",
	"--test-reporter",
	"--test-reporter-destination",
	"--test-shard",
	"--test-skip-pattern",
	"--test-timeout",
]);

/** ms after which a test has failed: one that waits for ever is told by its name. The longest takes three minutes on two cores, seven beside other work. */
const TEST_MS = 20 * 60_000;
/** ms after which the run is ended, and has failed: what a test that waits for ever has left running keeps its process alive. */
const RUN_MS = 40 * 60_000;

/** Parts the arguments into options for Node and parts of file paths. */
export function partArguments(args: readonly string[]): { options: string[]; paths: string[] } {
	const options: string[] = [];
	const paths: string[] = [];
	for (let at = 0; at < args.length; at++) {
		const argument = args[at] as string;
		if (!argument.startsWith("-")) paths.push(argument);
		else {
			options.push(argument);
			const value = args[at + 1];
			if (WITH_VALUE.has(argument) && value !== undefined) {
				options.push(value);
				at++;
			}
		}
	}
	return { options, paths };
}

/** Those of the files that one of the path parts occurs in; all of them where there is no part. */
export function chooseFiles(files: readonly string[], paths: readonly string[]): string[] {
	const parts = paths.map((path) => path.replaceAll("\\", "/").replace(/^\.\//, ""));
	return files.filter((file) => parts.length === 0 || parts.some((part) => file.includes(part)));
}

/** The options, and before them ours where they leave the choice. */
export function withDefaults(options: readonly string[]): string[] {
	const given = (name: string) => options.some((option) => option === name || option.startsWith(`${name}=`));
	const defaults = { "--test-concurrency": 2, "--test-timeout": TEST_MS, "--test-reporter": "spec" };
	const missing = Object.entries(defaults).filter(([name]) => !given(name));
	return [...missing.map(([name, value]) => `${name}=${value}`), ...options];
}

function testFiles(): string[] {
	return PLACES.flatMap((place) => globSync(place, { cwd: root }))
		.map((file) => file.split(sep).join("/"))
		.sort();
}

function main(): void {
	const { options, paths } = partArguments(process.argv.slice(2));
	const files = chooseFiles(testFiles(), paths);
	if (files.length === 0) {
		console.error(`No test file has ${paths.map((path) => `"${path}"`).join(" or ")} in its path.`);
		process.exitCode = 1;
		return;
	}
	// Every file is a process of its own, and a database three threads: modules that were compiled once are not compiled again by each.
	const env = { NODE_COMPILE_CACHE: join(root, ".cache", "compiled"), ...process.env };
	const args = ["--conditions=@nigh/source", "--test", ...withDefaults(options), ...files];
	const child = spawn(process.execPath, args, { cwd: root, stdio: "inherit", env, timeout: RUN_MS });
	child.on("error", (error) => {
		console.error(error.message);
		process.exitCode = 1;
	});
	child.on("close", (code) => {
		process.exitCode = code ?? 1;
	});
}

if (import.meta.main) main();
