import assert from "node:assert/strict";
import { test } from "node:test";
import { runSteps, type Step } from "./check.ts";

function steps(ran: string[]): Readonly<Record<string, Step>> {
	return {
		types: () => {
			ran.push("types");
			return ["a.ts(1,1): wrong\nby far"];
		},
		lint: async () => {
			ran.push("lint");
			throw new Error("biome is missing");
		},
		sizes: () => {
			ran.push("sizes");
			return [];
		},
	};
}

test("a step that fails, by its answer or by an exception, keeps none of the others from running", async () => {
	const ran: string[] = [];
	const lines: string[] = [];
	assert.deepEqual(await runSteps(steps(ran), [], (line) => lines.push(line)), ["types", "lint"]);
	assert.deepEqual(ran, ["types", "lint", "sizes"]);
	const expected = [
		/^FAILED types /,
		/^ +a\.ts\(1,1\): wrong\n +by far$/,
		/^FAILED lint /,
		/^ +biome is missing$/,
		/^ok +sizes /,
	];
	assert.equal(lines.length, expected.length);
	for (const [at, pattern] of expected.entries()) assert.match(lines[at] as string, pattern);
});

test("only the steps that are asked for run, and one that does not exist is refused before any runs", async () => {
	const ran: string[] = [];
	assert.deepEqual(await runSteps(steps(ran), ["sizes"], () => {}), []);
	assert.deepEqual(ran, ["sizes"]);
	await assert.rejects(
		runSteps(steps(ran), ["sizes", "spelling"], () => {}),
		/no step spelling; the steps are types, lint, sizes/,
	);
	assert.deepEqual(ran, ["sizes"]);
});
