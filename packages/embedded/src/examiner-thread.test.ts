import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { test } from "node:test";
import type { Worker } from "node:worker_threads";
import { isNighError } from "@nigh/contract";
import type { Attachment, HeldOutRequest } from "./examiner/messages.ts";
import { type AreaFor, ExaminerThread } from "./examiner-thread.ts";
import type { Installed } from "./workers/messages.ts";

/** A worker that answers every request at once, and notes what it was asked. */
class Echo extends EventEmitter {
	readonly asked: { readonly method: string; readonly argument: unknown }[] = [];

	postMessage({ request, method, argument }: { request: number; method: string; argument: unknown }): void {
		this.asked.push({ method, argument });
		setImmediate(() => this.emit("message", { reply: request, value: undefined }));
	}

	/** Whether it keeps the process alive. */
	isHolding = true;

	ref(): void {
		this.isHolding = true;
	}

	unref(): void {
		this.isHolding = false;
	}

	async terminate(): Promise<void> {}

	get methods(): readonly string[] {
		return this.asked.map(({ method }) => method);
	}
}

const SPEC = { recall: 0.95, logQueries: true };
const NOTES = { served() {}, certified() {}, audited() {}, failed() {} };

function started(areaFor?: AreaFor, readOnly = false) {
	const workers: Echo[] = [];
	const start = () => {
		const worker = new Echo();
		workers.push(worker);
		return worker as unknown as Worker;
	};
	const usual: AreaFor = async (_key, number) => ({ generation: { number }, area: {} }) as never;
	const thread = new ExaminerThread({ start, areaFor: areaFor ?? usual, notes: NOTES, readOnly });
	return { thread, workers, worker: () => workers[0] as Echo };
}

function installed(key: number, number: number, isIndexed = true): Installed {
	return { key, generation: { number, ...(isIndexed && { identity: {} }) } } as unknown as Installed;
}

const sample = (thread: ExaminerThread, key = 1) => thread.call("sample", { key, most: 1 });
const heldOut = { key: 1 } as unknown as HeldOutRequest;

test("it starts with the first question, and hears of the generation that serves before it", async () => {
	const { thread, workers, worker } = started();
	thread.install(installed(1, 1), { name: "notes", spec: SPEC });
	thread.install(installed(1, 2), { name: "notes", spec: SPEC });
	await thread.forget(9);
	assert.equal(workers.length, 0);
	await Promise.all([sample(thread), sample(thread)]);
	assert.deepEqual(worker().methods, ["attach", "sample", "sample"]);
	assert.deepEqual(worker().asked[0]?.argument, {
		key: 1,
		name: "notes",
		spec: SPEC,
		generation: { number: 2 },
		area: {},
	});
	thread.install(installed(1, 3), { name: "notes", spec: SPEC });
	await sample(thread);
	assert.deepEqual(worker().methods.slice(3), ["attach", "sample"]);
});

test("before it asks an index that is being built it hears of the one that serves", async () => {
	const { thread, worker } = started();
	thread.install(installed(1, 1), { name: "notes", spec: SPEC });
	await thread.call("heldOut", heldOut);
	assert.deepEqual(worker().methods, ["attach", "heldOut"]);
});

test("where none serves yet it asks the first that is built", async () => {
	const { thread, worker } = started();
	thread.install(installed(1, 1, false), { name: "notes", spec: SPEC });
	await thread.call("heldOut", heldOut);
	assert.deepEqual(worker().methods, ["heldOut"]);
});

test("where it has no room in a generation the next question tries again", async () => {
	let tries = 0;
	const { thread, worker } = started(async (_key, number) => {
		if (++tries === 1) throw new Error("no memory");
		return { generation: { number }, area: {} } as never;
	});
	thread.install(installed(1, 1), { name: "notes", spec: SPEC });
	await assert.rejects(sample(thread), /no memory/);
	await sample(thread);
	assert.deepEqual(worker().methods, ["attach", "sample"]);
});

test("what was logged is not to stay: it is told so, also where it does not run yet", async () => {
	const { thread, workers, worker } = started();
	thread.install(installed(1, 1), { name: "notes", spec: SPEC });
	thread.respec(1, { ...SPEC, recall: 0.9 });
	assert.equal(workers.length, 0);
	thread.respec(1, { recall: 0.9, logQueries: false });
	await sample(thread);
	assert.deepEqual(worker().methods, ["attach", "respec", "sample"]);
	const [attach] = worker().asked;
	assert.deepEqual((attach?.argument as { spec: unknown } | undefined)?.spec, { recall: 0.9, logQueries: false });
});

test("what it is not told of any more is let go of, or dropped", async () => {
	const { thread, worker } = started();
	for (const key of [1, 2]) thread.install(installed(key, 1), { name: "notes", spec: SPEC });
	await Promise.all([sample(thread, 1), sample(thread, 2)]);
	await thread.forget(1);
	await thread.forget(2, true);
	assert.deepEqual(worker().asked.slice(-2), [
		{ method: "detach", argument: 1 },
		{ method: "drop", argument: 2 },
	]);
});

test("when it has ended nobody waits for it: questions are refused, and what is let go of is", async () => {
	const { thread, worker } = started();
	thread.install(installed(1, 1), { name: "notes", spec: SPEC });
	await sample(thread);
	const waiting = thread.call("heldOut", heldOut);
	worker().emit("error", new Error("out of memory"));
	for (const call of [waiting, sample(thread), thread.call("heldOut", heldOut)]) {
		await assert.rejects(call, (error) => isNighError(error, "UNAVAILABLE"));
	}
	await thread.forget(1);
	thread.install(installed(1, 2), { name: "notes", spec: SPEC });
	thread.respec(1, { recall: 0.9, logQueries: false });
	assert.ok(isNighError(thread.failure, "UNAVAILABLE"));
	thread.fail(new Error("closed"));
	await assert.rejects(sample(thread), /closed/);
});

test("of a collection that has no index any more it lets go; of the next one it hears before it is asked", async () => {
	const { thread, worker } = started();
	const as = { name: "notes", spec: SPEC };
	thread.install(installed(1, 1), as);
	await sample(thread);
	thread.install(installed(1, 2, false), as);
	await thread.call("heldOut", heldOut);
	assert.deepEqual(worker().methods.toSorted(), ["attach", "detach", "heldOut", "sample"]);
	thread.install(installed(1, 3), as);
	await sample(thread);
	assert.deepEqual(worker().methods.slice(4), ["attach", "sample"]);
	const attached = worker().asked[4]?.argument as Attachment | undefined;
	assert.equal(attached?.generation.number, 3);
});

test("one that lost its index while it was being told of it lets go all the same, and of the next one it hears after that", async () => {
	const areas: (() => void)[] = [];
	const { thread, worker } = started(async (_key, number) => {
		await new Promise<void>((resolve) => areas.push(resolve));
		return { generation: { number }, area: {} } as never;
	});
	const as = { name: "notes", spec: SPEC };
	thread.install(installed(1, 1), as);
	const first = sample(thread);
	await new Promise(setImmediate);
	thread.install(installed(1, 2, false), as);
	thread.install(installed(1, 3), as);
	const second = sample(thread);
	while (areas.length < 2) {
		areas[0]?.();
		await new Promise(setImmediate);
	}
	areas[1]?.();
	await Promise.all([first, second]);
	const { methods } = worker();
	assert.ok(methods.lastIndexOf("attach") > methods.lastIndexOf("detach"), methods.join());
	assert.equal(methods.at(-1), "sample");
});

test("what was logged of an index that there was is not to stay either, unless another process writes", async () => {
	for (const readOnly of [false, true]) {
		const { thread, workers } = started(undefined, readOnly);
		thread.install(installed(1, 1, false), { name: "notes", spec: SPEC });
		thread.respec(1, { ...SPEC, recall: 0.9 });
		assert.deepEqual(workers, []);
		thread.respec(1, { recall: 0.9, logQueries: false });
		assert.deepEqual(
			workers.map(({ asked }) => asked),
			readOnly ? [] : [[{ method: "drop", argument: 1 }]],
		);
	}
});

test("one that cannot be started refuses what it is asked, and says why", async () => {
	let starts = 0;
	const start = (): Worker => {
		starts++;
		throw new Error("no more threads");
	};
	const thread = new ExaminerThread({ start, areaFor: () => assert.fail(), notes: NOTES, readOnly: false });
	thread.install(installed(1, 1), { name: "notes", spec: SPEC });
	for (let i = 0; i < 2; i++) await assert.rejects(sample(thread), (error) => isNighError(error, "UNAVAILABLE"));
	assert.match(thread.failure?.message ?? "", /no more threads/);
	assert.equal(starts, 1);
	await thread.forget(1);
	await thread.terminate();
});

test("it keeps the process alive while it is asked something, and not where it had no room to be", async () => {
	const { thread, worker } = started(() => Promise.reject(new Error("no memory")));
	thread.install(installed(1, 1), { name: "notes", spec: SPEC });
	await assert.rejects(sample(thread), /no memory/);
	assert.equal(worker().isHolding, false);
	const asked = sample(thread, 2);
	assert.equal(worker().isHolding, true);
	await asked;
	assert.equal(worker().isHolding, false);
});
