import assert from "node:assert/strict";
import { test } from "node:test";
import { isNighError } from "@nigh/contract";
import { Pace } from "./pace.ts";

const MIB = 2 ** 20;

test("the event loop gets a turn after every 8 MiB, however they were cut", async () => {
	for (const cut of [1, 3, 8]) {
		let turns = 0;
		const yieldNow = async () => void turns++;
		const pace = new Pace({ yieldNow }, 48 * MIB, "reading");
		for (let done = 0; done < 48; done += cut) await pace.advance(cut * MIB);
		// Three at a time are nine by the time it is due.
		assert.equal(turns, Math.floor(48 / (Math.ceil(8 / cut) * cut)));
	}
});

test("a turn that is taken by itself begins the count anew", async () => {
	let turns = 0;
	const pace = new Pace({ yieldNow: async () => void turns++ }, 20 * MIB, "reading");
	await pace.advance(7 * MIB);
	await pace.turn();
	await pace.advance(7 * MIB);
	assert.equal(turns, 1);
	await pace.advance(MIB);
	assert.equal(turns, 2);
});

test("a signal ends it before it begins, and after a turn", async () => {
	const isAborted = (error: unknown) => isNighError(error, "ABORTED") && error.cause === "enough";
	assert.throws(() => new Pace({ signal: AbortSignal.abort("enough") }, 1, "reading"), isAborted);
	const controller = new AbortController();
	const pace = new Pace(
		{ signal: controller.signal, yieldNow: async () => controller.abort("enough") },
		MIB,
		"reading",
	);
	await assert.rejects(pace.turn(), isAborted);
});

test("progress is told in bytes, up to the whole", async () => {
	const told: [number, number][] = [];
	const pace = new Pace({ onProgress: (done, total) => void told.push([done, total]) }, 10 * MIB, "reading");
	await pace.advance(9 * MIB);
	await pace.advance(MIB);
	pace.finish();
	assert.deepEqual(told.at(-1), [10 * MIB, 10 * MIB]);
	assert.ok(told.every(([done, total], i) => total === 10 * MIB && done >= (told[i - 1]?.[0] ?? 0)));
});
