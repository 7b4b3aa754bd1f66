import assert from "node:assert/strict";
import { test } from "node:test";
import { parseArguments } from "../terminal/arguments.ts";
import { SEARCH_OPTIONS, searchSettings } from "./settings.ts";

const settingsOf = (args: readonly string[]) => searchSettings(parseArguments(args, SEARCH_OPTIONS));

test("a text is compared with everything, unless the graph is asked for", () => {
	const { query, request } = settingsOf(["notes", "rye bread", "-k", "3"]);
	assert.deepEqual(query, { kind: "text", text: "rye bread" });
	assert.deepEqual([request.exact, request.k], [true, 3]);
	assert.equal(settingsOf(["notes", "rye", "--ef", "50"]).request.exact, undefined);
	assert.equal(settingsOf(["notes", "rye", "--recall", "0.9"]).request.exact, undefined);
	assert.equal(settingsOf(["notes", "--id", "a"]).request.exact, undefined);
	assert.equal(settingsOf(["notes", "--id", "a", "--exact"]).request.exact, true);
});
