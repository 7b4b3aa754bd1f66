import assert from "node:assert/strict";
import { test } from "node:test";
import { GROUPS } from "./groups.ts";

const COMMANDS = GROUPS.flatMap(([, commands]) => commands);

test("no two commands have one name", () => {
	assert.equal(new Set(COMMANDS.map(({ name }) => name)).size, COMMANDS.length);
});

for (const { name, summary, help } of COMMANDS) {
	test(`the help of ${name} says what it does, how it is called and gives examples, in the width of a terminal`, () => {
		const lines = help.split("\n");
		assert.ok(lines[0]?.startsWith(`nigh ${name}: `));
		assert.ok(lines[2]?.startsWith(`Usage: nigh ${name}`), lines[2]);
		assert.match(help, new RegExp(`\nExamples\n  nigh ${name}\\b`));
		for (const line of lines) assert.ok(line.length <= 80, line);
		assert.ok(summary.length <= 64 && !summary.endsWith("."));
	});
}
