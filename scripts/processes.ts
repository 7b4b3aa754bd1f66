import { spawn } from "node:child_process";
import { basename, delimiter, dirname, join } from "node:path";
import { root } from "./workspace.ts";

/** What a program printed and how it ended. */
export interface Finished {
	readonly code: number;
	/** stdout, then stderr. */
	readonly output: string;
	readonly stdout: string;
}

/** Runs a JavaScript file on this Node and collects its output. */
export function runNode(file: string, args: readonly string[], cwd: string = root): Promise<Finished> {
	return run(process.execPath, [file, ...args], cwd);
}

/** Runs a command of a package in node_modules; `bin` is the path of its JavaScript file there. */
export function runTool(bin: string, args: readonly string[], cwd: string = root): Promise<Finished> {
	return runNode(join(root, "node_modules", bin), args, cwd);
}

/** Runs the npm that runs this script, else the one on the PATH. */
export function runNpm(args: readonly string[], cwd: string): Promise<Finished> {
	const cli = process.env.npm_execpath ?? "";
	if (/^npm-cli\.[cm]?js$/.test(basename(cli))) return runNode(cli, args, cwd);
	return run("npm", args, cwd);
}

function run(command: string, args: readonly string[], cwd: string): Promise<Finished> {
	return new Promise((resolve, reject) => {
		// What it starts in turn is to find this Node first.
		const path = `${dirname(process.execPath)}${delimiter}${process.env.PATH ?? ""}`;
		const child = spawn(command, args, { cwd, env: { ...process.env, PATH: path }, stdio: ["ignore", "pipe", "pipe"] });
		let stdout = "";
		let stderr = "";
		child.stdout.setEncoding("utf8").on("data", (text: string) => {
			stdout += text;
		});
		child.stderr.setEncoding("utf8").on("data", (text: string) => {
			stderr += text;
		});
		child.on("error", reject);
		child.on("close", (code) => resolve({ code: code ?? 1, output: stdout + stderr, stdout }));
	});
}

/** Runs a command-line program to its end: a failure is one message, without a stack, and exit code 1. */
export async function reportFailures(program: () => Promise<void>): Promise<void> {
	try {
		await program();
	} catch (error) {
		console.error(error instanceof Error ? error.message : String(error));
		process.exitCode = 1;
	}
}
