// No file of the repository may speak of the machine it was written on.
import { globSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join, sep } from "node:path";
import { root } from "../workspace.ts";

const IGNORED: ReadonlySet<string> = new Set(["node_modules", "dist", "generated", ".git", ".cache"]);
const HOME_FOLDERS = [/\/home\/[a-z][\w.-]*\//, /\/Users\/[\w.-]+\//, /[A-Za-z]:\\+Users\\/, /\/root\//];

/** Every line of a text file below `workspace` that names this checkout or somebody's home folder. */
export function checkMachinePaths(workspace: string = root): string[] {
	const files = globSync("**/*", { cwd: workspace, withFileTypes: true, exclude: (entry) => IGNORED.has(entry.name) });
	const hidden = globSync(["**/.*", ".*/**/*"], {
		cwd: workspace,
		withFileTypes: true,
		exclude: (entry) => IGNORED.has(entry.name),
	});
	const paths = new Set(
		[...files, ...hidden].filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name)),
	);
	const here = [workspace, homedir()].filter((path) => path.split(sep).filter(Boolean).length > 1);
	return [...paths].sort().flatMap((path) => {
		const text = readFileSync(path, "utf8");
		// A zero byte: not a text.
		if (text.includes("\0")) return [];
		return findMachinePaths(text, here).map((line) => `${path.slice(workspace.length + 1)}:${line}`);
	});
}

/** `line: the path` for each line of `text` that names a home folder or one of the folders in `here`. */
export function findMachinePaths(text: string, here: readonly string[] = []): string[] {
	return text.split("\n").flatMap((line, at) => {
		const found = HOME_FOLDERS.map((pattern) => pattern.exec(line)?.[0]).find((match) => match !== undefined);
		const path = found ?? here.find((folder) => line.includes(folder));
		return path === undefined ? [] : [`${at + 1}: names ${path}, a folder of one machine.`];
	});
}
