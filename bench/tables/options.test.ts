import assert from "node:assert/strict";
import { test } from "node:test";
import { UsageError } from "../../packages/nigh/src/terminal/usage-error.ts";
import { parseTablesOptions } from "./options.ts";

const KNOWN = ["sizes", "flat"];

test("without anything, all tables are made in full", () => {
	assert.deepEqual(parseTablesOptions([], KNOWN), { names: KNOWN, scale: 1, json: false, data: "../shared/data" });
});

test("tables are made in the order they are named, each once", () => {
	const command = parseTablesOptions(["flat", "--scale", "0.05", "sizes", "--json", "flat", "--data", "there"], KNOWN);
	assert.deepEqual(command, { names: ["flat", "sizes"], scale: 0.05, json: true, data: "there" });
});

test("what is not known or out of bounds is refused, saying what to write", () => {
	const cases: readonly (readonly [args: string[], message: RegExp])[] = [
		[["size"], /there is no table "size": the tables are sizes, flat/],
		[["--quick"], /usage: \[sizes\] \[flat\] \[--scale S\]/],
		[["--scale", "0"], /above 0 to 1, like 0\.05; "0" is not/],
		[["--scale", "1.5"], /"1\.5" is not/],
		[["--scale=-1"], /"-1" is not/],
		[["--scale", "half"], /"half" is not/],
		[["--scale", ""], /"" is not/],
	];
	for (const [args, message] of cases) {
		assert.throws(
			() => parseTablesOptions(args, KNOWN),
			(error) => error instanceof UsageError && message.test(error.message),
			args.join(" "),
		);
	}
});
