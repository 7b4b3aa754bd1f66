import assert from "node:assert/strict";
import { test } from "node:test";
import { temporaryFolder } from "../temporary-folder.test-support.ts";
import { checkAssemblyFormat, checkAssemblyText } from "./assembly-format.ts";

test("a file in form passes, whatever the alignment inside its comments", () => {
	const text = `/**\n * Squares.\n *     a table\n */\n@inline\nfunction square(x: f32): f32 {\n\treturn x * x;\n}\n\n// ${"x".repeat(150)}\n`;
	assert.deepEqual(checkAssemblyText(text), []);
});

for (const { what, text, expected } of [
	{ what: "spaces for indentation", text: "{\n  return;\n}\n", expected: /^2: indented with spaces/ },
	{ what: "spaces after tabs", text: "{\n\t return;\n}\n", expected: /^2: indented with spaces/ },
	{ what: "white space at the end of a line", text: "let a = 1; \n", expected: /^1: white space/ },
	{ what: "white space at the end of a comment's line", text: "/*\n a \n*/\n", expected: /^2: white space/ },
	{ what: "a carriage return", text: "let a = 1;\r\n", expected: /^1: carriage return/ },
	{ what: "a missing newline at the end", text: "let a = 1;", expected: /^1: the file does not end/ },
	{ what: "an empty line at the end", text: "let a = 1;\n\n", expected: /^2: empty line/ },
	{ what: "a line of code that is too long", text: `\tlet a = ${"1".repeat(110)};\n`, expected: /^1: 121 columns/ },
	{
		what: "code after a comment that has ended",
		text: "/* a */\n  let b = 1;\n",
		expected: /^2: indented with spaces/,
	},
]) {
	test(`${what} is reported with its line`, () => {
		const problems = checkAssemblyText(text);
		assert.equal(problems.length, 1, problems.join("\n"));
		assert.match(problems[0] as string, expected);
	});
}

test("every file of the assembly folder is read", (t) => {
	const folder = temporaryFolder(t, {
		"packages/kernels/assembly/index.ts": "let a = 1;\n",
		"packages/kernels/assembly/graph/search.ts": "let a = 1; \n",
	});
	assert.deepEqual(checkAssemblyFormat(folder), [
		"packages/kernels/assembly/graph/search.ts:1: white space at the end of the line.",
	]);
	assert.equal(checkAssemblyFormat(temporaryFolder(t)).length, 1);
});
