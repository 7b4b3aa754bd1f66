import assert from "node:assert/strict";
import { once } from "node:events";
import { getPriority } from "node:os";
import { test } from "node:test";
import { Worker } from "node:worker_threads";

test("a thread that gives way has a lower priority, where threads have their own, and no other thread has", async () => {
	const before = getPriority();
	const worker = new Worker(
		`const { readlinkSync } = require("node:fs");
		const { getPriority } = require("node:os");
		const { parentPort, workerData } = require("node:worker_threads");
		import(workerData).then(({ giveWay }) => {
			giveWay();
			const thread = process.platform === "linux" ? Number(readlinkSync("/proc/thread-self").split("/").at(-1)) : 0;
			parentPort.postMessage(getPriority(thread));
		});`,
		{ eval: true, workerData: new URL("./background.ts", import.meta.url).href },
	);
	const [priority] = await once(worker, "message");
	await worker.terminate();
	assert.equal(priority, process.platform === "linux" ? Math.max(10, before) : before);
	assert.equal(getPriority(), before);
});
