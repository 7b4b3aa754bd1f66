import assert from "node:assert/strict";
import { test } from "node:test";
import { Pending } from "./pending.ts";
import { turn } from "./workers/turn.ts";

/** Whether it has resolved by now. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
	let done = false;
	void promise.then(() => {
		done = true;
	});
	await turn();
	return done;
}

test("without calls there is nothing to wait for", async () => {
	await new Pending().settled();
});

test("all that are under way are waited for, however they end, and come through as they are", async () => {
	const pending = new Pending();
	const first = Promise.withResolvers<number>();
	const second = Promise.withResolvers<number>();
	assert.equal(pending.track(first.promise), first.promise);
	const failing = assert.rejects(pending.track(second.promise), /no/);
	const settled = pending.settled();
	assert.equal(await isSettled(settled), false);
	second.reject(new Error("no"));
	await failing;
	assert.equal(await isSettled(settled), false, "the other one is under way");
	first.resolve(7);
	await settled;
	assert.equal(await first.promise, 7);
});

test("a call that begins while others are waited for is waited for as well", async () => {
	const pending = new Pending();
	const first = Promise.withResolvers<void>();
	const late = Promise.withResolvers<void>();
	const begun = pending.track(first.promise).then(() => pending.track(late.promise));
	const settled = pending.settled();
	first.resolve();
	assert.equal(await isSettled(settled), false);
	late.resolve();
	await settled;
	await begun;
});

test("what has ended is forgotten", async () => {
	const pending = new Pending();
	await pending.track(Promise.resolve(1));
	await assert.rejects(pending.track(Promise.reject(new Error("no"))), /no/);
	assert.equal(await isSettled(pending.settled()), true);
});
