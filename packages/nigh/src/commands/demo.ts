import { createInterface } from "node:readline";
import { hashedNgrams } from "@nigh/embed";
import { answer, evidenceLine } from "../demo/answer.ts";
import { type Changes, carryOut, planChanges } from "../demo/bring-up-to-date.ts";
import { type Comparison, compare } from "../demo/compare.ts";
import { DATABASE_FOLDER, openPassages, type PassageDatabase, RECALL } from "../demo/database.ts";
import { isOwnRepository, repositoryFolder } from "../demo/folder.ts";
import { type FolderPassages, passagesOf } from "../demo/folder-passages.ts";
import { exampleQuestions, firstLines, spread } from "../demo/questions.ts";
import { parseArguments } from "../terminal/arguments.ts";
import { progressBar } from "../terminal/progress.ts";
import { recallInWords } from "../terminal/recall-in-words.ts";
import { grouped, shareText } from "../terminal/table.ts";
import { UsageError } from "../terminal/usage-error.ts";
import type { Command, Terminal } from "./command.ts";

const HELP = `nigh demo: a database of the texts of a folder, and answers from it

Usage: nigh demo [FOLDER] [--json]

  FOLDER    default: the repository that one is in, or the current folder
  --json    a JSON object on each line, for programs; asks nothing

Splits the Markdown and TypeScript files into passages, turns each into a vector
by its words and parts of words (no model, no network), and keeps them in a
database in FOLDER/${DATABASE_FOLDER}; the next time only the files that have changed since
are written. Then it answers some questions, and those you type; an empty line
or Ctrl-D ends. Without a terminal it ends by itself. Not read: node_modules,
dist, generated and hidden folders, files over 1 MiB. Recall is measured against
the exact search, over many lines of the folder. Where another process has the
database open it is only read; where the folder must not be written to, one in
memory takes its place.

Examples
  nigh demo
  nigh demo ~/notes
  nigh demo docs --json`;

export const demoCommand: Command = {
	name: "demo",
	summary: "a database of the texts of a folder, and answers from it",
	help: HELP,
	run: async (args, terminal) => {
		const parsed = parseArguments(args, { json: "flag" });
		const [folder, extra] = parsed.positionals;
		if (extra !== undefined) throw new UsageError(`demo takes one folder, not also ${JSON.stringify(extra)}.`);
		await demonstrate(folder, parsed.has("json"), terminal);
	},
};

const MOST_QUERIES = 1_000;
/** Other lines, by which what serves is certified. */
const MOST_CERTIFYING = 4_000;

async function demonstrate(named: string | undefined, json: boolean, terminal: Terminal): Promise<void> {
	const folder = named ?? (await repositoryFolder(process.cwd()));
	const start = performance.now();
	const found = await passagesOf(folder);
	const embedder = hashedNgrams();
	const opened = await openPassages(folder, embedder);
	const { database, passages } = opened;
	try {
		const changes = await bringUpToDate(opened, found, terminal);
		const seconds = (performance.now() - start) / 1_000;
		const { dimensions } = await embedder.identity();
		const facts = { folder, opened, found, changes, dimensions, seconds };
		if (json) terminal.print(JSON.stringify({ type: "index", ...indexObject(facts) }));
		else for (const line of indexLines(facts)) terminal.print(line);

		const answerOne = async (question: string) => {
			const given = await answer(passages, question);
			if (json) return terminal.print(JSON.stringify({ type: "answer", ...given }));
			terminal.print(`\n? ${question}`);
			for (const { score, file, line, excerpt } of given.hits)
				terminal.print(`  ${score.toFixed(3)}  ${file}:${line}  ${excerpt}`);
			terminal.print(`  ${evidenceLine(given)}`);
		};
		const questions = exampleQuestions(found.passages, await isOwnRepository(folder));
		for (const question of questions) await answerOne(question);

		const lines = firstLines(found.passages);
		const texts = [...new Set([...questions, ...spread(lines, MOST_QUERIES - questions.length)])];
		if (texts.length > 0) {
			const asked = new Set(texts);
			const others = spread(
				lines.filter((line) => !asked.has(line)),
				MOST_CERTIFYING,
			);
			const comparison = await compare(passages, texts, others, embedder);
			terminal.print(json ? JSON.stringify({ type: "comparison", ...comparison }) : `\n${comparisonLine(comparison)}`);
		}
		if (terminal.isInteractive && !json) await askOn(answerOne);
	} finally {
		await database.close();
	}
}

/** What another process writes is left as it is: the changes are only told. */
async function bringUpToDate(
	{ passages, mode }: PassageDatabase,
	found: FolderPassages,
	terminal: Terminal,
): Promise<Changes> {
	const plan = await planChanges(passages, found.passages);
	if (mode === "read-only") return plan.changes;
	const bar = progressBar(terminal.errors, "writing the database");
	try {
		await carryOut(plan, passages, bar.update);
	} finally {
		bar.clear();
	}
	return plan.changes;
}

interface IndexFacts {
	readonly folder: string;
	readonly opened: PassageDatabase;
	readonly found: FolderPassages;
	readonly changes: Changes;
	readonly dimensions: number;
	readonly seconds: number;
}

const KINDS = ["new", "changed", "unchanged", "removed"] as const satisfies readonly (keyof Changes)[];

function indexObject({ folder, opened, found, changes, dimensions, seconds }: IndexFacts) {
	const { path, mode, note } = opened;
	const countsOf = (what: "files" | "passages") => Object.fromEntries(KINDS.map((kind) => [kind, changes[kind][what]]));
	return {
		folder,
		database: path,
		mode,
		note,
		files: countsOf("files"),
		passages: countsOf("passages"),
		files_left_out: found.leftOut,
		dimensions,
		seconds,
	};
}

function indexLines({ folder, opened, found, changes, dimensions, seconds }: IndexFacts): string[] {
	const { path, mode, note } = opened;
	const counts = KINDS.filter((kind) => changes[kind].files > 0).map((kind) => {
		const { files, passages } = changes[kind];
		return `${grouped(files)} ${kind} (${grouped(passages)} passages)`;
	});
	const done = mode === "read-only" ? "Compared, nothing written," : "Brought up to date";
	return [
		`${folder}: ${grouped(found.passages.length)} passages, ${dimensions} dimensions, in the database ${path}`,
		...(note === "" ? [] : [note]),
		`Files: ${counts.join(", ")}. ${done} in ${seconds.toFixed(1)} s.`,
		...(found.leftOut === 0 ? [] : [`${grouped(found.leftOut)} more files are left out: they would be too much.`]),
		"Each answer: score (cosine; 1 is the same, about 0 shares nothing), file:line, excerpt; ordered by likeness and by shared words together.",
	];
}

function comparisonLine({ queries, k, recall, statement, qps_index, qps_exact }: Comparison): string {
	const measured = `Over ${grouped(queries)} lines of these files: recall@${k} ${shareText(recall)} (asked for: ${RECALL}); ${grouped(qps_index)} queries/s as it serves, ${grouped(qps_exact)} by exact search, one at a time.`;
	return `${measured}\nWhat serves is ${recallInWords(statement)}.`;
}

/** Answers what is typed, until an empty line, Ctrl-D or Ctrl-C. */
async function askOn(answerOne: (question: string) => Promise<void>): Promise<void> {
	const reader = createInterface({ input: process.stdin, output: process.stdout, prompt: "\nAsk (empty line ends): " });
	reader.prompt();
	for await (const line of reader) {
		const question = line.trim();
		if (question === "") break;
		await answerOne(question);
		reader.prompt();
	}
	reader.close();
	// The shell's prompt belongs on a line of its own.
	process.stdout.write("\n");
}
