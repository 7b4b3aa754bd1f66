import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "../temporary-folder.test-support.ts";
import { withLock } from "./lock.mjs";

test("the second waits until the first has finished, and is told for whom", async (t) => {
	const lock = join(temporaryFolder(t), "lock");
	const events: string[] = [];
	const first = Promise.withResolvers<void>();
	const waits = Promise.withResolvers<string>();
	const one = withLock(lock, async () => {
		await first.promise;
		events.push("first");
	});
	const two = withLock(lock, () => void events.push("second"), waits.resolve);
	assert.equal(await waits.promise, String(process.pid));
	assert.deepEqual(events, []);
	first.resolve();
	await Promise.all([one, two]);
	assert.deepEqual(events, ["first", "second"]);
	assert.equal(existsSync(lock), false);
});

test("the lock of a process that died is taken over", async (t) => {
	const dead = spawnSync(process.execPath, ["-e", ""]).pid;
	const lock = join(temporaryFolder(t, { [`lock/${dead}`]: "" }), "lock");
	let ran = false;
	await withLock(lock, () => {
		ran = true;
	});
	assert.ok(ran);
	assert.equal(existsSync(lock), false);
});

test("a failure gives the lock back and reaches the caller", async (t) => {
	const lock = join(temporaryFolder(t), "lock");
	const work = () => {
		throw new Error("no network");
	};
	await assert.rejects(withLock(lock, work), /no network/);
	assert.equal(existsSync(lock), false);
});
