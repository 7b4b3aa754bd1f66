import { spawnSync } from "node:child_process";
import { join } from "node:path";

const MAIN = join(import.meta.dirname, "..", "src", "main.ts");

/** How a run of the command ended. */
export interface Finished {
	readonly status: number | null;
	readonly stdout: string;
	readonly stderr: string;
	/** What it printed, line by line, each read as JSON. */
	// biome-ignore lint/suspicious/noExplicitAny: tests look into it.
	readonly objects: () => any[];
}

/** Runs `nigh` from the sources with no terminal. */
export function nigh(args: readonly string[], cwd?: string, input = ""): Finished {
	const { status, stdout, stderr } = spawnSync(process.execPath, ["--conditions=@nigh/source", MAIN, ...args], {
		encoding: "utf8",
		input,
		...(cwd !== undefined && { cwd }),
	});
	const objects = () =>
		stdout
			.trimEnd()
			.split("\n")
			.map((line) => JSON.parse(line));
	return { status, stdout, stderr, objects };
}
