// What is found after reopening, after failures, and when several calls run at once.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { Collection, CollectionSpec, SearchRequest } from "@nigh/contract";
import { openFolder } from "@nigh/embedded";

function testFolder(t: TestContext): string {
	const folder = mkdtempSync(join(tmpdir(), "nigh-reopen-"));
	t.after(() => rmSync(folder, { recursive: true }));
	return join(folder, "data");
}

const DIMENSIONS = 16;

function vectorOf(i: number): Float32Array {
	return Float32Array.from({ length: DIMENSIONS }, (_, d) => Math.sin(i * 1.7 + d * d) * 3);
}

function bitsOf(i: number): Uint8Array {
	return Uint8Array.from({ length: DIMENSIONS / 8 }, (_, d) => (i * 37 + d * 101) & 0xff);
}

const KINDS: Readonly<Record<string, CollectionSpec>> = {
	l2: { dimensions: DIMENSIONS, metric: "l2" },
	cosine: { dimensions: DIMENSIONS, metric: "cosine" },
	ip: { dimensions: DIMENSIONS, metric: "ip" },
	l1: { dimensions: DIMENSIONS, metric: "l1" },
	hamming: { dimensions: DIMENSIONS, type: "bit" },
	weights: { dimensions: DIMENSIONS, metric: "l2", weights: Array.from({ length: DIMENSIONS }, (_, i) => i / 5) },
	graph: { dimensions: DIMENSIONS, metric: "cosine", index: { kind: "hnsw" } },
};

const QUERIES = 100;

/** What the searches find, bit by bit: exact, approximate, and among the records that match a filter. */
async function answersOf(notes: Collection, isBits: boolean) {
	const found = [];
	for (let i = 0; i < QUERIES; i++) {
		const vector = isBits ? bitsOf(i * 3 + 0.5) : vectorOf(i * 3 + 0.5);
		for (const how of [{ exact: true }, {}, { filter: { i: { $lt: 60 } } }]) {
			const { hits } = await notes.search({ vector, k: 10, ...how });
			found.push(hits.map(({ id, distance, metadata }) => [id, distance, metadata]));
		}
	}
	return found;
}

test(`after reopening, ${QUERIES} queries of each kind have the same ids at bit-equal distances, for every metric`, async (t) => {
	const folder = testFolder(t);
	const first = await openFolder(folder, { threads: 1 });
	const before = new Map<string, unknown>();
	for (const [name, spec] of Object.entries(KINDS)) {
		const notes = await first.collection(name, spec);
		const isBits = spec.type === "bit";
		const record = (i: number) => ({ id: `r${i}`, vector: isBits ? bitsOf(i) : vectorOf(i), metadata: { i } });
		await notes.upsert(Array.from({ length: 300 }, (_, i) => record(i)));
		if (name === "graph") await notes.optimize();
		await notes.upsert(Array.from({ length: 20 }, (_, i) => ({ ...record(i + 500), id: `r${i}` })));
		await notes.delete(["r100", "r101"]);
		before.set(name, await answersOf(notes, isBits));
	}
	await first.close();
	const second = await openFolder(folder, { threads: 1 });
	t.after(() => second.close());
	for (const [name, spec] of Object.entries(KINDS)) {
		const notes = await second.collection(name);
		assert.deepEqual(await answersOf(notes, spec.type === "bit"), before.get(name), name);
		if (name === "graph") assert.equal((await notes.stats()).index.kind, "hnsw");
	}
});

test("searches of one thread at the same time get each its own answer", async (t) => {
	const database = await openFolder(":memory:", { threads: 1 });
	t.after(() => database.close());
	const notes = await database.collection("notes", { dimensions: 1, metric: "l2" });
	await notes.upsert(
		Array.from({ length: 200 }, (_, i) => ({ id: `r${i}`, vector: [i], metadata: { odd: i % 2 === 1 } })),
	);
	const requests: SearchRequest[] = Array.from({ length: 40 }, (_, i) => ({
		vector: [i * 5 + 0.1],
		k: 1,
		...(i % 2 === 1 && { filter: { odd: true } }),
		...(i % 3 === 0 && { exact: true }),
	}));
	const results = await Promise.all(requests.map((request) => notes.search(request)));
	assert.deepEqual(
		results.map(({ hits }) => hits[0]?.id),
		Array.from({ length: 40 }, (_, i) => `r${i * 5}`),
	);
});

test("what the caller changes after the call changes neither what is searched for nor what is written", async (t) => {
	const database = await openFolder(":memory:", { threads: 1 });
	t.after(() => database.close());
	const notes = await database.collection("notes", { dimensions: 1, metric: "l2" });
	const filter = { n: 1 };
	await notes.upsert([{ id: "a", vector: [100] }]);
	assert.deepEqual((await notes.search({ vector: [0], filter })).hits, [], "and kept up to date from now on");
	const record = { id: "b", vector: Float32Array.of(1), metadata: { n: 1 } };
	const writing = notes.upsert([record]);
	record.vector[0] = 50;
	record.metadata.n = 2;
	await writing;
	const asked = Float32Array.of(3);
	const searching = notes.search({ vector: asked, filter });
	asked[0] = 70;
	assert.deepEqual(
		(await searching).hits.map(({ id, distance }) => [id, distance]),
		[["b", 2]],
	);
	const batch = Array.from({ length: 1_500 }, (_, i) => ({ id: `c${i}`, vector: Float32Array.of(i + 1_000) }));
	const many = notes.upsert(batch);
	batch.length = 0;
	assert.equal((await many).succeeded, 1_500);
	assert.equal(await notes.count(), 1_502);
});

test("a batch that is refused leaves every other record where it was", async (t) => {
	const database = await openFolder(":memory:", { threads: 1 });
	t.after(() => database.close());
	const notes = await database.collection("notes", { dimensions: DIMENSIONS, metric: "l2", maxRecords: 60 });
	await notes.upsert(Array.from({ length: 50 }, (_, i) => ({ id: `r${i}`, vector: vectorOf(i) })));
	const before = await notes.stats();
	const batch = Array.from({ length: 20 }, (_, i) => ({ id: `r${i + 45}`, vector: vectorOf(i + 900) }));
	await assert.rejects(notes.upsert(batch), { code: "COLLECTION_FULL" });
	await assert.rejects(notes.upsert([...batch.slice(0, 3), { id: "bad", vector: [Number.NaN] }]));
	const after = await notes.stats();
	assert.deepEqual([after.records, after.index, after.changeNumber], [50, before.index, before.changeNumber]);
	for (let i = 0; i < 50; i++) {
		const [hit] = (await notes.search({ vector: vectorOf(i), k: 1 })).hits;
		assert.deepEqual([hit?.id, hit?.distance], [`r${i}`, 0]);
	}
});

test("an id that is written again has its new vector; there are as many records, and every other is found by its own", async (t) => {
	const database = await openFolder(":memory:", { threads: 1 });
	t.after(() => database.close());
	const spec = { dimensions: DIMENSIONS, metric: "l2", index: { kind: "hnsw" } } as const;
	const notes = await database.collection("notes", spec);
	await notes.upsert(Array.from({ length: 300 }, (_, i) => ({ id: `r${i}`, vector: vectorOf(i) })));
	await notes.optimize();
	for (const i of [0, 150, 299]) await notes.upsert([{ id: `r${i}`, vector: vectorOf(i + 5_000) }]);
	assert.equal(await notes.count(), 300);
	for (let i = 0; i < 300; i++) {
		const vector = vectorOf([0, 150, 299].includes(i) ? i + 5_000 : i);
		const [hit] = (await notes.search({ vector, k: 1 })).hits;
		assert.deepEqual([hit?.id, hit?.distance], [`r${i}`, 0]);
	}
	const old = (await notes.search({ vector: vectorOf(150), k: 1, exact: true })).hits[0];
	assert.notEqual(old?.distance, 0);
});

test("a collection that is opened while it is being closed or dropped is open, and new where it was dropped", async (t) => {
	const database = await openFolder(":memory:", { threads: 1 });
	t.after(() => database.close());
	const spec = { dimensions: 1, metric: "l2" } as const;
	const first = await database.collection("notes", spec);
	await first.upsert([{ id: "a", vector: [1] }]);
	const closing = first.close();
	const second = await database.collection("notes");
	await closing;
	await second.upsert([{ id: "b", vector: [2] }]);
	assert.deepEqual(
		(await second.search({ vector: [0] })).hits.map(({ id }) => id),
		["a", "b"],
	);
	await assert.rejects(first.count(), { code: "CLOSED" });
	const dropping = database.drop("notes");
	const third = await database.collection("notes", spec);
	assert.equal(await dropping, true);
	await second.close();
	await third.upsert([{ id: "c", vector: [3] }]);
	assert.deepEqual(
		(await third.search({ vector: [0] })).hits.map(({ id }) => id),
		["c"],
	);
	assert.equal(await database.collection("notes"), third);
});

test("a reader of another writer's database sees the first vectors after a refresh, and several at once take them in once", async (t) => {
	const folder = testFolder(t);
	const writing = await openFolder(folder, { threads: 1 });
	t.after(() => writing.close());
	const notes = await writing.collection("notes", { metric: "l2" });
	const reading = await openFolder(folder, { readOnly: true, threads: 1 });
	t.after(() => reading.close());
	const seen = await reading.collection("notes");
	assert.deepEqual((await seen.search({ vector: [1] })).hits, []);
	await notes.upsert(Array.from({ length: 3 }, (_, i) => ({ id: `r${i}`, vector: [i] })));
	assert.equal((await seen.refresh()).changed, true);
	assert.deepEqual(
		(await seen.search({ vector: [0] })).hits.map(({ id }) => id),
		["r0", "r1", "r2"],
	);
	await notes.upsert(Array.from({ length: 5_000 }, (_, i) => ({ id: `s${i}`, vector: [i + 10] })));
	const refreshed = await Promise.all([seen.refresh(), seen.refresh(), seen.refresh()]);
	assert.deepEqual(
		refreshed.map(({ changed }) => changed),
		[true, false, false],
	);
	const { hits } = await seen.search({ vector: [10_000], k: 2, exact: true });
	assert.deepEqual(
		hits.map(({ id }) => id),
		["s4999", "s4998"],
	);
	assert.equal((await seen.stats()).index.main + (await seen.stats()).index.tail, 5_003);
});
