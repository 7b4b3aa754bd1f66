// What is deleted gives its space on disk back.
import assert from "node:assert/strict";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { points, testPlace } from "./points.test-support.ts";

const COUNT = 3_000;

/** Bytes of all files, the folders in it included. */
function bytesOf(folder: string): number {
	return readdirSync(folder, { recursive: true, encoding: "utf8" })
		.map((name) => statSync(join(folder, name)))
		.reduce((sum, entry) => sum + (entry.isFile() ? entry.size : 0), 0);
}

test("optimize gives the space of what was deleted back and says how much, dropping gives back the rest", async (t) => {
	const place = testPlace(t);
	const database = await place.open("data");
	const folder = join(place.folder, "data");
	const empty = bytesOf(folder);
	const notes = await database.collection("notes", { metric: "l2", index: { kind: "hnsw" } });
	const words = (i: number) => `${i} ${"a text of some words that stays for a while ".repeat(4)}`;
	await notes.upsert(points(0, COUNT).map((record, i) => ({ ...record, text: words(i) })));
	const loaded = await notes.optimize();
	assert.deepEqual(loaded.bytes?.after, bytesOf(folder));
	await notes.delete(points(0, COUNT / 2).map(({ id }) => id));
	const { bytes, removed } = await notes.optimize();
	assert.ok(bytes !== null);
	assert.equal(removed, COUNT / 2);
	assert.equal(bytes.after, bytesOf(folder));
	assert.equal(bytes.after, (await notes.stats()).diskBytes);
	assert.ok(bytes.before >= (loaded.bytes?.after ?? 0), `${bytes.before} before`);
	const full = (loaded.bytes?.after ?? 0) - empty;
	assert.ok(bytes.after - empty < full * 0.65, `${bytes.after - empty} of ${full} bytes are left for half the records`);
	await database.drop("notes");
	assert.ok(bytesOf(folder) - empty < full * 0.1, `${bytesOf(folder) - empty} of ${full} bytes are left for none`);
});
