import assert from "node:assert/strict";
import { test } from "node:test";
import { parseArguments } from "../terminal/arguments.ts";
import { DOCTOR_OPTIONS, doctorSettings, examinedTarget } from "./settings.ts";

const settingsOf = (args: readonly string[]) => doctorSettings(parseArguments(args, DOCTOR_OPTIONS));
const FILE = ["notes", "--query", "q.fvecs"];

test("what is left out has its default", () => {
	const { folder: _, ...settings } = settingsOf(FILE);
	assert.deepEqual(settings, {
		collection: "notes",
		query: { option: "--query", path: "q.fvecs", format: "fvecs" },
		k: 10,
		filter: undefined,
		target: undefined,
		confidence: 0.95,
		floor: undefined,
		maxQueries: 5_000,
		seed: 1,
		json: false,
	});
	const { target, k, floor } = settingsOf([...FILE, "--target", "0.93", "-k", "100", "--floor", "0.5"]);
	assert.deepEqual([target, k, floor], [0.93, 100, 0.5]);
});

test("the collection's recall is examined where no target is given, and either goes up to one of the list", () => {
	assert.deepEqual(examinedTarget(undefined, 0.98), { target: 0.98, remark: undefined });
	assert.deepEqual(examinedTarget(0.9, 0.98), { target: 0.9, remark: undefined });
	assert.deepEqual(examinedTarget(undefined, undefined), { target: 0.95, remark: undefined });
	assert.deepEqual(examinedTarget(0.93, 0.5), { target: 0.94, remark: "The target 0.93 was rounded up to 0.94." });
	const { target, remark } = examinedTarget(undefined, 1);
	assert.equal(target, 0.999);
	assert.match(remark ?? "", /recall is 1, which exact searches alone keep: 0\.999 was examined/);
});

test("what cannot be is refused in words", () => {
	const refused: readonly (readonly [args: string[], message: RegExp])[] = [
		[[], /COLLECTION is missing: nigh doctor COLLECTION/],
		[["notes"], /--query is missing: .* Stored vectors tell nothing/],
		[["notes", "--query", "truth.ivecs"], /ids of neighbours/],
		[[...FILE, "more"], /"more" is one too many/],
		[[...FILE, "--target", "1"], /--target is 1; .* 0\.5 to 0\.999/],
		[[...FILE, "--confidence", "1"], /--confidence is 1/],
		[[...FILE, "--k", "0"], /--k is 0/],
		[[...FILE, "--floor", "2"], /--floor is 2/],
		[[...FILE, "--max-queries", "10001"], /--max-queries is 10,?001/],
		[[...FILE, "--seed", "-1"], /--seed is -1/],
		[[...FILE, "--filter", "{"], /--filter is no JSON/],
	];
	for (const [args, message] of refused) assert.throws(() => settingsOf(args), { name: "UsageError", message });
});
