// What the program is told of each operation, on `node:diagnostics_channel`.
import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { mkdtempSync, rmSync } from "node:fs";
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
	await new Promise(setImmediate);
	assert.deepEqual([...new Set(warned)], ["NighListenerWarning"]);
});
