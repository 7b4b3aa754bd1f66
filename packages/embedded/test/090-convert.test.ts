// What is converted or rebuilt stays so, and so does what was not named.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { type Collection, type CollectionSpec, type Database, isNighError } from "@nigh/contract";
import { openFolder } from "@nigh/embedded";

const RECORDS = Array.from({ length: 400 }, (_, i) => ({
	id: `r${i}`,
	vector: [Math.cos(i), Math.sin(i), i % 7, 1],
}));

/** A collection in a folder that can be opened again and again, each time with the spec of its creation. */
function place(t: TestContext, spec: CollectionSpec) {
	const folder = mkdtempSync(join(tmpdir(), "nigh-convert-"));
	let database: Database | undefined;
	t.after(async () => {
		await database?.close();
		rmSync(folder, { recursive: true });
	});
	const open = async (): Promise<Collection> => {
		await database?.close();
		database = await openFolder(folder, { threads: 1 });
		return database.collection("notes", spec);
	};
	return Object.assign(open, { folder });
}

/** What was asked for, and what there is. */
async function indexOf(notes: Collection) {
	const { kind, parameters } = (await notes.stats()).effective.index;
	const { asked, M, efConstruction } = parameters;
	return { kind, asked, M, efConstruction };
}

test("a converted collection is what it was converted to when it is opened again, with the spec of its creation", async (t) => {
	const open = place(t, { dimensions: 4, index: { kind: "hnsw" } });
	let notes = await open();
	await notes.upsert(RECORDS);
	await notes.optimize();
	assert.equal((await indexOf(notes)).kind, "hnsw");
	await notes.convert({ kind: "flat" });

	notes = await open();
	assert.equal((await indexOf(notes)).kind, "flat");
	assert.equal((await notes.search({ vector: [1, 0, 0, 1] })).recall.state, "exact");
	await notes.convert({ kind: "hnsw", M: 8 });

	notes = await open();
	assert.deepEqual(await indexOf(notes), { kind: "hnsw", asked: "hnsw", M: 8, efConstruction: 64 });
});

test("of conversions that are asked for at the same time the last is what serves, and what the spec says", async (t) => {
	const open = place(t, { dimensions: 4, index: { kind: "flat" } });
	const notes = await open();
	await notes.upsert(RECORDS);
	for (let round = 0; round < 4; round++) {
		const ended = new AbortController();
		const [graph, aborted, flat] = await Promise.allSettled([
			notes.convert({ kind: "hnsw", M: 8 }),
			notes.convert({ kind: "hnsw", M: 4 }, { signal: ended.signal }),
			notes.convert({ kind: "flat" }),
			ended.abort(),
		]);
		assert.ok(aborted.status === "rejected" && isNighError(aborted.reason, "ABORTED"), "one that waits can be ended");
		assert.deepEqual(
			[graph, flat].map((each) => each.status === "fulfilled" && each.value.index),
			["hnsw", "flat"],
		);
		assert.deepEqual([(await indexOf(notes)).kind, (await notes.stats()).index.kind], ["flat", "flat"]);
		const [again, rebuilt] = await Promise.all([notes.convert({ kind: "hnsw", M: 8 }), notes.rebuild({ M: 7 })]);
		assert.deepEqual([again.index, rebuilt.index], ["hnsw", "hnsw"]);
		assert.equal((await indexOf(notes)).M, 7);
	}
});

test("rebuild leaves what is not named as it is, also when the collection is opened again", async (t) => {
	const open = place(t, { dimensions: 4, index: { kind: "hnsw", M: 6, efConstruction: 40 } });
	let notes = await open();
	await notes.upsert(RECORDS);
	await notes.optimize();
	await notes.rebuild({ efConstruction: 12 });
	const narrow = { kind: "hnsw", asked: "hnsw", M: 6, efConstruction: 12 };
	assert.deepEqual(await indexOf(notes), narrow);
	notes = await open();
	assert.deepEqual(await indexOf(notes), narrow);
	await notes.rebuild({ M: 5 });
	assert.deepEqual(await indexOf(notes), { ...narrow, M: 5 });
	// Without any record written in between.
	notes = await open();
	assert.deepEqual(await indexOf(notes), { ...narrow, M: 5 });
	await notes.rebuild();
	assert.deepEqual(await indexOf(notes), { ...narrow, M: 5 });
	await assert.rejects(notes.rebuild({ M: 7 }), { code: "INVALID_OPTION" });
	assert.deepEqual(await indexOf(notes), { ...narrow, M: 5 });
});

test("rebuild keeps a flat collection flat, and refuses it parameters of a graph with a word about convert", async (t) => {
	const open = place(t, { dimensions: 4, index: { kind: "flat" } });
	const notes = await open();
	await notes.upsert(RECORDS);
	for (const options of [{ M: 8 }, { efConstruction: 80 }]) {
		await assert.rejects(notes.rebuild(options), (error) => {
			assert.ok(isNighError(error, "INVALID_OPTION"));
			assert.equal(error.details.field, Object.keys(options)[0]);
			assert.match(error.message, /convert/);
			return true;
		});
	}
	assert.equal((await notes.rebuild()).index, "flat");
	assert.equal((await indexOf(notes)).kind, "flat");
});

test("what is asked of a collection without vectors is what it has when they come", async (t) => {
	const open = place(t, { index: { kind: "auto" } });
	let notes = await open();
	assert.equal((await notes.convert({ kind: "hnsw", M: 8 })).index, "hnsw");
	await notes.rebuild({ efConstruction: 33 });
	const asked = { kind: "hnsw", asked: "hnsw", M: 8, efConstruction: 33 };
	assert.deepEqual(await indexOf(notes), asked);
	await notes.upsert(RECORDS);
	await notes.optimize();
	assert.deepEqual(await indexOf(notes), asked);
	assert.equal((await notes.analyze()).index, "hnsw");
	notes = await open();
	assert.deepEqual(await indexOf(notes), asked);
});

test("a conversion beside the first write is not lost, and neither are the dimensions", async (t) => {
	const open = place(t, {});
	let notes = await open();
	await Promise.all([notes.upsert(RECORDS), notes.convert({ kind: "hnsw", M: 9 }), notes.upsert(RECORDS.slice(0, 9))]);
	await notes.optimize();
	assert.equal((await indexOf(notes)).M, 9);
	notes = await open();
	const { effective } = await notes.stats();
	assert.deepEqual([effective.dimensions, effective.index.kind, effective.index.parameters.M], [4, "hnsw", 9]);
});

test("what serves stays, though the snapshot of it could not be written", async (t) => {
	const open = place(t, { dimensions: 4, index: { kind: "hnsw", M: 6 } });
	let notes = await open();
	await notes.upsert(RECORDS);
	await notes.optimize();
	rmSync(join(open.folder, "snapshots"), { recursive: true });
	await assert.rejects(notes.convert({ kind: "hnsw", M: 11 }), { code: "NOT_FOUND" });
	assert.equal((await indexOf(notes)).M, 11);
	notes = await open();
	await notes.optimize();
	assert.equal((await indexOf(notes)).M, 11);
});

test("auto keeps choosing by size, with the parameters that were asked for", async (t) => {
	const open = place(t, { dimensions: 4 });
	const notes = await open();
	await notes.upsert(RECORDS);
	await notes.rebuild({ M: 7 });
	assert.deepEqual(await indexOf(notes), { kind: "flat", asked: "auto", M: 7, efConstruction: undefined });
	await notes.upsert(
		Array.from({ length: 4_000 }, (_, i) => ({ id: `s${i}`, vector: [Math.cos(i), i % 11, i % 13, i % 17] })),
	);
	await notes.optimize();
	assert.deepEqual(await indexOf(notes), { kind: "hnsw", asked: "auto", M: 7, efConstruction: 64 });
});
