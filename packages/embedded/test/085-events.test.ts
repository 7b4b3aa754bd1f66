// What the program is told of each operation, on `node:diagnostics_channel`.
import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { openFolder } from "@nigh/embedded";

type Message = Record<string, unknown> & { readonly collection: string; readonly durationMs: number };

/** Collects what is told on these channels until the test ends. */
function listen(t: TestContext, ...names: string[]): Map<string, Message[]> {
	const heard = new Map<string, Message[]>(names.map((name) => [name, []]));
	for (const [name, messages] of heard) {
		const listener = (message: unknown) => void messages.push(message as Message);
		subscribe(name, listener);
		t.after(() => unsubscribe(name, listener));
	}
	return heard;
}

function testFolder(t: TestContext): string {
	const folder = mkdtempSync(join(tmpdir(), "nigh-events-"));
	t.after(() => rmSync(folder, { recursive: true }));
	return join(folder, "data");
}

/** What does not differ from run to run; durations are checked here. */
function told(messages: readonly Message[] | undefined): object[] {
	return (messages ?? []).map(({ durationMs, ...rest }) => {
		assert.ok(Number.isFinite(durationMs) && durationMs >= 0, `${durationMs} ms`);
		return rest;
	});
}

const vectorOf = (i: number) => Float32Array.from({ length: 8 }, (_, d) => Math.sin((i + 1) * (d + 1)));

test("every write and every search tells what it did", async (t) => {
	const heard = listen(t, "nigh:upsert", "nigh:delete", "nigh:search", "nigh:prune");
	const database = await openFolder(":memory:", { threads: 1 });
	t.after(() => database.close());
	const notes = await database.collection("notes", { dimensions: 8, metric: "l2" });
	const record = (i: number) => ({ id: `r${i}`, vector: vectorOf(i), metadata: { n: i } });
	await notes.upsert([record(0), record(1), record(2)]);
	await notes.upsert([record(3), { id: "", vector: vectorOf(0) }], { partial: true });
	await notes.update([{ id: "r0", metadata: { n: 9 } }]);
	await notes.update([{ id: "r1", vector: vectorOf(7) }]);
	await notes.delete(["r2", "nobody"]);
	await notes.search({ vector: vectorOf(0), k: 2 });
	await notes.search({ vector: vectorOf(0), k: 5, filter: { n: 9 } });
	await notes.searchMany([{ vector: vectorOf(1) }, { vector: vectorOf(2), k: 1 }]);
	await notes.prune({ maxRecords: 1 });
	const collection = "notes";
	assert.deepEqual(told(heard.get("nigh:upsert")), [
		{ collection, succeeded: 3, failed: 0, bytes: 96, changeNumber: 1 },
		{ collection, succeeded: 1, failed: 1, bytes: 32, changeNumber: 2 },
		{ collection, succeeded: 1, failed: 0, bytes: 0, changeNumber: 3 },
		{ collection, succeeded: 1, failed: 0, bytes: 32, changeNumber: 4 },
	]);
	assert.deepEqual(told(heard.get("nigh:delete")), [{ collection, deleted: 1, changeNumber: 5 }]);
	const search = { collection, cutShort: false, recall: "exact" };
	assert.deepEqual(told(heard.get("nigh:search")), [
		{ ...search, strategy: "scan", k: 2, hits: 2 },
		{ ...search, strategy: "filtered-scan", k: 5, hits: 1 },
		{ ...search, strategy: "scan", k: 10, hits: 3 },
		{ ...search, strategy: "scan", k: 1, hits: 1 },
	]);
	assert.deepEqual(told(heard.get("nigh:prune")), [{ collection, expired: 0, tooOld: 0, tooMany: 2, changeNumber: 6 }]);
});

test("taking the tail in, writing a snapshot and opening again are told of", async (t) => {
	const heard = listen(t, "nigh:fold", "nigh:snapshot", "nigh:recover");
	const folder = testFolder(t);
	const first = await openFolder(folder, { threads: 1 });
	const spec = { dimensions: 8, metric: "l2", index: { kind: "hnsw" } } as const;
	const notes = await first.collection("notes", spec);
	const records = (from: number, to: number) =>
		Array.from({ length: to - from }, (_, i) => ({ id: `r${from + i}`, vector: vectorOf(from + i) }));
	await notes.upsert(records(0, 300));
	await notes.optimize();
	await notes.upsert(records(300, 320));
	await notes.optimize();
	await first.close();
	const folded = told(heard.get("nigh:fold")) as { vectors: number; tail: number; index: string; collection: string }[];
	assert.ok(folded.length > 0);
	for (const { collection, index } of folded) assert.deepEqual([collection, index], ["notes", "hnsw"]);
	assert.equal(folded.at(-1)?.tail, 0);
	const last = told(heard.get("nigh:snapshot")).at(-1) as { bytes: number };
	assert.deepEqual(
		{ ...last, bytes: 0 },
		{ collection: "notes", index: "hnsw", bytes: 0, vectors: 320, changeNumber: 2 },
	);
	assert.ok(last.bytes > 320 * 32, "the vectors are in it");
	// The indexer tells it, the writer answers: the answer may come first.
	const recovered = new Promise<void>((resolve) => {
		const listener = () => resolve();
		subscribe("nigh:recover", listener);
		t.after(() => unsubscribe("nigh:recover", listener));
	});
	const second = await openFolder(folder, { threads: 1 });
	t.after(() => second.close());
	await second.collection("notes");
	// The threads of an idle database do not keep the process alive.
	const alive = setInterval(() => {}, 1_000);
	await recovered.finally(() => clearInterval(alive));
	assert.deepEqual(told(heard.get("nigh:recover")), [
		{ collection: "notes", from: "records", damaged: 0, changes: 0, vectors: 0 },
		{ collection: "notes", from: "snapshot", damaged: 0, changes: 0, vectors: 320 },
	]);
});

test("a prune that only looks is told to nobody", async (t) => {
	const heard = listen(t, "nigh:prune");
	const database = await openFolder(":memory:", { threads: 1 });
	t.after(() => database.close());
	const notes = await database.collection("notes", { dimensions: 8 });
	await notes.upsert([0, 1, 2].map((i) => ({ id: `r${i}`, vector: vectorOf(i) })));
	assert.equal((await notes.prune({ maxRecords: 1, dryRun: true })).tooMany, 2);
	assert.deepEqual(heard.get("nigh:prune"), []);
	await notes.prune({ maxRecords: 1 });
	assert.equal(heard.get("nigh:prune")?.length, 1);
});

test("a call that fails tells its code on its channel, and nothing else", async (t) => {
	const channels = ["nigh:upsert", "nigh:delete", "nigh:search", "nigh:prune"];
	const heard = listen(t, ...channels);
	const database = await openFolder(":memory:", { threads: 1 });
	t.after(() => database.close());
	const embedder = {
		identity: async () => ({ name: "none", model: "m", dimensions: 8 }),
		embed: async () => Promise.reject(new Error("not today")),
	};
	const notes = await database.collection("notes", { embedder, maxRecords: 2 });
	await notes.upsert([{ id: "a", vector: vectorOf(0) }]);
	for (const messages of heard.values()) messages.length = 0;
	const vector = vectorOf(1);
	const many = [0, 1, 2].map((i) => ({ id: `r${i}`, vector }));
	const calls: [channel: string, error: string, call: () => Promise<unknown>][] = [
		["nigh:upsert", "INVALID_RECORD", () => notes.upsert([{ id: "", vector }])],
		["nigh:upsert", "COLLECTION_FULL", () => notes.upsert(many)],
		["nigh:upsert", "UNCODED", () => notes.upsert([{ id: "b", text: "words" }])],
		["nigh:upsert", "NOT_FOUND", () => notes.update([{ id: "nobody", metadata: {} }])],
		["nigh:delete", "INVALID_FILTER", () => notes.delete({ filter: { $no: 1 } as never })],
		["nigh:search", "DIMENSION_MISMATCH", () => notes.search({ vector: [1, 2] })],
		["nigh:search", "ABORTED", () => notes.search({ vector, signal: AbortSignal.abort() })],
		["nigh:search", "INVALID_OPTION", () => notes.searchMany([{ vector }, { vector, k: 0 }])],
		["nigh:prune", "INVALID_OPTION", () => notes.prune({ maxAgeMs: -1 })],
	];
	const expected = new Map<string, object[]>(channels.map((name) => [name, []]));
	for (const [name, error, call] of calls) {
		await assert.rejects(call());
		expected.get(name)?.push({ collection: "notes", error });
		assert.deepEqual(told(heard.get(name)), expected.get(name), `${name} ${error}`);
	}
	for (const name of channels) assert.deepEqual(told(heard.get(name)), expected.get(name));
	await notes.close();
	await assert.rejects(notes.search({ vector }), { code: "CLOSED" });
	assert.deepEqual(told(heard.get("nigh:search")).at(-1), { collection: "notes", error: "CLOSED" });
});

test("one search of several that runs out of its time is told of as a failure, the others as they are", async (t) => {
	const heard = listen(t, "nigh:search");
	const database = await openFolder(":memory:", { threads: 1 });
	t.after(() => database.close());
	const notes = await database.collection("notes", { dimensions: 8, metric: "l2" });
	await notes.upsert(Array.from({ length: 4_000 }, (_, i) => ({ id: `r${i}`, vector: vectorOf(i), metadata: { i } })));
	// A filter that has not been seen is evaluated for every record.
	const filter = { $or: Array.from({ length: 200 }, (_, i) => ({ i: { $gte: 4_000 + i } })) };
	const [late, good] = await notes.searchMany([
		{ vector: vectorOf(1), filter, timeoutMs: 1 },
		{ vector: vectorOf(2), k: 1 },
	]);
	assert.equal(late?.error?.code, "SEARCH_TIMEOUT");
	assert.equal(good?.hits[0]?.id, "r2");
	const [first, second] = told(heard.get("nigh:search")) as { error?: string; hits?: number }[];
	assert.deepEqual([first?.error, second?.error, second?.hits], ["SEARCH_TIMEOUT", undefined, 1]);
});

test("a snapshot that cannot be written, and a collection that cannot be opened, are told of", async (t) => {
	const folder = testFolder(t);
	const heard = listen(t, "nigh:snapshot", "nigh:recover");
	const spec = { dimensions: 8, metric: "l2", index: { kind: "hnsw" } } as const;
	const first = await openFolder(folder, { threads: 1 });
	const notes = await first.collection("notes", spec);
	await notes.upsert(Array.from({ length: 300 }, (_, i) => ({ id: `r${i}`, vector: vectorOf(i) })));
	await notes.optimize();
	heard.get("nigh:snapshot")?.splice(0);
	await notes.delete("r1");
	const snapshots = join(folder, "snapshots");
	rmSync(snapshots, { recursive: true });
	await assert.rejects(notes.optimize());
	assert.deepEqual(told(heard.get("nigh:snapshot")), [{ collection: "notes", error: "NOT_FOUND" }]);
	await first.close();
	const second = await openFolder(folder, { threads: 1 });
	t.after(() => second.close());
	rmSync(snapshots, { recursive: true });
	writeFileSync(snapshots, "no folder");
	heard.get("nigh:recover")?.splice(0);
	await assert.rejects(second.collection("notes", spec));
	// It is told beside the answer, from another thread.
	while (heard.get("nigh:recover")?.length === 0) await new Promise(setImmediate);
	const [failure] = told(heard.get("nigh:recover")) as { collection: string; error: string }[];
	assert.equal(failure?.collection, "notes");
	assert.equal(typeof failure?.error, "string");
});

test("a listener that throws, or rejects, breaks neither the operation nor what the others hear", async (t) => {
	const warned: string[] = [];
	const onWarning = ({ name }: Error) => void warned.push(name);
	process.on("warning", onWarning);
	t.after(() => process.off("warning", onWarning));
	const bad = [
		() => {
			throw new Error("bad listener");
		},
		async () => Promise.reject(new Error("bad listener")),
	];
	const channels = ["nigh:upsert", "nigh:search", "nigh:delete", "nigh:prune"];
	for (const listener of bad) {
		for (const name of channels) {
			subscribe(name, listener);
			t.after(() => unsubscribe(name, listener));
		}
	}
	const heard = listen(t, ...channels);
	const database = await openFolder(":memory:", { threads: 1 });
	t.after(() => database.close());
	const notes = await database.collection("notes", { dimensions: 8 });
	await notes.upsert([{ id: "a", vector: vectorOf(0) }]);
	assert.equal((await notes.search({ vector: vectorOf(0) })).hits.length, 1);
	assert.equal((await notes.prune()).expired, 0);
	assert.equal((await notes.delete("a")).deleted, 1);
	for (const [name, messages] of heard) assert.equal(messages.length, 1, name);
	// What fails, fails with its own error.
	await assert.rejects(notes.search({ vector: [1] }), { code: "DIMENSION_MISMATCH" });
	assert.equal(heard.get("nigh:search")?.length, 2);
	await new Promise(setImmediate);
	assert.deepEqual([...new Set(warned)], ["NighListenerWarning"]);
});
