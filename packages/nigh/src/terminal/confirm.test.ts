import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { confirm } from "./confirm.ts";

async function answer(typed: string): Promise<{ isYes: boolean; asked: string }> {
	const [input, output] = [new PassThrough(), new PassThrough()];
	input.end(typed);
	const isYes = await confirm("Delete 2 records?", input, output);
	return { isYes, asked: String(output.read()) };
}

test("only yes is yes, and the end of the input is no", async () => {
	for (const [typed, expected] of [
		["y\n", true],
		[" YES \n", true],
		["n\n", false],
		["\n", false],
		["yess\n", false],
		["", false],
	] as const) {
		const { isYes, asked } = await answer(typed);
		assert.equal(isYes, expected, JSON.stringify(typed));
		assert.equal(asked, "Delete 2 records? [y/N] ");
	}
});
