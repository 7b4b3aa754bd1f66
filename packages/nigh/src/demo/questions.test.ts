import assert from "node:assert/strict";
import { test } from "node:test";
import type { Passage } from "./passages.ts";
import { exampleQuestions, excerpt, firstLines, spread, withoutQuestions } from "./questions.ts";

function passage(text: string, ...headings: string[]): Passage {
	return { file: "a.md", line: 1, headings, text };
}

test("elsewhere the questions are headings of two words or more, at most five, from all over the folder", () => {
	const passages = Array.from({ length: 10 }, (_, at) => passage("Text of it.", "Guide", `Part number ${at}`));
	assert.deepEqual(
		exampleQuestions([passage("Lone words.", "Guide"), ...passages], false),
		[0, 2, 4, 6, 8].map((at) => `Part number ${at}`),
	);
});

test("without headings the questions are first lines", () => {
	assert.deepEqual(exampleQuestions([passage("/** Adds two numbers. */\nfunction add() {}")], false), [
		"Adds two numbers.",
	]);
	assert.deepEqual(exampleQuestions([passage("word")], false), []);
});

test("in the repository of Nigh the questions are its own", () => {
	const questions = exampleQuestions([passage("Text of it.", "Some heading")], true);
	assert.ok(questions.length >= 3 && !questions.includes("Some heading"));
});

test("a passage that holds one of the questions is left out, since it would answer itself", () => {
	const [question = ""] = exampleQuestions([], true);
	const answer = passage("Some other text.");
	assert.deepEqual(withoutQuestions([passage(`const QUESTIONS = ["${question}"];`), answer]), [answer]);
});

test("first lines come without repetition and without those of one word", () => {
	assert.deepEqual(firstLines([passage("one line"), passage("word"), passage("one line"), passage("- another line")]), [
		"one line",
		"another line",
	]);
});

test("an excerpt is the first line to read, without marks, cut to 100 characters", () => {
	assert.equal(excerpt("/**\n * Adds   two\tnumbers.\n */"), "Adds two numbers.");
	assert.equal(excerpt("// why"), "why");
	assert.equal(excerpt("| a | b |"), "a | b");
	assert.equal(excerpt("***"), "");
	assert.equal(excerpt("x".repeat(100)), "x".repeat(100));
	assert.equal(excerpt("x".repeat(101)), `${"x".repeat(97)}...`);
});

test("an excerpt for a question is the line that shares most words with it, of equal ones the first", () => {
	const text = "The first line\n\n * counts the visited nodes\n * counts the nodes\nvisited nodes, counts";
	assert.equal(excerpt(text, "which nodes are visited, and who counts?"), "counts the visited nodes");
	assert.equal(excerpt(text, "nothing of it"), "The first line");
});

test("values are spread evenly, and all are taken when there are few", () => {
	assert.deepEqual(spread([1, 2, 3], 5), [1, 2, 3]);
	assert.deepEqual(spread([0, 1, 2, 3, 4, 5], 3), [0, 2, 4]);
	assert.deepEqual(spread([], 3), []);
});
