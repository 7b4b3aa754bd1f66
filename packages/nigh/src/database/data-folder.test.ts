import assert from "node:assert/strict";
import { test } from "node:test";
import { parseArguments } from "../terminal/arguments.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { DATA_OPTIONS, dataFolder } from "./data-folder.ts";

function folderOf(args: readonly string[], environment: Record<string, string> = {}): string {
	return dataFolder(parseArguments(args, DATA_OPTIONS), environment);
}

test("the option goes before the environment, and that before ./nigh-data", () => {
	assert.equal(folderOf([]), "./nigh-data");
	assert.equal(folderOf([], { NIGH_DATA: "" }), "./nigh-data");
	assert.equal(folderOf([], { NIGH_DATA: "env" }), "env");
	assert.equal(folderOf(["--data", "typed"], { NIGH_DATA: "env" }), "typed");
});

test("what is no folder is refused by the name of where it was said", () => {
	assert.throws(() => folderOf(["--data", ":memory:"]), { name: "UsageError", message: /^--data is ":memory:"/ });
	assert.throws(() => folderOf([], { NIGH_DATA: "http://x" }), UsageError);
	assert.throws(() => folderOf([], { NIGH_DATA: "http://x" }), /^UsageError: NIGH_DATA is a URL/);
});
