import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { test } from "node:test";
import type { Worker } from "node:worker_threads";
import { NighError } from "@nigh/contract";
import { ReaderThread } from "./reader-thread.ts";
import type { Installed } from "./workers/messages.ts";

/** A worker that answers every request with the requests it has had, and notes who holds the process. */
class Echo extends EventEmitter {
	readonly asked: unknown[] = [];
	isHeld = true;
	isEnded = false;

	postMessage({ request, method, argument }: { request: number; method: string; argument: unknown }): void {
		this.asked.push([method, argument]);
		setImmediate(() => this.emit("message", { reply: request, value: [...this.asked] }));
	}

	ref(): void {
		this.isHeld = true;
	}

	unref(): void {
		this.isHeld = false;
	}

	async terminate(): Promise<void> {
		this.isEnded = true;
	}
}

function started() {
	const workers: Echo[] = [];
	const thread = new ReaderThread(() => {
		const worker = new Echo();
		workers.push(worker);
		return worker as unknown as Worker;
	});
	const installed = (key: number, number = 1) =>
		({ key, generation: { number, rowFiles: null } }) as unknown as Installed;
	return { workers, thread, installed, count: () => thread.call("count", { key: 1, node: undefined, now: 0 }) };
}

test("the worker starts with the first question, and hears first of what is attached by then", async () => {
	const { workers, thread, installed, count } = started();
	await thread.call("attach", installed(1));
	await thread.call("attach", installed(2));
	await thread.call("attach", installed(1, 2));
	await thread.call("detach", 2);
	assert.equal(workers.length, 0);
	const question = { key: 1, node: undefined, now: 0 };
	assert.deepEqual(await count(), [
		["attach", installed(1, 2)],
		["count", question],
	]);
	assert.equal(workers.length, 1);
	assert.equal(workers[0]?.isHeld, false, "an idle thread does not keep the process alive");
	await thread.call("attach", installed(3));
	assert.deepEqual(workers[0]?.asked.at(-1), ["attach", installed(3)]);
	await count();
	assert.equal(workers.length, 1);
});

test("a generation with row files starts it at once, and does not keep the process alive", async () => {
	const { workers, thread, installed } = started();
	await thread.call("attach", installed(1));
	const onDisk = {
		key: 2,
		generation: { number: 1, rowFiles: { folder: "rows", segments: [] } },
	} as unknown as Installed;
	await thread.call("attach", onDisk);
	assert.deepEqual(workers[0]?.asked, [
		["attach", installed(1)],
		["attach", onDisk],
	]);
	assert.equal(workers[0]?.isHeld, false);
});

test("a worker that ends fails those who wait; ending before it has started fails those who come", async () => {
	const first = started();
	const waiting = first.count();
	first.workers[0]?.emit("error", new Error("out of memory"));
	await assert.rejects(waiting, /out of memory/);
	assert.match(String(first.thread.failure), /out of memory/);
	await first.thread.terminate();
	assert.equal(first.workers[0]?.isEnded, true);
	const second = started();
	assert.equal(second.thread.failure, undefined);
	second.thread.fail(new NighError("CLOSED", "closed"));
	await assert.rejects(second.count(), { code: "CLOSED" });
	await second.thread.terminate();
	assert.equal(second.workers.length, 0);
});
