// Backups: made while the database is in use, restored into another one or the same, and what cannot be restored.
import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import type { Collection, Database } from "@nigh/contract";
import {
	checkAnswers,
	checkRecords,
	DIMENSIONS,
	type Model,
	points,
	put,
	testPlace,
	vectorOf,
} from "./points.test-support.ts";

const SPEC = { dimensions: DIMENSIONS, metric: "l2" } as const;
const HNSW = { ...SPEC, index: { kind: "hnsw", M: 8, efConstruction: 40 } } as const;
const CLEAN = { ok: true, problems: [] };

async function checkClean(database: Database): Promise<void> {
	const { ok, problems } = await database.verify();
	assert.deepEqual({ ok, problems }, CLEAN);
}

/** State n of a collection that is written to all the time: the last 50 batches of 10, and a counter that says which state it is. */
const KEPT = 50;
const BATCH = 10;

async function writeState(collection: Collection, n: number): Promise<void> {
	const counter = { id: "counter", vector: vectorOf(n), metadata: { n } };
	await collection.upsert([...points(n * BATCH, (n + 1) * BATCH), counter]);
	if (n < KEPT) return;
	await collection.delete(points((n - KEPT) * BATCH, (n - KEPT + 1) * BATCH).map(({ id }) => id));
}

/** Checks that a collection is as it was in one of the states, or between the two writes of the one after it. Returns the state. */
async function checkState(collection: Collection): Promise<number> {
	const counter = await collection.get("counter");
	const n = counter?.metadata?.n as number;
	const model: Model = new Map([["counter", vectorOf(n)]]);
	const count = await collection.count();
	const isBetween = n >= KEPT && count === (KEPT + 1) * BATCH + 1;
	put(model, points(Math.max(0, n - KEPT + (isBetween ? 0 : 1)) * BATCH, (n + 1) * BATCH));
	await checkRecords(collection, model);
	await checkAnswers(collection, model, { exact: true });
	return n;
}

for (const gzip of [false, true]) {
	test(`a backup${gzip ? " in one file" : ""} made beside a writer is one state between its start and its end`, async (t) => {
		const { folder, open } = testPlace(t);
		const database = await open("data");
		const collection = await database.collection("busy", SPEC);
		let written = 0;
		for (; written < KEPT + 5; written++) await writeState(collection, written);
		const first = written - 1;
		let ended = false;
		const writing = (async () => {
			while (!ended) await writeState(collection, written++);
		})();
		const reports = [];
		for (let i = 0; i < 3; i++) reports.push(await database.backup(join(folder, `backup-${i}`), { gzip }));
		ended = true;
		await writing;
		const states: number[] = [];
		for (const [i, { path, collections, bytes }] of reports.entries()) {
			assert.deepEqual(collections, ["busy"]);
			assert.ok(bytes > 0);
			const other = await open(`restored-${i}`);
			await other.restore(path);
			const restored = await other.collection("busy");
			states.push(await checkState(restored));
			await checkClean(other);
			for (const next of [0, 1]) await writeState(restored, (states[i] as number) + next);
			assert.equal(await checkState(restored), (states[i] as number) + 1, "it can be written to");
			await other.close();
		}
		assert.ok(states.every((state) => state >= first && state < written));
		assert.deepEqual(
			states,
			[...states].sort((a, b) => a - b),
		);
		assert.equal(await checkState(collection), written - 1);
		await checkClean(database);
	});
}

for (const work of ["optimize", "rebuild"] as const) {
	test(`a backup made beside ${work} and a writer is one state, whose index is in order`, async (t) => {
		const { folder, open } = testPlace(t);
		const database = await open("data");
		const collection = await database.collection("busy", HNSW);
		let written = 0;
		for (; written < KEPT + 5; written++) await writeState(collection, written);
		const first = written - 1;
		let worked = 0;
		let ended = false;
		const working = (async () => {
			for (; !ended; worked++) await collection[work]();
		})();
		const writing = (async () => {
			while (!ended) await writeState(collection, written++);
		})();
		const paths = [];
		for (let i = 0; i < 3; i++) paths.push((await database.backup(join(folder, `backup-${i}`))).path);
		ended = true;
		await Promise.all([working, writing]);
		assert.ok(worked > 0);
		for (const [i, path] of paths.entries()) {
			const other = await open(`restored-${i}`);
			await other.restore(path);
			const restored = await other.collection("busy");
			const state = await checkState(restored);
			assert.ok(state >= first && state < written, `state ${state} of ${first} to ${written}`);
			await checkClean(other);
			await restored[work]();
			assert.equal(await checkState(restored), state);
			await checkClean(other);
			await other.close();
		}
		assert.equal(await checkState(collection), written - 1);
	});
}

test("verify beside a writer finds nothing wrong, and does not hold the calling thread up", async (t) => {
	const { open } = testPlace(t);
	const database = await open("data");
	const collection = await database.collection("busy", HNSW);
	let written = 0;
	let ended = false;
	const writing = (async () => {
		while (!ended) await writeState(collection, written++);
	})();
	let turns = 0;
	const turning = (async () => {
		for (; !ended; turns++) await new Promise((resolve) => setImmediate(resolve));
	})();
	for (let i = 0; i < 3; i++) {
		const before = { turns, written };
		await checkClean(database);
		assert.ok(turns > before.turns && written > before.written, "others have had their turn");
	}
	ended = true;
	await Promise.all([writing, turning]);
	await checkClean(database);
});

test("of a folder of backups only the newest are kept", async (t) => {
	const { folder, open } = testPlace(t);
	const place = join(folder, "backups");
	let now = Date.UTC(2027, 0, 1);
	const database = await open("data", { now: () => now });
	const collection = await database.collection("a", SPEC);
	const paths: string[] = [];
	for (let i = 0; i < 4; i++) {
		await collection.upsert(points(i, i + 1));
		paths.push((await database.backup(place, { keep: 2, gzip: i % 2 === 1 })).path);
		now += 1_000;
	}
	assert.deepEqual(
		readdirSync(place).sort(),
		paths.slice(2).map((path) => path.slice(place.length + 1)),
	);
	assert.equal((await database.restore(paths[3] as string, { overwrite: true })).records, 4);
	assert.equal((await database.restore(paths[2] as string, { overwrite: true })).records, 3);
	assert.equal(await (await database.collection("a")).count(), 3);
});

test("the index comes along, with its deletes, and the words can be searched", async (t) => {
	const { folder, open } = testPlace(t);
	const model: Model = new Map();
	const database = await open("data");
	const collection = await database.collection("a", HNSW);
	await collection.upsert(points(0, 1_500));
	put(model, points(0, 1_500));
	await collection.optimize();
	await collection.delete({ filter: { n: { $lt: 100 } } });
	for (let n = 0; n < 100; n++) model.delete(`p${n}`);
	await collection.upsert(points(100, 140, 1));
	put(model, points(100, 140, 1));
	const { path } = await database.backup(join(folder, "backup"));
	const other = await open("other");
	// A collection with other keys before it, so that those of the backup do not fit by chance.
	for (const name of ["x", "y"]) await other.collection(name, SPEC);
	assert.deepEqual(await other.restore(path), { collections: ["a"], records: 1_400 });
	const recovered: unknown[] = [];
	const listen = (message: unknown) => void recovered.push((message as { from: string }).from);
	subscribe("nigh:recover", listen);
	t.after(() => unsubscribe("nigh:recover", listen));
	const restored = await other.collection("a");
	assert.equal((await restored.stats()).index.kind, "hnsw");
	assert.deepEqual(recovered, ["snapshot"]);
	await checkRecords(restored, model);
	await checkAnswers(restored, model);
	await checkAnswers(restored, model, { exact: true });
	const { hits } = await restored.search({ vector: vectorOf(777), text: "777", k: 3, include: { text: true } });
	assert.equal(hits[0]?.text, "point number 777");
	await checkClean(other);
});

test("a database that is open for reading can be backed up, and takes nothing in", async (t) => {
	const { folder, open } = testPlace(t);
	const database = await open("data");
	await (await database.collection("a", SPEC)).upsert(points(0, 20));
	const reader = await open("data", { readOnly: true });
	await reader.collection("a");
	assert.equal((await reader.backup(join(folder, "backup"))).records, 20);
	await assert.rejects(reader.restore(join(folder, "backup")), { code: "READ_ONLY" });
	await assert.rejects(reader.repair(), { code: "READ_ONLY" });
	await (await database.collection("a")).upsert(points(20, 30));
	await checkClean(reader);
	assert.deepEqual(readdirSync(folder).sort(), ["backup", "data"]);
});

/** Two collections in a backup, and a database in which one of them has gone on. */
async function conflict(t: TestContext) {
	const { folder, open } = testPlace(t);
	const database = await open("data");
	const [a, b] = [await database.collection("a", SPEC), await database.collection("b", SPEC)];
	await a.upsert(points(0, 30));
	await b.upsert(points(30, 50));
	const { path } = await database.backup(join(folder, "backup"));
	await database.drop("a");
	await b.upsert(points(50, 60));
	const others = await database.collection("others", SPEC);
	await others.upsert(points(0, 5));
	const model: Model = new Map();
	put(model, points(30, 60));
	/** As it was before the restore, with the same handles. */
	const checkUnchanged = async () => {
		assert.deepEqual(await database.collections(), ["b", "others"]);
		await checkRecords(b, model);
		await checkAnswers(b, model, { exact: true });
		assert.equal(await others.count(), 5);
		await checkClean(database);
	};
	return { folder, open, database, path, b, others, checkUnchanged };
}

test("a restore that meets a collection of the same name restores nothing, or replaces it if that is asked for", async (t) => {
	const { database, path, b, others, checkUnchanged } = await conflict(t);
	await assert.rejects(database.restore(path), { code: "SPEC_CONFLICT", message: /"b"/ });
	await checkUnchanged();
	const restoring = database.restore(path, { overwrite: true });
	// Waits for the restore, whatever its stage.
	const early = database.collection("b");
	assert.deepEqual(await restoring, { collections: ["a", "b"], records: 50 });
	for (const call of [() => b.count(), () => b.upsert(points(0, 1)), () => b.search({ vector: vectorOf(0) })]) {
		await assert.rejects(call, { code: "CLOSED" });
	}
	assert.equal(await others.count(), 5);
	assert.deepEqual(await database.collections(), ["a", "b", "others"]);
	const model: Model = new Map();
	put(model, points(30, 50));
	const again = await database.collection("b");
	await checkRecords(again, model);
	await checkAnswers(again, model, { exact: true });
	await again.upsert(points(60, 61));
	assert.equal(await again.count(), 21);
	await early;
	await checkClean(database);
});

test("a backup that is damaged, or was made of damaged records, changes nothing", async (t) => {
	const { folder, open, database, path, checkUnchanged } = await conflict(t);
	const records = join(path, "records.sqlite");
	const bytes = readFileSync(records);
	const flipped = Buffer.from(bytes);
	flipped.writeUint8((flipped.at(-100) as number) ^ 1, flipped.length - 100);
	writeFileSync(records, flipped);
	await assert.rejects(database.restore(path, { overwrite: true }), { code: "CORRUPT_RECORDS" });
	await checkUnchanged();
	writeFileSync(records, bytes);
	const manifest = join(path, "backup.json");
	const text = readFileSync(manifest, "utf8");
	writeFileSync(manifest, text.replace('"version": 1', '"version": 2'));
	await assert.rejects(database.restore(path, { overwrite: true }), { code: "NEWER_VERSION" });
	writeFileSync(manifest, text.slice(0, -20));
	await assert.rejects(database.restore(path, { overwrite: true }), { code: "CORRUPT_RECORDS" });
	writeFileSync(manifest, text);
	await checkUnchanged();
	await database.close();
	const spoilt = new DatabaseSync(join(folder, "data", "records.sqlite"));
	spoilt.exec("DELETE FROM vectors_2 WHERE label = 3");
	spoilt.close();
	const again = await open("data");
	await again.backup(join(folder, "of damaged"));
	const other = await open("other");
	await assert.rejects(other.restore(join(folder, "of damaged")), { code: "CORRUPT_RECORDS", message: /no vector: 1/ });
	assert.deepEqual(await other.collections(), []);
});

test("a signal ends a backup, a restore and a verify, and nothing is left of them", async (t) => {
	const { folder, database, path, checkUnchanged } = await conflict(t);
	const aborted = { signal: AbortSignal.abort() };
	await assert.rejects(database.backup(join(folder, "aborted"), aborted), { code: "ABORTED" });
	await assert.rejects(database.restore(path, { overwrite: true, ...aborted }), { code: "ABORTED" });
	await assert.rejects(database.verify(aborted), { code: "ABORTED" });
	for (const run of [
		(options: object) => database.backup(join(folder, "aborted"), options),
		(options: object) => database.restore(path, { overwrite: true, ...options }),
	]) {
		const controller = new AbortController();
		const onProgress = () => controller.abort();
		await assert.rejects(run({ signal: controller.signal, onProgress }), { code: "ABORTED" });
	}
	await checkUnchanged();
	assert.deepEqual(readdirSync(folder).sort(), ["backup", "data"]);
});

test("progress ends with all that was to do", async (t) => {
	const { folder, database, path } = await conflict(t);
	for (const run of [
		(options: object) => database.backup(join(folder, "more"), options),
		(options: object) => database.restore(path, { overwrite: true, ...options }),
		(options: object) => database.verify(options),
	]) {
		const steps: [number, number][] = [];
		await run({ onProgress: (done: number, total: number) => steps.push([done, total]) });
		const [done, total] = steps.at(-1) as [number, number];
		assert.ok(done === total && total > 0, `${done} of ${total}`);
		assert.ok(steps.every(([at], i) => i === 0 || at >= (steps[i - 1] as [number, number])[0]));
	}
});
