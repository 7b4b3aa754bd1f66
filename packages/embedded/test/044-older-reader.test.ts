// A reader that stands before deletes whose tombstones the writer has given up since: it loads what there is instead of catching up.
import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { cpSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import type { Collection, CollectionSpec } from "@nigh/contract";
import { openShared } from "@nigh/embedded";
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

const KINDS: Readonly<Record<string, CollectionSpec>> = {
	flat: { dimensions: DIMENSIONS, metric: "l2", index: { kind: "flat" } },
	hnsw: { dimensions: DIMENSIONS, metric: "l2", index: { kind: "hnsw", M: 8, efConstruction: 40 } },
};
const RECORDS = 400;

/** A writer, and one that only reads, of the same records. */
async function beside(t: TestContext, spec: CollectionSpec) {
	const place = testPlace(t);
	const { open } = place;
	const written = await (await open("data")).collection("a", spec);
	const model: Model = new Map();
	const write = async (from: number, to: number, version = 0) => {
		await written.upsert(points(from, to, version));
		put(model, points(from, to, version));
	};
	const remove = async (from: number, to: number) => {
		await written.delete(points(from, to).map(({ id }) => id));
		for (const { id } of points(from, to)) model.delete(id);
	};
	await write(0, RECORDS);
	await written.optimize();
	const reading = await open("data", { readOnly: true });
	return { place, written, reading, read: await reading.collection("a"), model, write, remove };
}

/** That what is there is found, once, and nothing else. */
async function checkAll(collection: Collection, model: Model): Promise<void> {
	await checkRecords(collection, model);
	await checkAnswers(collection, model, { exact: true });
	await checkAnswers(collection, model);
	for (const exact of [true, false]) {
		const { hits } = await collection.search({ vector: points(0, 1)[0]?.vector as Float32Array, k: 1_000, exact });
		assert.deepEqual(hits.map(({ id }) => id).sort(), [...model.keys()].sort());
	}
}

for (const [kind, spec] of Object.entries(KINDS)) {
	test(`${kind}: what was deleted or replaced before an optimize stays gone for a reader from before`, async (t) => {
		const { written, reading, read, model, write, remove } = await beside(t, spec);
		const before: Model = new Map(model);
		await write(3, 4, 1);
		await remove(7, 9);
		await written.optimize();
		await checkAnswers(read, before);
		assert.equal((await read.refresh()).changed, true);
		await checkAll(read, model);
		assert.deepEqual((await reading.verify()).problems, []);
		assert.equal((await read.refresh()).changed, false);
	});

	test(`${kind}: a reader that has slept through three optimizes with deletes wakes up in the newest state`, async (t) => {
		const { written, reading, read, model, write, remove } = await beside(t, spec);
		for (let round = 0; round < 3; round++) {
			await remove(round * 20, round * 20 + 10);
			await write(100 + round * 10, 130 + round * 10, round + 1);
			await write(RECORDS + round * 10, RECORDS + round * 10 + 10);
			await written.optimize();
		}
		// And changes after the last.
		await remove(300, 305);
		await write(310, 312, 9);
		const { changeNumber } = await read.refresh();
		assert.equal(changeNumber, (await written.stats()).changeNumber);
		await checkAll(read, model);
		assert.deepEqual((await reading.verify()).problems, []);
		// From here on it catches up as ever.
		await remove(320, 330);
		await write(0, 5, 4);
		await read.refresh();
		await checkAll(read, model);
		await written.optimize();
		await read.refresh();
		await checkAll(read, model);
	});
}

test("a thread that shares the memory of such a reader sees what the reader sees", async (t) => {
	const { written, reading, read, model, remove } = await beside(t, KINDS.hnsw as CollectionSpec);
	const shared = await openShared(await reading.share());
	t.after(() => shared.close());
	const notes = await shared.collection("a");
	await remove(0, 50);
	await written.optimize();
	await read.refresh();
	await checkAnswers(read, model);
	await notes.refresh();
	await checkAnswers(notes, model);
	assert.deepEqual(await shared.health(), {
		status: "ok",
		reasons: [],
		collections: { a: { status: "ok", reasons: [] } },
	});
});

test("a refresh that fails in the middle leaves what was seen before, and the next one makes up for it", async (t) => {
	const { place, read, model, write } = await beside(t, KINDS.flat as CollectionSpec);
	const before: Model = new Map(model);
	// More than are read at a time, so that some have been taken in before one that cannot be read.
	const end = RECORDS + 2_100;
	await write(RECORDS, end);
	const db = new DatabaseSync(join(place.folder, "data", "records.sqlite"));
	t.after(() => db.close());
	const set = db.prepare("UPDATE vectors_1 SET vector = ? WHERE label = ?");
	set.run(new Uint8Array(1), end - 1);
	await assert.rejects(read.refresh(), { code: "CORRUPT_RECORDS" });
	await checkAnswers(read, before, { exact: true });
	set.run(new Uint8Array((model.get(`p${end - 1}`) as Float32Array).buffer), end - 1);
	await read.refresh();
	await checkRecords(read, model);
	const { hits } = await read.search({ vector: vectorOf(0), k: 10_000, exact: true });
	assert.deepEqual(hits.map(({ id }) => id).sort(), [...model.keys()].sort());
});

test("a snapshot from before the tombstones were given up is not read when it comes back", async (t) => {
	const { place, written, model, remove } = await beside(t, KINDS.hnsw as CollectionSpec);
	const snapshots = join(place.folder, "data", "snapshots");
	cpSync(snapshots, join(place.folder, "kept"), { recursive: true });
	await remove(0, 50);
	await written.optimize();
	const newest = readdirSync(snapshots);
	assert.equal(newest.length, 1);
	cpSync(join(place.folder, "kept"), snapshots, { recursive: true });
	for (const options of [{ readOnly: true }, {}]) {
		const copy = options.readOnly ? "read" : "written";
		cpSync(join(place.folder, "data"), join(place.folder, copy), { recursive: true });
		rmSync(join(place.folder, copy, "snapshots", newest[0] as string));
		const database = await place.open(copy, options);
		await checkAll(await database.collection("a"), model);
		assert.deepEqual((await database.verify()).problems, []);
	}
});

test("a reader in another process, through three optimizes", async (t) => {
	const { place, written, model, write, remove } = await beside(t, KINDS.hnsw as CollectionSpec);
	const child = fork(new URL("./older-reader.test-support.ts", import.meta.url), [join(place.folder, "data")], {
		execArgv: ["--conditions=@nigh/source"],
	});
	t.after(() => child.kill("SIGKILL"));
	await once(child, "message");
	for (let round = 0; round < 3; round++) {
		await remove(round * 20, round * 20 + 10);
		await write(100 + round * 10, 110 + round * 10, round + 1);
		await written.optimize();
	}
	child.send("refresh");
	const [answer] = (await once(child, "message")) as [{ count: number; ids: string[] }];
	assert.equal(answer.count, model.size);
	assert.deepEqual(answer.ids.sort(), [...model.keys()].sort());
	await once(child, "exit");
});
