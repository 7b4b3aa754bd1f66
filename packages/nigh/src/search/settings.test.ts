import assert from "node:assert/strict";
import { test } from "node:test";
import { parseArguments } from "../terminal/arguments.ts";
import { SEARCH_OPTIONS, searchSettings } from "./settings.ts";

const settingsOf = (args: readonly string[]) => searchSettings(parseArguments(args, SEARCH_OPTIONS));

test("a text is searched for as anything is: by the collection's recall, unless another or the exact search is asked for", () => {
	const { query, request } = settingsOf(["notes", "rye bread", "-k", "3"]);
	assert.deepEqual(query, { kind: "text", text: "rye bread" });
	assert.deepEqual([request.exact, request.recall, request.k], [undefined, undefined, 3]);
	assert.equal(settingsOf(["notes", "rye", "--ef", "50"]).request.exact, undefined);
	const { exact, recall } = settingsOf(["notes", "rye", "--recall", "0.9"]).request;
	assert.deepEqual([exact, recall], [undefined, 0.9]);
	assert.equal(settingsOf(["notes", "rye", "--exact"]).request.exact, true);
	assert.equal(settingsOf(["notes", "--id", "a"]).request.exact, undefined);
	assert.equal(settingsOf(["notes", "--id", "a", "--exact"]).request.exact, true);
});

test("a search is as wide as it is said to be, in the words of any kind of index", () => {
	const { nprobe, rerank, exact } = settingsOf(["notes", "rye", "--nprobe", "8", "--rerank", "0"]).request;
	assert.deepEqual([nprobe, rerank, exact], [8, 0, undefined]);
	assert.equal(settingsOf(["notes", "rye", "--budget", "5000"]).request.budget, 5_000);
	assert.equal(settingsOf(["notes", "--id", "a", "-k", "20", "--rerank", "20"]).request.rerank, 20);
	const refused: readonly (readonly [args: string[], message: RegExp])[] = [
		[["--nprobe", "0"], /--nprobe is 0; it must be a whole number from 1/],
		[["-k", "20", "--rerank", "19"], /from 20 to 16,000/],
		[["--rerank", "-1"], /--rerank is -1/],
		[["--budget", "0"], /--budget is 0/],
		[["--nprobe", "8", "--recall", "0.9"], /^--nprobe says how wide .*: give one of them/],
		[["--exact", "--rerank", "50"], /leave out --ef, --nprobe, --rerank, --budget or --recall/],
	];
	for (const [args, message] of refused) {
		assert.throws(() => settingsOf(["notes", "--id", "a", ...args]), { name: "UsageError", message });
	}
});
