// What is known of the recall outlives the process, and never says more than is known: closed and opened, killed, damaged, read by others, dropped
// and restored.
import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { CollectionSpec } from "@nigh/contract";
import { openShared } from "@nigh/embedded";
import { readingProcess } from "./reading-process.test-support.ts";
import {
	assertKept,
	clustered,
	Examined,
	listen,
	measured,
	states,
	untilTold,
	type Vector,
} from "./recall.test-support.ts";

const TARGET = 0.95;
const SPEC: CollectionSpec = { dimensions: 32, metric: "l2", recall: TARGET, index: { kind: "hnsw" } };

/** A small one, to be closed and opened again. */
function small(t: TestContext, seed: number, spec = SPEC): Promise<Examined> {
	return Examined.filled(t, { spec, source: clustered(seed), records: 4_000 });
}

const TRUTHFUL = new Set(["exact", "provisional", "certified"]);

test("certificates and queries are there at the first search after opening, before anything is found out anew", async (t) => {
	const examined = await small(t, 31);
	await examined.certified();
	const [before] = await examined.search(1);
	const [cellBefore] = await examined.cells(10);
	await examined.database.close();
	const told = listen(t);
	await examined.open();
	const [first] = await examined.search(1);
	assert.equal(first?.recall.state, "certified");
	assert.deepEqual(first.recall.cell, before?.recall.cell);
	assert.ok((first.recall.certifiedAt as number) >= (before?.recall.certifiedAt as number));
	assert.equal(first.plan.strategy, "index");
	const [cell] = await examined.cells(10);
	assert.ok((cell?.queries as number) >= Math.min(200, cellBefore?.queries as number));
	assert.deepEqual(told.certified, [], "nothing has been certified since");
	const later = await examined.check(400);
	assert.deepEqual(states(later), { certified: 400 });
	assertKept(measured(later), TARGET, "after opening");
	// What was measured goes on: it is not begun anew.
	const { statements } = await examined.collection.certify({ k: 10 });
	assert.ok((statements[0]?.queries as number) >= (before?.recall.queries as number));
});

test("a process that is killed while it certifies leaves a database that opens and says no more than it knows", async (t) => {
	const examined = await small(t, 32);
	const folder = join(examined.place.folder, "data");
	const seed = 1 + Math.floor(Math.random() * 1_000);
	for (const [round, ms] of [0, 700, 2_300].entries()) {
		await examined.database.close();
		const script = fileURLToPath(new URL("./search-until-killed.test-support.ts", import.meta.url));
		const child = fork(script, [folder, "32", `${seed + round}`], { execArgv: ["--conditions=@nigh/source"] });
		const ended = once(child, "exit");
		t.after(() => child.kill("SIGKILL"));
		const [first] = await Promise.race([once(child, "message"), ended]);
		assert.equal(first, "certified", `seed ${seed}, round ${round}`);
		// Around the moment at which what has been found out is written down.
		await new Promise((resolve) => setTimeout(resolve, ms));
		child.kill("SIGKILL");
		await ended;
		await examined.open();
		const found = await examined.check(200);
		for (const { recall } of found)
			assert.ok(TRUTHFUL.has(recall.state), `${recall.state}, seed ${seed}, round ${round}`);
		assertKept(measured(found), TARGET, `seed ${seed}, round ${round}`);
		assert.deepEqual((await examined.database.verify()).problems, []);
	}
	assert.equal((await examined.search(1))[0]?.recall.state, "certified");
});

test("a file that is damaged costs the certificate and nothing else", async (t) => {
	const examined = await small(t, 33);
	await examined.certified();
	await examined.database.close();
	const [file] = examined.recallFiles as [string];
	const sound = readFileSync(file);
	const bytesOfTable = sound.readUInt32LE(8);
	const flipped = (at: number) => {
		const bytes = Buffer.from(sound);
		bytes[at] = (bytes[at] as number) ^ 1;
		return () => writeFileSync(file, bytes);
	};
	const damages: [what: string, damage: () => void, isServed: boolean][] = [
		["the magic", flipped(0), false],
		["the length of the table", flipped(8), false],
		["the table", flipped(24 + 10), false],
		["an empty file", () => truncateSync(file, 0), false],
		["a file that ends in the table", () => writeFileSync(file, sound.subarray(0, 40)), false],
		["something else", () => writeFileSync(file, "no recall"), false],
		["the state", flipped(24 + bytesOfTable + 10), true],
		["a vector", flipped(sound.length - 5), true],
		["a file that ends among the vectors", () => writeFileSync(file, sound.subarray(0, sound.length - 100)), true],
	];
	for (const [what, damage, isServed] of damages) {
		damage();
		await examined.open();
		const found = await examined.check(20);
		// The table is whole: it says what was certified, and that holds.
		const expected = isServed ? { certified: 20 } : { exact: 20 };
		assert.deepEqual(states(found), expected, what);
		assert.deepEqual((await examined.collection.health()).reasons, [], what);
		assert.equal((await examined.database.verify()).ok, true, what);
		await examined.database.close();
	}
	flipped(24 + 10)();
	await examined.open();
	await examined.certified();
	await examined.reopen();
	assert.deepEqual(states(await examined.search(20)), { certified: 20 });
});

/** How many of the vectors are to be found in the bytes of all files of a folder. */
function onDisk(folder: string, vectors: readonly Vector[]): number {
	const files = readdirSync(folder, { recursive: true, encoding: "utf8" })
		.map((name) => join(folder, name))
		.filter((path) => statSync(path).isFile())
		.map((path) => readFileSync(path));
	return vectors.filter((vector) => {
		const bytes = Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength);
		return files.some((file) => file.includes(bytes));
	}).length;
}

for (const logQueries of [true, false]) {
	test(`with logQueries ${logQueries} queries are ${logQueries ? "kept on disk" : "not, and searches are certified all the same"}`, async (t) => {
		const examined = await small(t, 34, { ...SPEC, logQueries });
		const asked: Vector[] = [];
		const { source } = examined;
		examined.source = () => {
			const vector = source();
			asked.push(vector);
			return vector;
		};
		await examined.certified();
		const later = await examined.check(300);
		assert.deepEqual(states(later), { certified: 300 });
		assertKept(measured(later), TARGET, `logQueries ${logQueries}`);
		await examined.database.close();
		assert.equal(examined.recallFiles.length, 1);
		const found = onDisk(examined.place.folder, asked);
		if (logQueries) assert.ok(found > 500, `${found} of ${asked.length} queries`);
		else assert.equal(found, 0);
		await examined.open();
		assert.deepEqual(states(await examined.search(20)), { certified: 20 });
		// From now on none may be kept, and those that were are gone.
		await examined.database.collection("notes", { ...SPEC, logQueries: false });
		await examined.search(5);
		await examined.collection.certify({ maxMs: 1 });
		await examined.database.close();
		assert.equal(onDisk(examined.place.folder, asked), 0);
	});
}

test("another process that only reads, and threads that share the database, are served by the certificate", async (t) => {
	const examined = await small(t, 35);
	const shared = await openShared(await examined.database.share());
	const seen = await shared.collection("notes");
	const state = async () => (await seen.search({ vector: examined.source() })).recall.state;
	assert.ok(["exact", "provisional"].includes(await state()));
	await examined.certified();
	await untilTold(async () => (await state()) === "certified", "the thread that shares hears of the certificate");
	const late = await openShared(await examined.database.share());
	const there = await (await late.collection("notes")).search({ vector: examined.source() });
	assert.deepEqual([there.recall.state, there.plan.strategy], ["certified", "index"]);
	await shared.close();
	await late.close();
	await examined.reopen();

	const reader = await readingProcess(join(examined.place.folder, "data"), "notes");
	t.after(() => reader.end());
	const [file] = examined.recallFiles as [string];
	const before = readFileSync(file);
	for (let i = 0; i < 300; i++) {
		const vector = examined.source();
		const { recall, plan } = await reader.search({ vector: [...vector] as never, k: 10 });
		assert.deepEqual([recall.state, recall.basis, plan.strategy], ["certified", "queries", "index"]);
	}
	await reader.end();
	assert.deepEqual(readFileSync(file), before, "who only reads writes nothing");
});

test("what was known of a collection that is dropped is gone, and is nothing to one of the same name", async (t) => {
	const examined = await small(t, 36);
	await examined.certified();
	await examined.reopen();
	assert.equal(examined.recallFiles.length, 1);
	await examined.search(100);
	assert.equal(await examined.database.drop("notes"), true);
	assert.deepEqual(examined.recallFiles, []);
	examined.oracle.rows.clear();
	examined.collection = await examined.database.collection("notes", SPEC);
	await examined.insert(4_000);
	await examined.collection.optimize();
	for (const { recall } of await examined.check(20)) assert.ok(["exact", "provisional"].includes(recall.state));
	await examined.database.close();
});

test("a backup carries no certificate to where it does not hold", async (t) => {
	const examined = await small(t, 37);
	await examined.certified();
	const backup = join(examined.place.folder, "backup");
	await examined.database.backup(backup);
	const other = await examined.place.open("other");
	await other.restore(backup);
	const restored = await other.collection("notes");
	for (let i = 0; i < 20; i++) {
		const vector = examined.source();
		const { recall, hits } = await restored.search({ vector });
		assert.equal(recall.state, "exact");
		assert.equal(examined.oracle.recallOf(vector, 10, hits), 1);
	}
	// Where it came from, the collection has become another one by now.
	const rows = new Map(examined.oracle.rows);
	await examined.delete([...rows.keys()].slice(0, 1_500));
	await examined.insert(1_500, clustered(38));
	await examined.collection.rebuild();
	await examined.certified();
	await examined.database.restore(backup, { overwrite: true });
	assert.deepEqual(examined.recallFiles, [], "what was known of the one before is gone, and its queries with it");
	examined.oracle.rows.clear();
	for (const [id, row] of rows) examined.oracle.rows.set(id, row);
	examined.collection = await examined.database.collection("notes");
	const found = await examined.check(300);
	for (const { recall } of found) assert.ok(TRUTHFUL.has(recall.state), recall.state);
	assertKept(measured(found), TARGET, "after a restore in place");
	assert.notEqual(found[0]?.recall.state, "certified");
});

test("a collection that is converted to flat has nothing to tune, also when it is opened again, and none of its queries have to stay", async (t) => {
	const examined = await small(t, 39, { ...SPEC, latencyMs: 100 });
	const queries = Array.from({ length: 600 }, () => examined.source());
	const { statements } = await examined.collection.certify({ queries });
	assert.equal(statements[0]?.state, "certified");
	await examined.collection.convert({ kind: "flat" });
	const check = async () => {
		const { tune } = examined.collection;
		assert.deepEqual(await tune(), { changed: 0, before: null, after: null, tooSlow: [] });
		await tune.reset();
		assert.deepEqual((await tune.stats()).cells, []);
		assert.deepEqual((await examined.collection.health()).reasons, []);
		assert.deepEqual(states(await examined.check(10)), { exact: 10 });
	};
	await check();
	await examined.database.close();
	examined.database = await examined.place.open("data");
	examined.collection = await examined.database.collection("notes");
	await check();
	assert.ok(onDisk(examined.place.folder, queries) > 500);
	await examined.database.collection("notes", { logQueries: false });
	await examined.database.close();
	assert.equal(onDisk(examined.place.folder, queries), 0);
});
