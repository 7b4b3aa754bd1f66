// The `nigh` command: finds the command, runs it, and turns what it throws into one line and an exit code.
import { isNighError } from "@nigh/contract";
import type { Command, Terminal } from "./commands/command.ts";
import { GROUPS } from "./commands/groups.ts";
import { hint } from "./terminal/arguments.ts";
import { ProblemsFound } from "./terminal/problems-found.ts";
import { UsageError } from "./terminal/usage-error.ts";
import { ownVersion } from "./version.ts";

const COMMANDS = GROUPS.flatMap(([, commands]) => commands);
const EXIT = { ok: 0, failed: 1, usage: 2, interrupted: 130 } as const;

const HELP = `nigh: a vector database in a folder, for TypeScript

Usage: nigh COMMAND [options]

${GROUPS.map(groupText).join("\n\n")}

Options
  --help      this text; nigh COMMAND --help for a command
  --version   the version

Examples
  nigh demo
  nigh import words words.fvecs --metric l2
  nigh search words --id 42
  nigh import docs texts.jsonl --embedder hashed-ngrams
  nigh search docs "rye bread"
  nigh eval --base base.fvecs --query query.fvecs --metric l2

The database is the folder that --data or NIGH_DATA names, or ./nigh-data.
Reading works beside a process that writes.

Exit codes: 0 done, 1 the work failed or found problems, 2 the command line is
wrong, 130 interrupted.`;

const terminal: Terminal = {
	print: (line) => {
		process.stdout.write(`${line}\n`);
	},
	output: process.stdout,
	errors: process.stderr,
	isInteractive: process.stdin.isTTY === true && process.stdout.isTTY === true,
};

async function run(args: readonly string[]): Promise<void> {
	const [word, ...rest] = args;
	if (word === undefined) throw new UsageError(`Say what to do.\n\n${HELP}`);
	if (word === "--version") return terminal.print(ownVersion());
	if (word === "--help" || word === "-h") return terminal.print(HELP);
	if (word === "help") return terminal.print(rest[0] === undefined ? HELP : commandOf(rest[0]).help);
	const command = commandOf(word);
	if (asksForHelp(rest)) return terminal.print(command.help);
	try {
		await command.run(rest, terminal);
	} catch (error) {
		if (!(error instanceof UsageError)) throw error;
		const sentence = /[.?!]$/.test(error.message) ? error.message : `${error.message}.`;
		throw new UsageError(`${sentence} nigh ${command.name} --help tells more.`, { cause: error });
	}
}

function commandOf(word: string): Command {
	const command = COMMANDS.find(({ name }) => name === word);
	if (command === undefined) throw unknown(word);
	return command;
}

function groupText([title, commands]: (typeof GROUPS)[number]): string {
	return `${title}\n${commands.map(({ name, summary }) => `  ${name.padEnd(13)}${summary}`).join("\n")}`;
}

function asksForHelp(args: readonly string[]): boolean {
	const end = args.indexOf("--");
	return args.slice(0, end === -1 ? args.length : end).some((each) => each === "--help" || each === "-h");
}

function unknown(word: string): UsageError {
	const names = COMMANDS.map(({ name }) => name);
	if (word.startsWith("-")) {
		const options = ["--help", "--version"];
		return new UsageError(`There is no option ${word}.${hint(word, options)} nigh --help lists what there is.`);
	}
	return new UsageError(`There is no command ${word}.${hint(word, names)} nigh --help lists what there is.`);
}

/** One line where the message is meant for the user, the whole stack where it is a mistake of ours. */
function report(error: unknown): number {
	if (error instanceof UsageError) {
		console.error(`nigh: ${error.message}`);
		return EXIT.usage;
	}
	if (error instanceof ProblemsFound) {
		console.error(`nigh: ${error.message}`);
		return EXIT.failed;
	}
	if (isNighError(error, "ABORTED")) {
		console.error("nigh: interrupted.");
		return EXIT.interrupted;
	}
	if (isNighError(error)) {
		console.error(`nigh: ${error.message}`);
		return EXIT.failed;
	}
	const isSystemError = error instanceof Error && "syscall" in error;
	console.error(isSystemError ? `nigh: ${error.message}` : error);
	return EXIT.failed;
}

// Whoever reads may have seen enough (`| head`): that is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
	if (error.code !== "EPIPE") console.error(`nigh: ${error.message}`);
	process.exit(error.code === "EPIPE" ? EXIT.ok : EXIT.failed);
});

// npm runs its scripts in the folder of package.json; relative paths are meant from where the user stands.
if (process.env.npm_lifecycle_event === "nigh" && process.env.INIT_CWD !== undefined)
	process.chdir(process.env.INIT_CWD);

try {
	await run(process.argv.slice(2));
	process.exitCode = EXIT.ok;
} catch (error) {
	process.exitCode = report(error);
}
