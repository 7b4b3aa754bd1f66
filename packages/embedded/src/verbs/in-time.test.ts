import assert from "node:assert/strict";
import { test } from "node:test";
import { isNighError } from "@nigh/contract";
import { inTime } from "./in-time.ts";

const FOREVER = Number.POSITIVE_INFINITY;

test("without limits the work is what it is, and has no signal to look at", async () => {
	const failure = new Error("no");
	assert.equal(await inTime({ leftMs: FOREVER, signal: undefined }, async (signal) => signal ?? "done"), "done");
	await assert.rejects(
		inTime({ leftMs: FOREVER, signal: undefined }, () => Promise.reject(failure)),
		failure,
	);
});

test("work that ends in time resolves or rejects as it does, and its signal is left alone", async () => {
	const failure = new Error("no");
	const { signal } = new AbortController();
	for (const limit of [
		{ leftMs: 86_400_000, signal: undefined },
		{ leftMs: FOREVER, signal },
		{ leftMs: 86_400_000, signal },
	]) {
		let given: AbortSignal | undefined;
		const done = await inTime(limit, async (inner) => {
			given = inner;
			return "done";
		});
		assert.deepEqual([done, given?.aborted], ["done", false]);
		await assert.rejects(
			inTime(limit, () => Promise.reject(failure)),
			failure,
		);
	}
});

test("work that never ends is left when the time runs out, and its signal is raised", async () => {
	const signals: (AbortSignal | undefined)[] = [];
	const forever = (signal: AbortSignal | undefined) => {
		signals.push(signal);
		return new Promise<string>(() => {});
	};
	for (const leftMs of [5, 0, -3]) assert.equal(await inTime({ leftMs, signal: undefined }, forever), undefined);
	assert.deepEqual(
		signals.map((signal) => [signal?.aborted, signal?.reason.name]),
		Array(3).fill([true, "TimeoutError"]),
	);
});

test("the signal of the caller ends it at once with ABORTED and its reason, and ends the work", async () => {
	const controller = new AbortController();
	let given: AbortSignal | undefined;
	const call = inTime({ leftMs: FOREVER, signal: controller.signal }, (inner) => {
		given = inner;
		return new Promise<string>(() => {});
	});
	controller.abort("enough");
	await assert.rejects(call, (error) => isNighError(error, "ABORTED") && error.cause === "enough");
	assert.equal(given?.reason, "enough");
	let isBegun = false;
	const begin = async () => {
		isBegun = true;
	};
	await assert.rejects(inTime({ leftMs: FOREVER, signal: controller.signal }, begin), { code: "ABORTED" });
	assert.equal(isBegun, false, "it is not begun for one that is aborted");
});

test("an error of work that has been left is nobody's", async () => {
	const { promise, reject } = Promise.withResolvers<string>();
	assert.equal(await inTime({ leftMs: 1, signal: undefined }, () => promise), undefined);
	reject(new Error("too late"));
	await assert.rejects(promise, /too late/);
});
