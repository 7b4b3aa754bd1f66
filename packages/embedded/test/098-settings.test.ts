// Every setting that is accepted is in force, and can be read back.
import assert from "node:assert/strict";
import { test } from "node:test";
import { openFolder, openShared } from "@nigh/embedded";
import { DIMENSIONS, points, testPlace, vectorOf } from "./points.test-support.ts";

test("a reader has what may change as it asks for it; what is stored stays", async (t) => {
	const place = testPlace(t);
	const writing = await place.open("data");
	const spec = { dimensions: DIMENSIONS, metric: "l2", recall: 0.9, filterable: ["kind"] } as const;
	const notes = await writing.collection("notes", spec);
	await notes.upsert(points(0, 20));
	const others = { ...spec, recall: 0.99, maxRecords: 21, warnAt: 0.5, filterable: ["n"] };
	const readers = {
		"another process": await place.open("data", { readOnly: true }),
		"another thread": await openShared(structuredClone(await writing.share())),
	};
	t.after(() => readers["another thread"].close());
	for (const [who, database] of Object.entries(readers)) {
		const found = await database.collection("notes", others);
		const { effective, fill } = await found.stats();
		assert.deepEqual([effective.recall, effective.maxRecords], [0.99, 21], who);
		assert.deepEqual(effective.filterable, ["kind"], `${who} cannot make an index`);
		assert.deepEqual(fill, { share: 20 / 21, nearLimit: true }, who);
		assert.equal((await found.search({ vector: vectorOf(1) })).recall.target, 0.99, who);
		const again = await database.collection("notes");
		assert.equal((await again.search({ vector: vectorOf(1) })).recall.target, 0.99, `${who}, without a word`);
	}
	assert.equal((await notes.search({ vector: vectorOf(1) })).recall.target, 0.9);
	const { effective } = await (await writing.collection("notes")).stats();
	assert.deepEqual([effective.recall, effective.maxRecords > 21], [0.9, true]);
});

test("what the database was opened with can be read back", async (t) => {
	const place = testPlace(t);
	const options = { durability: "normal", threads: 2, pruneEveryMs: 500 } as const;
	const writing = await place.open("data", options);
	const notes = await writing.collection("notes", { dimensions: DIMENSIONS });
	const told = async (collection: typeof notes) => (await collection.stats()).effective.database;
	assert.deepEqual(await told(notes), { readOnly: false, ...options });
	const reading = await place.open("data", { readOnly: true, threads: 1 });
	assert.deepEqual(await told(await reading.collection("notes")), { readOnly: true, threads: 1 });
	const shared = await openShared(structuredClone(await writing.share()));
	t.after(() => shared.close());
	assert.deepEqual(await told(await shared.collection("notes")), { readOnly: true });
	const memory = await openFolder(":memory:", { threads: 1, pruneEveryMs: 0 });
	t.after(() => memory.close());
	assert.deepEqual(await told(await memory.collection("notes", {})), {
		readOnly: false,
		durability: "off",
		threads: 1,
		pruneEveryMs: 0,
	});
});

test("the age of a snapshot is told from when it was written here, not from opening", async (t) => {
	const place = testPlace(t);
	const first = await place.open("data");
	const notes = await first.collection("notes", { metric: "l2", index: { kind: "hnsw" } });
	await notes.upsert(points(0, 300));
	assert.equal((await notes.stats()).ages.snapshot, null);
	await notes.optimize();
	assert.ok(((await notes.stats()).ages.snapshot ?? -1) >= 0);
	await first.close();
	const again = await (await place.open("data")).collection("notes");
	assert.equal((await again.stats()).effective.index.kind, "hnsw");
	assert.equal((await again.stats()).ages.snapshot, null, "none has been written since opening");
});
