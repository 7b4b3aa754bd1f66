import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { type MessagePort, threadId, Worker } from "node:worker_threads";
import { sendLifeline, takeLifelines } from "./lifeline.ts";

const WORKER = new URL("./lifeline.test-support.ts", import.meta.url);

/** A thread that has sent a lifeline, and the host's end of it. */
async function started(channel: string, isBusy: boolean) {
	const { promise: taken, resolve } = Promise.withResolvers<MessagePort>();
	const end = takeLifelines(channel, (reader, port) => {
		assert.equal(reader, "worker");
		resolve(port);
	});
	const worker = new Worker(WORKER, { workerData: { thread: threadId, channel, isBusy } });
	const sent = once(worker, "message");
	const port = await taken;
	assert.deepEqual(await sent, ["sent"]);
	return { worker, port, end };
}

test("the host is told when a thread is ended in the middle of its work", async () => {
	const { worker, port, end } = await started("ended", true);
	const closed = once(port, "close");
	await worker.terminate();
	await closed;
	end();
});

test("a thread is told when the host lets go of it", async () => {
	const { worker, port, end } = await started("let go", false);
	const exit = once(worker, "exit");
	const told = once(worker, "message");
	port.close();
	assert.deepEqual(await told, ["the host has gone"]);
	await exit;
	end();
});

test("without a host, or without its thread, a lifeline is closed or refused, and what is none is left alone", async () => {
	const { promise: ended, resolve } = Promise.withResolvers<void>();
	await sendLifeline(threadId, { channel: "nobody's", reader: "r" }, resolve);
	await ended;
	await assert.rejects(
		sendLifeline(1e6, { channel: "nobody's", reader: "r" }, () => {}),
		{ code: "CLOSED" },
	);
	const before = process.listenerCount("workerMessage");
	const end = takeLifelines("one", () => assert.fail("this is none"));
	for (const message of [undefined, null, 5, {}]) process.emit("workerMessage", message, 7);
	end();
	assert.equal(process.listenerCount("workerMessage"), before);
});
