import assert from "node:assert/strict";
import { test } from "node:test";
import { interruptible } from "./interruption.ts";

test("Ctrl-C, and being asked to end, raise the signal; afterwards they do what they did before", async () => {
	for (const name of ["SIGINT", "SIGTERM"] as const) {
		const before = process.listenerCount(name);
		const aborted = await interruptible(async (signal) => {
			assert.equal(signal.aborted, false);
			process.emit(name);
			return signal.aborted;
		});
		assert.equal(aborted, true);
		assert.equal(process.listenerCount(name), before);
	}
	await assert.rejects(
		interruptible(() => Promise.reject(new Error("failed"))),
		/failed/,
	);
	assert.equal(process.listenerCount("SIGINT"), 0);
});
