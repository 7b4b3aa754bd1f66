import type { Passage } from "./passages.ts";

/** What the demonstration asks about Nigh's own repository. */
const OWN_QUESTIONS = [
	"how do I run the tests of one package with npm test?",
	"the error codes that an operation can fail with",
	"beam search on one layer of the graph",
	"run the work of an index on worker threads over a shared arena",
	"what does recall say about the hits of a search?",
] as const;

const QUESTIONS = 5;

/** Without the passages that hold one of the questions to the letter, such as those of this file: they would answer themselves. */
export function withoutQuestions(passages: readonly Passage[]): Passage[] {
	return passages.filter(({ text }) => !OWN_QUESTIONS.some((question) => text.includes(question)));
}

/** Questions to begin with: about Nigh in its own repository, elsewhere the headings (or, without any, first lines) of passages from all over the folder. */
export function exampleQuestions(passages: readonly Passage[], isOwn: boolean): string[] {
	if (isOwn) return [...OWN_QUESTIONS];
	const headings = new Set(passages.map(({ headings }) => headings.at(-1) ?? "").filter(saysSomething));
	return spread(headings.size > 0 ? [...headings] : firstLines(passages), QUESTIONS);
}

/** The first line of each passage that has one to ask with, without repetitions. */
export function firstLines(passages: readonly Passage[]): string[] {
	return [...new Set(passages.map(({ text }) => excerpt(text)).filter(saysSomething))];
}

/** `count` of the values, evenly spread over them, or all when there are fewer. */
export function spread<T>(values: readonly T[], count: number): T[] {
	if (values.length <= count) return [...values];
	return Array.from({ length: count }, (_, at) => values[Math.floor((at * values.length) / count)] as T);
}

const LONGEST_EXCERPT = 100;

/**
 * The line of a text that shares most words with the question, or its first line with something to read on it; without what marks
 * comments and lists, cut to fit beside its place.
 */
export function excerpt(text: string, question = ""): string {
	const lines = text
		.split("\n")
		.map((line) => line.replace(/^[\s/*#>|-]+|[\s*/|]+$/g, "").replace(/\s+/g, " "))
		.filter((line) => /[\p{L}\p{N}]/u.test(line));
	const asked = wordsOf(question);
	let best = "";
	let most = -1;
	for (const line of lines) {
		const shared = [...wordsOf(line)].filter((word) => asked.has(word)).length;
		if (shared > most) [best, most] = [line, shared];
	}
	return best.length <= LONGEST_EXCERPT ? best : `${best.slice(0, LONGEST_EXCERPT - 3)}...`;
}

/** Words that say something by themselves: of four letters or more. */
function wordsOf(text: string): Set<string> {
	return new Set(text.toLowerCase().match(/[\p{L}\p{N}]{4,}/gu));
}

/** Two words at least: one alone is found in too many places. */
function saysSomething(text: string): boolean {
	return /[\p{L}\p{N}].*\s.*[\p{L}\p{N}]/u.test(text);
}
