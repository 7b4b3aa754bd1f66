import assert from "node:assert/strict";
import { channel, subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { type TestContext, test } from "node:test";
import { NighError } from "@nigh/contract";
import { type DeleteMessage, EVENT_NAMES, publish, tellingFailure } from "./events.ts";

type Listener = (message: unknown, name: string | symbol) => unknown;

const MESSAGE: DeleteMessage = { collection: "notes", durationMs: 1.5, deleted: 3, changeNumber: 7 };

function listen(t: TestContext, name: string, listener: Listener): void {
	subscribe(name, listener);
	t.after(() => unsubscribe(name, listener));
}

/** Fails the test when something is thrown that nobody catches: it would end the process of the user. */
async function noUncaught(act: () => Promise<void> | void): Promise<void> {
	const uncaught: unknown[] = [];
	const note = (error: unknown) => uncaught.push(error);
	process.setUncaughtExceptionCaptureCallback(note);
	process.on("unhandledRejection", note);
	try {
		await act();
		await new Promise(setImmediate);
	} finally {
		process.setUncaughtExceptionCaptureCallback(null);
		process.off("unhandledRejection", note);
	}
	assert.deepEqual(uncaught, []);
}

test("the channels are those of the design", () => {
	const names = ["search", "upsert", "delete", "fold", "certify", "audit", "snapshot", "recover", "prune"];
	assert.deepEqual(
		EVENT_NAMES,
		names.map((name) => `nigh:${name}`),
	);
});

test("without listeners no message is made", () => {
	publish("nigh:delete", () => assert.fail("made"));
});

test("listeners get the message and the name, in order, before publish returns; the message is made once", (t) => {
	const got: unknown[] = [];
	let made = 0;
	listen(t, "nigh:delete", (message, name) => got.push(1, message, name));
	listen(t, "nigh:delete", (message, name) => got.push(2, message, name));
	listen(t, "nigh:upsert", () => got.push("another channel"));
	publish("nigh:delete", () => {
		made++;
		return MESSAGE;
	});
	assert.deepEqual(got, [1, MESSAGE, "nigh:delete", 2, MESSAGE, "nigh:delete"]);
	assert.equal(made, 1);
});

test("one that throws harms neither the operation, nor the other listeners, nor the process, and is warned of once", async (t) => {
	let others = 0;
	listen(t, "nigh:delete", () => {
		throw new Error("the listener's own mistake");
	});
	listen(t, "nigh:delete", () => others++);
	const warnings: Error[] = [];
	const note = (warning: Error) => warnings.push(warning);
	process.on("warning", note);
	t.after(() => process.off("warning", note));
	await noUncaught(() => {
		publish("nigh:delete", () => MESSAGE);
		publish("nigh:delete", () => MESSAGE);
	});
	assert.equal(others, 2);
	assert.deepEqual(
		warnings.map((warning) => warning.name),
		["NighListenerWarning"],
	);
	assert.match(warnings[0]?.message ?? "", /nigh:delete failed: Error: the listener's own mistake/);
});

test("one whose promise is rejected harms nothing either", async (t) => {
	listen(t, "nigh:delete", async () => {
		throw new Error("later");
	});
	await noUncaught(async () => {
		const warning = once(process, "warning");
		publish("nigh:delete", () => MESSAGE);
		assert.match((await warning)[0].message, /later/);
	});
});

test("one that unsubscribes itself does not keep the next from being told", (t) => {
	let told = 0;
	const first = () => {
		unsubscribe("nigh:delete", first);
	};
	listen(t, "nigh:delete", first);
	listen(t, "nigh:delete", () => told++);
	publish("nigh:delete", () => MESSAGE);
	assert.equal(told, 1);
	assert.ok(channel("nigh:delete").hasSubscribers);
});

test("an operation that fails is told of with its code, before its caller hears of it; one that succeeds tells itself", async (t) => {
	const heard: { collection: string; durationMs: number; error: string }[] = [];
	listen(t, "nigh:delete", (message) => heard.push(message as (typeof heard)[number]));
	assert.equal(await tellingFailure("nigh:delete", "notes", async () => 7), 7);
	assert.deepEqual(heard, []);
	const failures = [new NighError("DISK_FULL", "no room"), new TypeError("not ours")];
	for (const [i, failure] of failures.entries()) {
		const call = tellingFailure("nigh:delete", "notes", () => Promise.reject(failure));
		await assert.rejects(call, (error) => error === failure && heard.length === i + 1);
	}
	assert.deepEqual(
		heard.map(({ collection, error }) => [collection, error]),
		[
			["notes", "DISK_FULL"],
			["notes", "UNCODED"],
		],
	);
	for (const { durationMs } of heard) assert.ok(durationMs >= 0);
});

test("a listener that throws does not change what an operation fails with", async (t) => {
	listen(t, "nigh:delete", () => {
		throw new Error("the listener's own mistake");
	});
	await noUncaught(async () => {
		const failing = () => Promise.reject(new NighError("LOCKED", "another writes"));
		await assert.rejects(tellingFailure("nigh:delete", "notes", failing), { code: "LOCKED" });
	});
});
