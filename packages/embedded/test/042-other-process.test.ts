// A process that only reads, beside one that replaces the same records without a pause: each answer is there, and of one state.
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { Collection, SearchRequest } from "@nigh/contract";
import { openFolder } from "@nigh/embedded";
import { replacingWriter } from "./replacing-writer.test-support.ts";
import { vectorFor } from "./torture/records.ts";

/** Records that {@link replacingWriter} replaces, all of them at once. */
const RECORDS = 200;

function folderFor(t: TestContext): string {
	const folder = mkdtempSync(join(tmpdir(), "nigh-other-process-"));
	t.after(() => rmSync(folder, { recursive: true, force: true }));
	return folder;
}

/** Searches for everything there is; returns the version that all of it is of. */
async function versionIn(collection: Collection, request: Omit<SearchRequest, "vector">): Promise<number> {
	const query = vectorFor("query", 1);
	const include = { metadata: true, vector: true };
	const { hits } = await collection.search({ vector: query, k: 1_000, include, ...request });
	assert.equal(new Set(hits.map(({ id }) => id)).size, RECORDS, "every id");
	assert.equal(hits.length, RECORDS, "no id twice");
	const version = hits[0]?.metadata?.version as number;
	for (const { id, metadata, vector, distance } of hits) {
		assert.equal(metadata?.version, version, "one state");
		assert.deepEqual(vector, vectorFor(id, version));
		const exact = Math.hypot(...vectorFor(id, version).map((value, i) => value - (query[i] as number)));
		assert.ok(Math.abs(distance - exact) < 1e-5, "the distance of that version");
	}
	return version;
}

test("beside a process that replaces everything again and again, every search with metadata, filter or text is answered", async (t) => {
	const folder = folderFor(t);
	const writer = await replacingWriter(t, folder);
	const database = await openFolder(folder, { readOnly: true, threads: 1 });
	const collection = await database.collection("replaced");
	const requests: Omit<SearchRequest, "vector">[] = [
		{ exact: true },
		{ filter: { version: { $gte: 1 } } },
		{ text: "record" },
		{ text: "record", filter: { version: { $gte: 1 } } },
	];
	let last = 0;
	for (let round = 0; round < 12; round++) {
		for (const request of requests) {
			const version = await versionIn(collection, request);
			assert.ok(version >= last, `version ${version} after ${last}`);
			last = version;
		}
	}
	assert.ok(last > 1, "nothing was replaced meanwhile");
	// At the same time, they take their turns.
	await Promise.all(requests.map((request) => versionIn(collection, request)));
	await database.close();
	writer.send("stop");
	await once(writer, "exit");
});

test("a reader whose tombstones have been given up meanwhile is told by them of no delete, and loads the records anew", async (t) => {
	const folder = folderFor(t);
	const writer = await openFolder(folder, { threads: 1 });
	const written = await writer.collection("notes", { dimensions: 2, metric: "l2", index: { kind: "hnsw" } });
	const records = (count: number, version: number) =>
		Array.from({ length: count }, (_, i) => ({ id: `r${i}`, vector: [i, version], metadata: { version } }));
	await written.upsert(records(40, 1));
	const reader = await openFolder(folder, { readOnly: true, threads: 1 });
	const notes = await reader.collection("notes");
	const request = { vector: [0, 0], k: 100, exact: true, include: { metadata: false } };
	assert.equal((await notes.search(request)).hits.length, 40);
	await written.upsert(records(40, 2));
	await written.delete(["r1", "r2"]);
	await written.optimize();
	await written.upsert(records(1, 3));
	await written.optimize();
	assert.equal((await notes.search({ ...request, include: {} })).hits.length, 38, "brought to the newest state");
	const refreshed = await notes.refresh();
	const { hits, changeNumber } = await notes.search(request);
	assert.equal(changeNumber, refreshed.changeNumber);
	const expected = await written.search(request);
	assert.deepEqual(hits, expected.hits);
	await written.delete(["r3"]);
	await notes.refresh();
	assert.equal((await notes.search(request)).hits.length, 37);
	await reader.close();
	await writer.close();
});

test("a reader that has loaded what was converted meanwhile takes the widths of the index that serves there", async (t) => {
	const folder = folderFor(t);
	const writer = await openFolder(folder, { threads: 1 });
	const written = await writer.collection("notes", {
		dimensions: 2,
		metric: "l2",
		index: { kind: "hnsw", M: 4, efConstruction: 8 },
	});
	const records = Array.from({ length: 1_200 }, (_, i) => ({ id: `r${i}`, vector: [Math.sin(i), Math.cos(3 * i)] }));
	await written.upsert(records);
	await written.optimize();
	const reader = await openFolder(folder, { readOnly: true, threads: 1 });
	const read = await reader.collection("notes");
	const vector = [0.5, 0.5];
	await read.search({ vector, ef: 40 });
	await assert.rejects(read.search({ vector, nprobe: 2 }), { code: "INVALID_OPTION" });
	await written.convert({ kind: "ivf", nlist: 10 });
	// Beyond what has been given up, the reader begins anew.
	await written.delete("r7");
	await written.optimize();
	await read.refresh();
	await read.search({ vector, nprobe: 2 });
	await assert.rejects(read.search({ vector, ef: 40 }), { code: "INVALID_OPTION" });
	assert.equal((await read.stats()).effective.index.parameters.asked, "ivf");
	await reader.close();
	await writer.close();
});
