import assert from "node:assert/strict";
import { once } from "node:events";
import { type TestContext, test } from "node:test";
import { BroadcastChannel, threadId } from "node:worker_threads";
import { NighError } from "@nigh/contract";
import { MOST_READERS } from "../memory/generation.ts";
import type { IndexerMethods, Installed } from "../workers/messages.ts";
import { Caller } from "../workers/rpc.ts";
import { turn } from "../workers/turn.ts";
import { ChannelPort } from "./channel-port.ts";
import { FIRST_READER, ShareHost } from "./host.ts";
import { sendLifeline } from "./lifeline.ts";
import type { HostMethods, HostNotes, ShareMessage } from "./messages.ts";

const PLACES = MOST_READERS - FIRST_READER;

type Area = Parameters<IndexerMethods["area"]>[0];

/** A host of two collections, the second without vectors. `control` is what its indexer does. */
function hosted(t: TestContext) {
	const asked: Area[] = [];
	const control = { current: 5, delay: undefined as Promise<void> | undefined, refuses: -1 };
	const call = async (method: string, argument: unknown) => {
		await control.delay;
		if (method !== "area") return `${method} of ${argument}`;
		const area = argument as Area;
		asked.push(area);
		if (area.reader === control.refuses) throw new NighError("MEMORY_LIMIT", "no memory", { limit: 1 });
		return { installed: installedOf(area.key, control.current), area: { reader: area.reader } };
	};
	const host = new ShareHost({
		threads: { indexer: { call } as never },
		records: "/somewhere/records.sqlite",
		async open(name) {
			if (name === "missing") throw new NighError("NOT_FOUND", "there is no such collection", { value: name });
			return {
				entry: { key: name === "notes" ? 1 : 2, name } as never,
				hasVectors: name === "notes",
				table: undefined,
			};
		},
	});
	const readers: { close(): void }[] = [];
	t.after(() => {
		for (const channel of readers) channel.close();
		host.close();
	});
	/** What a reading thread has, on this one. */
	const reader = async (name: string) => {
		const channel = new BroadcastChannel(host.handle.channel);
		readers.push(channel);
		const port = new ChannelPort(channel, (message) => ({ from: name, message }));
		channel.onmessage = (event) => {
			const message = (event as { data: ShareMessage }).data;
			if ("to" in message && message.to === name) port.receive(message.message);
		};
		const lifeline = await sendLifeline(threadId, { channel: host.handle.channel, reader: name }, () => {});
		readers.push(lifeline);
		const notes: unknown[] = [];
		const calls = new Caller<HostMethods>(port, { mayEnd: true });
		calls.listen<HostNotes>({
			installed: (installed) => {
				notes.push(installed);
				port.emit("noted");
			},
			served: (table) => {
				notes.push(table);
				port.emit("noted");
			},
			closed: () => {
				notes.push("closed");
				port.emit("noted");
			},
		});
		return { calls, notes, lifeline, noted: () => once(port, "noted") };
	};
	return { host, asked, control, reader };
}

function installedOf(key: number, number: number): Installed {
	return { key, generation: { number }, areas: { caller: {}, worker: {} } } as unknown as Installed;
}

test("a handle can be posted to another thread, and no two hosts have the same channel", (t) => {
	const { host } = hosted(t);
	assert.deepEqual(structuredClone(host.handle), host.handle);
	assert.equal(host.handle.records, "/somewhere/records.sqlite");
	assert.notEqual(hosted(t).host.handle.channel, host.handle.channel);
});

test("each reader gets an area of its own, for both of the ways it searches", async (t) => {
	const { reader, asked } = hosted(t);
	const [a, b] = [await reader("a"), await reader("b")];
	const first = await a.calls.call("open", "notes");
	assert.deepEqual(first.installed?.areas, { caller: { reader: FIRST_READER }, worker: { reader: FIRST_READER } });
	assert.deepEqual([first.entry.key, first.installed?.generation], [1, { number: 5 }]);
	const second = await b.calls.call("open", "notes");
	assert.deepEqual(second.installed?.areas, {
		caller: { reader: FIRST_READER + 1 },
		worker: { reader: FIRST_READER + 1 },
	});
	assert.deepEqual(asked, [
		{ key: 1, reader: FIRST_READER, generation: 0 },
		{ key: 1, reader: FIRST_READER + 1, generation: 0 },
	]);
});

test("a collection without vectors has no generation yet; its reader is told of the first", async (t) => {
	const { host, reader, asked } = hosted(t);
	const a = await reader("a");
	assert.equal((await a.calls.call("open", "empty")).installed, undefined);
	assert.deepEqual(asked, []);
	const noted = a.noted();
	await host.install(installedOf(2, 5));
	await noted;
	assert.deepEqual(a.notes, [
		{ ...installedOf(2, 5), areas: { caller: { reader: FIRST_READER }, worker: { reader: FIRST_READER } } },
	]);
});

test("what is asked about the index is answered by the indexer, and its errors keep their code", async (t) => {
	const { reader } = hosted(t);
	const { calls } = await reader("a");
	assert.deepEqual(
		[await calls.call("state", 7), await calls.call("memory", 8), await calls.call("analyze", 9)],
		["state of 7", "memory of 8", "analyze of 9"],
	);
	await assert.rejects(calls.call("open", "missing"), { code: "NOT_FOUND", details: { value: "missing" } });
	assert.equal((await calls.call("open", "notes")).entry.name, "notes", "and it goes on");
});

test("a generation that takes over is told to those who read the collection, in a memory that is at least as new", async (t) => {
	const { host, reader, asked, control } = hosted(t);
	const [a, b, other] = [await reader("a"), await reader("b"), await reader("other")];
	await a.calls.call("open", "notes");
	await b.calls.call("open", "notes");
	await other.calls.call("open", "empty");
	asked.length = 0;
	control.current = 9;
	const noted = Promise.all([a.noted(), b.noted()]);
	await host.install(installedOf(1, 8));
	await noted;
	assert.deepEqual(asked, [
		{ key: 1, reader: FIRST_READER, generation: 8 },
		{ key: 1, reader: FIRST_READER + 1, generation: 8 },
	]);
	assert.deepEqual(
		a.notes.map((note) => (note as Installed).generation),
		[{ number: 9 }],
	);
	assert.deepEqual([b.notes.length, other.notes.length], [1, 0]);
});

test("one that gets no memory keeps no other from its own", async (t) => {
	const { host, reader, control } = hosted(t);
	const [a, b] = [await reader("a"), await reader("b")];
	await a.calls.call("open", "notes");
	await b.calls.call("open", "notes");
	control.refuses = FIRST_READER;
	const noted = b.noted();
	await assert.rejects(host.install(installedOf(1, 6)), { code: "MEMORY_LIMIT" });
	await noted;
	assert.deepEqual([a.notes.length, b.notes.length], [0, 1]);
	await assert.rejects(a.calls.call("open", "notes"), { code: "MEMORY_LIMIT" });
});

test("as many readers as there is room for are taken, one more is told so, and who leaves makes room", async (t) => {
	const { reader } = hosted(t);
	const readers = await Promise.all(Array.from({ length: PLACES }, (_, i) => reader(`r${i}`)));
	const numbers = new Set<number>();
	for (const { calls } of readers) {
		const { installed } = await calls.call("open", "notes");
		numbers.add(installed?.areas.caller.reader as number);
	}
	assert.deepEqual(
		[...numbers],
		Array.from({ length: PLACES }, (_, i) => i + FIRST_READER),
	);
	await assert.rejects((await reader("late")).calls.call("open", "notes"), {
		code: "UNAVAILABLE",
		message: /62 threads share this database already/,
		details: { bound: PLACES },
	});
	await readers[7]?.calls.call("leave", undefined);
	const { installed } = await (await reader("next")).calls.call("open", "notes");
	assert.equal(installed?.areas.caller.reader, FIRST_READER + 7);
});

test("who has ended without a word makes room as well, and what it said last is not taken for another's", async (t) => {
	const { host, reader, asked } = hosted(t);
	const a = await reader("a");
	await a.calls.call("open", "notes");
	a.lifeline.close();
	a.calls.call("open", "empty").catch(() => {});
	for (let round = 0; round < 10; round++) await turn();
	asked.length = 0;
	await host.install(installedOf(1, 6));
	assert.deepEqual([asked, a.notes], [[], []]);
	const { installed } = await (await reader("b")).calls.call("open", "notes");
	assert.equal(installed?.areas.caller.reader, FIRST_READER);
});

test("who has left hears nothing any more", async (t) => {
	const { host, reader, asked } = hosted(t);
	const a = await reader("a");
	await a.calls.call("open", "notes");
	await a.calls.call("leave", undefined);
	asked.length = 0;
	await host.install(installedOf(1, 6));
	assert.deepEqual([asked, a.notes], [[], []]);
});

test("what is addressed to another is not taken", async (t) => {
	const { host, reader } = hosted(t);
	const [a, b] = [await reader("a"), await reader("b")];
	await Promise.all([a.calls.call("open", "notes"), b.calls.call("open", "empty")]);
	const noted = a.noted();
	await host.install(installedOf(1, 6));
	await noted;
	assert.equal(b.notes.length, 0);
});

test("closing tells every reader; an answer that comes after it goes nowhere and breaks nothing", async (t) => {
	const { host, reader, control } = hosted(t);
	const a = await reader("a");
	await a.calls.call("open", "notes");
	const late = Promise.withResolvers<void>();
	control.delay = late.promise;
	const answer = a.calls.call("state", 1);
	answer.catch(() => {});
	const installing = host.install(installedOf(1, 6));
	await turn();
	const noted = a.noted();
	host.close();
	await noted;
	assert.deepEqual(a.notes, ["closed"]);
	late.resolve();
	await installing;
	await turn();
	assert.deepEqual(a.notes, ["closed"]);
});
