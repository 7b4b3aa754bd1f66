// Biome cannot parse AssemblyScript's decorators; these few rules keep its files in the same form as the others.
import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { assemblyFolder } from "../setup/kernels.mjs";
import { root } from "../workspace.ts";

const LINE_WIDTH = 120;
/** A tab counts as many columns as Biome's default. */
const TAB_WIDTH = 2;

/** Every line of packages/kernels/assembly that is out of form. */
export function checkAssemblyFormat(workspace: string = root): string[] {
	const folder = assemblyFolder(workspace);
	if (!existsSync(folder)) return [`${folder} is missing.`];
	return globSync("**/*.ts", { cwd: folder })
		.sort()
		.flatMap((file) => {
			const problems = checkAssemblyText(readFileSync(join(folder, file), "utf8"));
			return problems.map((problem) => `packages/kernels/assembly/${file}:${problem}`);
		});
}

/** The same for one text: `line: what is wrong`. Like Biome it leaves the text of comments alone, but for white space at the end. */
export function checkAssemblyText(text: string): string[] {
	const problems: string[] = [];
	const lines = text.split("\n");
	if (lines.pop() !== "") problems.push(`${lines.length + 1}: the file does not end with a newline.`);
	else if (lines.at(-1) === "") problems.push(`${lines.length}: empty line at the end of the file.`);
	let inComment = false;
	for (const [at, line] of lines.entries()) {
		const say = (what: string) => problems.push(`${at + 1}: ${what}`);
		if (line.includes("\r")) say("carriage return: lines end with a newline alone.");
		else if (/\s$/.test(line)) say("white space at the end of the line.");
		if (!inComment && !/^\t*(?!\s)/.test(line)) say("indented with spaces: use tabs.");
		const isComment = inComment || /^\s*\/[/*]/.test(line);
		const width = line.replaceAll("\t", " ".repeat(TAB_WIDTH)).length;
		if (!isComment && width > LINE_WIDTH) say(`${width} columns, more than ${LINE_WIDTH}.`);
		if (inComment) inComment = !line.includes("*/");
		else inComment = /^\s*\/\*/.test(line) && !line.includes("*/");
	}
	return problems;
}
