import assert from "node:assert/strict";
import { test } from "node:test";
import { turn } from "../workers/turn.ts";
import { fairTurn } from "./fair-turn.ts";

/** Keeps the thread busy, as an answer does that is found on it. */
function busy(ms: number): void {
	for (const start = performance.now(); performance.now() - start < ms; );
}

test("calls that have not kept the event loop waiting do not wait themselves", async () => {
	for (let i = 0; i < 20; i++) {
		await turn();
		assert.equal(fairTurn(), undefined);
	}
});

test("a loop that goes from microtask to microtask gives timers and messages their turn", async () => {
	await turn();
	let turns = 0;
	let done = false;
	const count = () => {
		turns++;
		if (!done) setImmediate(count);
	};
	setImmediate(count);
	const timer = Promise.withResolvers<string>();
	setTimeout(timer.resolve, 1, "timer");
	let waits = 0;
	for (let i = 0; i < 12; i++) {
		busy(2);
		const due = fairTurn();
		if (due !== undefined) waits++;
		await due;
	}
	done = true;
	assert.ok(waits >= 3 && turns >= waits, `${waits} waits, ${turns} turns`);
	assert.equal(await timer.promise, "timer");
});

test("calls that were begun together do not all go on in one turn", async () => {
	await turn();
	let turns = 0;
	let done = false;
	const count = () => {
		turns++;
		if (!done) setImmediate(count);
	};
	setImmediate(count);
	const call = async () => {
		// As what is searched near to is found before the search.
		await Promise.resolve();
		const due = fairTurn();
		if (due !== undefined) await due;
		busy(2);
	};
	await Promise.all(Array.from({ length: 12 }, call));
	done = true;
	assert.ok(turns >= 3, `${turns} turns`);
});

test("calls go on in the order in which they came, each woken once, however many wait", async (t) => {
	await turn();
	const CALLS = 1_000;
	let clock = performance.now();
	const now = t.mock.method(performance, "now", () => clock);
	const order: number[] = [];
	const call = async (i: number) => {
		await Promise.resolve();
		const due = fairTurn();
		if (due !== undefined) await due;
		order.push(i);
		// ms that an answer takes.
		clock++;
	};
	const calls = Array.from({ length: CALLS }, (_, i) => call(i));
	await turn();
	// One that comes when others wait already.
	calls.push(call(CALLS));
	await Promise.all(calls);
	const inOrder = Array.from({ length: CALLS + 1 }, (_, i) => i);
	assert.deepEqual(order, inOrder);
	const looks = now.mock.callCount();
	assert.ok(looks <= 2 * CALLS, `${looks} looks at the clock`);
});
