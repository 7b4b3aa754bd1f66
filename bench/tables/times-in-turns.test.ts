import assert from "node:assert/strict";
import { test } from "node:test";
import { timesInTurns } from "./times-in-turns.ts";

test("tasks run in turns, warm-ups first, and only the rounds after them are told", async () => {
	let now = 0;
	const ran: string[] = [];
	const task = (name: string, milliseconds: number) => () => {
		ran.push(name);
		now += milliseconds * ran.length;
		return `${name}${ran.length}`;
	};
	const results = await timesInTurns([task("a", 1), task("b", 10)], { rounds: 2, warmUps: 1, clock: () => now });
	assert.deepEqual(ran, ["a", "b", "a", "b", "a", "b"]);
	assert.deepEqual(results, [
		{ times: [3, 5], last: "a5" },
		{ times: [40, 60], last: "b6" },
	]);
});

test("a task that answers later is timed to its answer, and the next one waits for it", async () => {
	let now = 0;
	const later = async () => {
		await Promise.resolve();
		now += 5;
		return "later";
	};
	const results = await timesInTurns([later, () => `at ${now}`], { rounds: 1, warmUps: 0, clock: () => now });
	assert.deepEqual(results, [
		{ times: [5], last: "later" },
		{ times: [0], last: "at 5" },
	]);
});

test("no rounds are refused: there would be nothing to tell", async () => {
	for (const rounds of [0, Number.NaN]) {
		await assert.rejects(timesInTurns([() => 1], { rounds }), /at least one has to be timed/);
	}
});
