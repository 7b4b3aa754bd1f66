import { createInterface } from "node:readline";
import { NighError } from "@nigh/contract";
import { type HashedNgramsEmbedder, hashedNgrams } from "@nigh/embed";
import { isOwnRepository, readTexts, repositoryFolder } from "../demo/folder.ts";
import { compare, indexPassages, type PassageIndexes } from "../demo/indexes.ts";
import { markdownPassages, type Passage, typescriptPassages } from "../demo/passages.ts";
import { exampleQuestions, excerpt, spread, withoutQuestions } from "../demo/questions.ts";
import { parseArguments } from "../terminal/arguments.ts";
import { grouped, shareText } from "../terminal/table.ts";
import { UsageError } from "../terminal/usage-error.ts";
import type { Command, Terminal } from "./command.ts";

const HELP = `nigh demo: searches the Markdown and TypeScript files of a folder by likeness

Usage: nigh demo [FOLDER] [--json]

  FOLDER    default: the repository around the current folder, or the current folder
  --json    a JSON object on each line, for programs; asks nothing

Splits the files into passages, turns each into a vector by its words and parts of words (no model, no network), indexes
them, answers some questions, and then those you type; an empty line or Ctrl-D ends. Without a terminal it ends by
itself. Not read: node_modules, dist, generated and hidden folders, files over 1 MiB. Recall is measured against
the exact search, over many lines of the folder.

Examples
  nigh demo
  nigh demo ~/notes
  nigh demo docs --json`;

export const demoCommand: Command = {
	name: "demo",
	summary: "searches the Markdown and TypeScript files of a folder",
	help: HELP,
	run: async (args, terminal) => {
		const parsed = parseArguments(args, { json: "flag" });
		const [folder, extra] = parsed.positionals;
		if (extra !== undefined) throw new UsageError(`demo takes one folder, not also ${JSON.stringify(extra)}.`);
		await demonstrate(folder, parsed.has("json"), terminal);
	},
};

/** Above it, so many are taken evenly from all over the folder: the vectors of a whole disk would not fit into memory. */
const MOST_PASSAGES = 50_000;
const HITS_SHOWN = 3;

interface Hit {
	readonly file: string;
	readonly line: number;
	readonly distance: number;
	readonly excerpt: string;
}

async function demonstrate(named: string | undefined, json: boolean, terminal: Terminal): Promise<void> {
	const folder = named ?? (await repositoryFolder(process.cwd()));
	const start = performance.now();
	const { files, passages } = await passagesOf(folder);
	const embedder = hashedNgrams();
	const { dimensions } = await embedder.identity();
	const indexes = await indexPassages(passages, embedder);
	const seconds = (performance.now() - start) / 1_000;
	if (json) {
		terminal.print(JSON.stringify({ type: "index", folder, files, passages: passages.length, dimensions, seconds }));
	} else {
		terminal.print(
			`${folder}: ${grouped(passages.length)} passages of ${grouped(files)} files, ${dimensions} dimensions, read and indexed in ${seconds.toFixed(1)} s`,
		);
		terminal.print(
			"Each answer: cosine distance (smaller is nearer; about 1 shares nothing), file:line, the start of the passage.",
		);
	}

	const questions = exampleQuestions(passages, await isOwnRepository(folder));
	const answer = (question: string) => {
		const hits = find(question, passages, indexes, embedder);
		if (json) terminal.print(JSON.stringify({ type: "answer", question, hits }));
		else printAnswer(question, hits, terminal);
	};
	questions.forEach(answer);

	const comparison = compare(indexes, passages, questions, embedder);
	if (json) terminal.print(JSON.stringify({ type: "comparison", ...comparison }));
	else {
		const { queries, k, recall, qps_hnsw, qps_flat } = comparison;
		terminal.print(
			`\nOver ${grouped(queries)} lines of these files: recall@${k} ${shareText(recall)}; ${grouped(qps_hnsw)} queries/s from the graph (hnsw), ${grouped(qps_flat)} from the exact scan (flat), one thread.`,
		);
	}
	if (terminal.isInteractive && !json) await askOn(answer);
}

async function passagesOf(folder: string): Promise<{ files: number; passages: Passage[] }> {
	const files = await readTexts(folder);
	const passages = files.flatMap(({ path, kind, text }) =>
		kind === "markdown" ? markdownPassages(path, text) : typescriptPassages(path, text),
	);
	const usable = spread(withoutQuestions(passages), MOST_PASSAGES);
	if (usable.length > 0) return { files: files.length, passages: usable };
	throw new NighError(
		"NOT_FOUND",
		`${folder} has no Markdown or TypeScript file with text in it (node_modules, dist, generated and hidden folders are passed over). Name another folder: nigh demo FOLDER.`,
		{ field: "FOLDER", value: folder },
	);
}

function find(
	question: string,
	passages: readonly Passage[],
	{ graph }: PassageIndexes,
	embedder: HashedNgramsEmbedder,
): Hit[] {
	return graph.search(embedder.embedOne(question), HITS_SHOWN).map(({ label, distance }) => {
		const { file, line, text } = passages[label] as Passage;
		return { file, line, distance, excerpt: excerpt(text, question) };
	});
}

function printAnswer(question: string, hits: readonly Hit[], { print }: Terminal): void {
	print(`\n? ${question}`);
	for (const { file, line, distance, excerpt: text } of hits) {
		print(`  ${distance.toFixed(3)}  ${file}:${line}  ${text}`);
	}
}

/** Answers what is typed, until an empty line, Ctrl-D or Ctrl-C. */
async function askOn(answer: (question: string) => void): Promise<void> {
	const reader = createInterface({ input: process.stdin, output: process.stdout, prompt: "\nAsk (empty line ends): " });
	reader.prompt();
	for await (const line of reader) {
		const question = line.trim();
		if (question === "") break;
		answer(question);
		reader.prompt();
	}
	reader.close();
	// The shell's prompt belongs on a line of its own.
	process.stdout.write("\n");
}
