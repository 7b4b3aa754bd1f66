import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { test } from "node:test";
import { MessageChannel, type MessagePort } from "node:worker_threads";
import { isNighError, NighError } from "@nigh/contract";
import { Caller, Service, Transferred } from "./rpc.ts";

type Methods = {
	echo(value: unknown): unknown;
	fail(error: string): never;
	refuse(details: Record<string, unknown>): never;
	give(length: number): Uint8Array;
	wait(argument: undefined): Promise<void>;
};

type Notes = { said(word: string): void };

function connected(t: { after(undo: () => void): void }) {
	const { port1, port2 } = new MessageChannel();
	t.after(() => port1.close());
	let kept: Uint8Array | undefined;
	const service = new Service<Notes>(port2).serve<Methods>({
		echo: (value) => value,
		fail(message) {
			throw new TypeError(message);
		},
		refuse(details) {
			throw new NighError("DISK_FULL", "no space", { ...details, callback: () => 1, symbol: Symbol("s") });
		},
		give(length) {
			kept = new Uint8Array(length).fill(7);
			return new Transferred(kept, [kept.buffer as ArrayBuffer]);
		},
		wait: () => new Promise(() => {}),
	});
	return { caller: new Caller<Methods>(port1), service, port1, port2, kept: () => kept };
}

test("answers come to the call that asked, whatever their order", async (t) => {
	const { caller } = connected(t);
	const answers = await Promise.all([1, 2, 3].map((i) => caller.call("echo", { i })));
	assert.deepEqual(answers, [{ i: 1 }, { i: 2 }, { i: 3 }]);
	assert.equal(await caller.call("echo", undefined), undefined);
});

test("an error of Nigh keeps its code, its message and its details; what cannot be cloned of them is told as text", async (t) => {
	const { caller } = connected(t);
	const error = await caller.call("refuse", { field: "x", bound: { min: 1, max: 2 } }).catch((each: unknown) => each);
	assert.ok(isNighError(error, "DISK_FULL"));
	assert.equal(error.message, "no space");
	const { field, bound, callback, symbol } = error.details as Record<string, unknown>;
	assert.deepEqual([field, bound, callback, symbol], ["x", { min: 1, max: 2 }, "() => 1", "Symbol(s)"]);
});

test("another error keeps its message", async (t) => {
	const { caller } = connected(t);
	await assert.rejects(caller.call("fail", "broken"), { message: "broken" });
});

test("a method that is not there, and an answer that cannot be cloned, fail the call and no other", async (t) => {
	const { caller, port2 } = connected(t);
	await assert.rejects(caller.call("nothing" as "echo", 1), /no method nothing/);
	const { port1, port2: other } = new MessageChannel();
	t.after(() => port1.close());
	new Service(other).serve<{ make(argument: number): unknown }>({ make: (argument) => (argument === 1 ? () => 1 : 2) });
	const maker = new Caller<{ make(argument: number): unknown }>(port1);
	await assert.rejects(maker.call("make", 1), /could not be cloned/);
	assert.equal(await maker.call("make", 2), 2);
	assert.ok(port2);
});

test("buffers are handed over, both ways", async (t) => {
	const { caller, kept } = connected(t);
	const given = await caller.call("give", 3);
	assert.deepEqual([...given], [7, 7, 7]);
	assert.equal(kept()?.length, 0, "not copied");
	const bytes = Uint8Array.of(1, 2);
	const back = (await caller.call("echo", bytes, [bytes.buffer])) as Uint8Array;
	assert.deepEqual([...back], [1, 2]);
	assert.equal(bytes.length, 0);
});

test("notes come in the order in which they were told, before the answer that follows them", async (t) => {
	const { port1, port2 } = new MessageChannel();
	t.after(() => port1.close());
	const heard: string[] = [];
	const service = new Service<Notes>(port2);
	service.serve<{ speak(words: readonly string[]): void }>({
		speak: (words) => {
			for (const word of words) service.tell("said", word);
		},
	});
	const caller = new Caller<{ speak(words: readonly string[]): void }>(port1).listen<Notes>({
		said: (word) => void heard.push(word),
	});
	await caller.call("speak", ["a", "b", "c"]);
	assert.deepEqual(heard, ["a", "b", "c"]);
});

for (const [how, end] of [
	["has closed its port", (port: MessagePort) => port.close()],
	["has ended", (port: MessagePort) => port.emit("exit", 1)],
] as const) {
	test(`when the other side ${how}, calls that wait and calls to come are refused with CLOSED`, async (t) => {
		const { caller, port1, port2 } = connected(t);
		const waiting = [caller.call("wait", undefined), caller.call("wait", undefined)];
		const closed = how === "has ended" ? undefined : once(port1, "close");
		end(how === "has ended" ? port1 : port2);
		for (const call of waiting) await assert.rejects(call, { code: "CLOSED" });
		await closed;
		await assert.rejects(caller.call("echo", 1), { code: "CLOSED" });
	});
}

test("an error of the worker fails the calls with it; the first one stays", async (t) => {
	const { caller, port1 } = connected(t);
	const waiting = caller.call("wait", undefined);
	port1.emit("error", new Error("out of memory"));
	port1.emit("exit", 1);
	await assert.rejects(waiting, /out of memory/);
	await assert.rejects(caller.call("echo", 1), /out of memory/);
});

test("what calls are refused with can be given, with the error there was", async () => {
	const ended = (cause?: Error) => new NighError("UNAVAILABLE", `gone: ${cause?.message ?? "for no reason"}`);
	const [failing, ending] = [new CountedPort(), new CountedPort()];
	const calls = [failing, ending].map((port) => new Caller<Methods>(port, { ended }).call("wait", undefined));
	failing.emit("error", new Error("out of memory"));
	ending.emit("exit", 1);
	await assert.rejects(calls[0] as Promise<void>, { code: "UNAVAILABLE", message: "gone: out of memory" });
	await assert.rejects(calls[1] as Promise<void>, { code: "UNAVAILABLE", message: "gone: for no reason" });
});

/** A port that counts what keeps the process alive. */
class CountedPort extends EventEmitter {
	isHeld = false;
	readonly sent: { request: number }[] = [];
	postMessage(message: unknown): void {
		structuredClone(message);
		this.sent.push(message as { request: number });
	}
	ref(): void {
		this.isHeld = true;
	}
	unref(): void {
		this.isHeld = false;
	}
}

test("the process is kept alive while calls are under way, and no longer", async () => {
	const port = new CountedPort();
	const caller = new Caller<Methods>(port, { mayEnd: true });
	const calls = [caller.call("echo", 1), caller.call("echo", 2)];
	assert.equal(port.isHeld, true);
	for (const { request } of port.sent) {
		assert.equal(port.isHeld, true);
		port.emit("message", { reply: request, value: 0 });
	}
	await Promise.all(calls);
	assert.equal(port.isHeld, false);
	const failed = caller.call("echo", 3);
	caller.fail(new Error("gone"));
	await assert.rejects(failed, /gone/);
	assert.equal(port.isHeld, false);
});

test("an argument that cannot be cloned fails its call, and nothing is waited for", async () => {
	const port = new CountedPort();
	const caller = new Caller<Methods>(port, { mayEnd: true });
	await assert.rejects(
		caller.call("echo", () => 1),
		/could not be cloned/,
	);
	assert.equal(port.isHeld, false);
});

test("replies to nobody and messages of others are passed over", async (t) => {
	const { caller, port2 } = connected(t);
	port2.postMessage({ reply: 999, value: 1 });
	port2.postMessage({ note: "unheard", argument: 1 });
	port2.postMessage({});
	assert.equal(await caller.call("echo", 5), 5);
});
