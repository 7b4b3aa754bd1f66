import assert from "node:assert/strict";
import { test } from "node:test";
import { alternatives, chosen, type OptionKind, parseArguments, plainNumber, wholeNumber } from "./arguments.ts";
import { UsageError } from "./usage-error.ts";

const KINDS: Readonly<Record<string, OptionKind>> = { json: "flag", base: "value", param: "values" };

test("flags, values, repeated values and positionals are told apart", () => {
	const args = parseArguments(["one", "--param", "a=1", "--base=x y", "--json", "--param=b=2", "--", "--two"], KINDS);
	assert.equal(args.has("json"), true);
	assert.equal(args.value("base"), "x y");
	assert.deepEqual(args.values("param"), ["a=1", "b=2"]);
	assert.deepEqual(args.positionals, ["one", "--two"]);
	const none = parseArguments([], KINDS);
	assert.deepEqual(
		[none.has("json"), none.value("base"), none.values("param"), none.positionals],
		[false, undefined, [], []],
	);
});

test("an option that cannot be meant is refused, the nearest name being told", () => {
	const refused: readonly (readonly [args: string[], message: RegExp])[] = [
		[["--bsae", "x"], /There is no option --bsae\. Did you mean --base\? The options are --json --base --param\./],
		[["--zzz"], /There is no option --zzz\. The options are/],
		[["--toString"], /There is no option --toString\./],
		[["--no-json"], /There is no option --no-json\./],
		[["-j"], /There is no option -j\./],
		[["--json=yes"], /--json takes no value\./],
		[["--base"], /--base needs a value/],
		[["--base="], /--base needs a value/],
		[["--base", "--json"], /--base needs a value/],
		[["--base", "x", "--base", "y"], /--base is given more than once/],
		[["--json", "--json"], /--json is given more than once/],
	];
	for (const [args, message] of refused) {
		assert.throws(
			() => parseArguments(args, KINDS),
			(error) => error instanceof UsageError && message.test(error.message),
			args.join(" "),
		);
	}
});

test("a negative number is a value, not an option", () => {
	assert.equal(parseArguments(["--base", "-1"], KINDS).value("base"), "-1");
});

test("an option of one letter may be typed with one dash", () => {
	const kinds = { k: "value" } as const;
	for (const args of [["-k", "5"], ["-k5"], ["--k", "5"], ["--k=5"]]) {
		assert.equal(parseArguments(args, kinds).value("k"), "5", args.join(" "));
	}
	assert.throws(() => parseArguments(["-k", "1", "--k", "2"], kinds), /given more than once/);
	assert.throws(() => parseArguments(["-k"], kinds), /-k needs a value/);
});

test("a choice is one of the names, spelt as they are", () => {
	assert.equal(chosen("--metric", "l1", ["l2", "l1"]), "l1");
	assert.throws(
		() => chosen("--metric", "L1", ["l2", "l1"]),
		/--metric is "L1"; it must be l2 or l1\. Did you mean l1\?/,
	);
	assert.throws(() => chosen("--metric", "dot", ["l2", "l1"]), { message: '--metric is "dot"; it must be l2 or l1.' });
});

test("a whole number is written in digits and lies within its bound", () => {
	const bound = { min: 1, max: 10, integer: true };
	assert.equal(wholeNumber("--k", "10", bound), 10);
	for (const typed of ["0", "11", "1e1", "0x5", "", " 5", "5.0", "-5"]) {
		assert.throws(() => wholeNumber("--k", typed, bound), UsageError, JSON.stringify(typed));
	}
});

test("a number may have a point, and lies within its bound", () => {
	const bound = { min: -1, max: 1 };
	assert.deepEqual(
		["0.5", ".5", "-1", "1"].map((typed) => plainNumber("--recall", typed, bound)),
		[0.5, 0.5, -1, 1],
	);
	for (const typed of ["1.1", "1e0", "", "NaN", "5.", "0x1"]) {
		assert.throws(() => plainNumber("--recall", typed, bound), UsageError, JSON.stringify(typed));
	}
});

test("alternatives read as a sentence", () => {
	assert.deepEqual([["a"], ["a", "b"], ["a", "b", "c"]].map(alternatives), ["a", "a or b", "a, b or c"]);
});
