import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LONGEST_PASSAGE, markdownPassages, typescriptPassages } from "./passages.ts";

function source(...lines: string[]): string {
	return lines.join("\n");
}

test("Markdown is split at headings, and a passage knows those it stands under and the line it begins on", () => {
	const text = source(
		"Before all.",
		"",
		"# One",
		"",
		"First.",
		"",
		"Second.",
		"",
		"## Inner ##",
		"Third.",
		"",
		"# Two",
		"",
		"Fourth.",
	);
	assert.deepEqual(markdownPassages("a.md", text), [
		{ file: "a.md", line: 1, headings: [], text: "Before all." },
		{ file: "a.md", line: 5, headings: ["One"], text: "First.\n\nSecond." },
		{ file: "a.md", line: 10, headings: ["One", "Inner"], text: "Third." },
		{ file: "a.md", line: 14, headings: ["Two"], text: "Fourth." },
	]);
});

test("paragraphs are joined as long as they fit", () => {
	const paragraph = "word ".repeat(40).trim();
	const passages = markdownPassages("a.md", source(paragraph, "", paragraph, "", paragraph));
	assert.deepEqual(
		passages.map(({ line, text }) => [line, text]),
		[
			[1, `${paragraph}\n\n${paragraph}`],
			[5, paragraph],
		],
	);
});

test("inside a fenced block, # is no heading and a blank line is no border", () => {
	const fenced = source("```sh", "# a comment", "", "run", "```");
	assert.deepEqual(markdownPassages("a.md", source("# Use", fenced)), [
		{ file: "a.md", line: 2, headings: ["Use"], text: fenced },
	]);
	const nested = source("~~~~md", "~~~", "# still inside", "~~~~");
	assert.equal(markdownPassages("a.md", nested)[0]?.text, nested);
});

test("a paragraph that is too long is cut between its lines, a line that is too long anywhere, with the right line numbers", () => {
	const line = "x".repeat(300);
	const cut = markdownPassages("a.md", source("", line, line, "y".repeat(1_000)));
	assert.deepEqual(
		cut.map(({ line, text }) => [line, text.length]),
		[
			[2, 300],
			[3, 300],
			[4, 480],
			[4, 480],
			[4, 40],
		],
	);
});

test("TypeScript is split where a declaration begins, its doc comment staying with it; imports are left out", () => {
	const body = Array.from({ length: 12 }, (_, at) => `\tconst value${at} = ${at};`);
	const first = source("/** Says one. */", "export function one() {", ...body, "}");
	const second = source("/** Says two. */", "export function two() {", "\treturn 2;", "}");
	const imports = source('import { a } from "a"; // why', "import {", "\tb,", "\tc,", '} from "b";');
	assert.deepEqual(typescriptPassages("src/a.ts", source(imports, "", first, "", second)), [
		{ file: "src/a.ts", line: 7, headings: [], text: first },
		{ file: "src/a.ts", line: 7 + first.split("\n").length + 1, headings: [], text: second },
	]);
});

test("small declarations are joined, and a blank line within a function does not end it", () => {
	const text = source("const a = 1;", "", "function f() {", "\tfirst();", "", "\tsecond();", "}");
	assert.deepEqual(
		typescriptPassages("a.ts", text).map(({ line, text }) => [line, text]),
		[[1, text]],
	);
});

test("what has no letter and no digit is no passage", () => {
	assert.deepEqual(markdownPassages("a.md", "---\n\n***\n"), []);
	assert.deepEqual(typescriptPassages("a.ts", ""), []);
});

test("lines may end in any way", () => {
	for (const end of ["\n", "\r\n", "\r"]) {
		const [passage] = markdownPassages("a.md", ["# Title", "", "Text"].join(end));
		assert.deepEqual(passage, { file: "a.md", line: 3, headings: ["Title"], text: "Text" });
	}
});

test("every word of a file is in a passage, in order, none is longer than it may be, and each stands where it says", () => {
	const line = fc.oneof(
		fc.constantFrom("", "", "}", "\tindented", "/** doc */", "export const x = 1;"),
		fc.string({ maxLength: 30 }).map((text) => `a ${text.replace(/[\r\n`~]/g, " ")}`),
		fc.integer({ min: 470, max: 1_000 }).map((length) => "w".repeat(length)),
	);
	fc.assert(
		fc.property(
			fc.array(line, { maxLength: 40 }),
			fc.constantFrom(markdownPassages, typescriptPassages),
			(lines, split) => {
				const passages = split("f", lines.join("\n"));
				const words = (text: string) => text.replace(/[^\p{L}\p{N}]/gu, "");
				assert.equal(words(passages.map(({ text }) => text).join("")), words(lines.join("")));
				for (const passage of passages) {
					assert.ok(passage.text.length <= LONGEST_PASSAGE);
					const [first = ""] = passage.text.split("\n");
					assert.ok(lines[passage.line - 1]?.includes(first), `line ${passage.line}`);
				}
			},
		),
	);
});
