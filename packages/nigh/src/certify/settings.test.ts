import assert from "node:assert/strict";
import { test } from "node:test";
import { parseArguments } from "../terminal/arguments.ts";
import { CERTIFY_OPTIONS, certifySettings } from "./settings.ts";

const settingsOf = (args: readonly string[]) => certifySettings(parseArguments(args, CERTIFY_OPTIONS));

test("what is left out is left to the collection", () => {
	const { folder: _, ...settings } = settingsOf(["notes"]);
	assert.deepEqual(settings, { collection: "notes", query: undefined, options: {}, json: false });
});

test("everything that can be said goes to the collection", () => {
	const args = ["notes", "--query", "q.npy", "-k", "20", "--target", "1", "--confidence", "0.99", "--family-wise"];
	const { query, options } = settingsOf([...args, "--max-queries", "300", "--max-ms", "5000", "--filter", '{"a":1}']);
	assert.deepEqual(query, { option: "--query", path: "q.npy", format: "npy" });
	assert.deepEqual(options, {
		k: 20,
		target: 1,
		confidence: 0.99,
		familyWise: true,
		maxQueries: 300,
		maxMs: 5_000,
		filter: { a: 1 },
	});
});

test("what cannot be is refused in words", () => {
	const refused: readonly (readonly [args: string[], message: RegExp])[] = [
		[[], /COLLECTION is missing: nigh certify COLLECTION/],
		[["notes", "--filter", '{"a":1}'], /--filter is of the queries in a file/],
		[["notes", "--k", "4001"], /--k is 4,?001/],
		[["notes", "--target", "0.4"], /--target is 0\.4/],
		[["notes", "--confidence", "1"], /--confidence is 1/],
		[["notes", "--max-queries", "0"], /--max-queries is 0/],
		[["notes", "--max-ms", "0"], /--max-ms is 0/],
		[["notes", "--query", "truth.ivecs"], /ids of neighbours/],
	];
	for (const [args, message] of refused) assert.throws(() => settingsOf(args), { name: "UsageError", message });
});
