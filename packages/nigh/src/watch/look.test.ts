import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Database } from "@nigh/contract";
import { open } from "../open.ts";
import { temporaryFolder } from "../temporary-folder.test-support.ts";
import { Watcher } from "./look.ts";

/** A database with a writer and a reader, and a watcher of the reader whose clock is set by hand. */
async function watched(t: TestContext): Promise<{ writer: Database; watcher: Watcher; clock: { now: number } }> {
	const folder = temporaryFolder(t);
	const writer = await open(folder);
	t.after(() => writer.close());
	const reader = await open(folder, { readOnly: true, threads: 1 });
	t.after(() => reader.close());
	const clock = { now: 1_000 };
	return { writer, watcher: new Watcher(reader, () => clock.now), clock };
}

function records(from: number, to: number) {
	return Array.from({ length: to - from }, (_, at) => ({ id: `r${from + at}`, vector: [from + at, 1] }));
}

test("a look tells what the writer has published, and the next one what has come in a second since", async (t) => {
	const { writer, watcher, clock } = await watched(t);
	assert.deepEqual(await watcher.look(), { time: 1_000, status: "ok", diskBytes: null, collections: [] });

	const notes = await writer.collection("notes", { metric: "l2" });
	const { changeNumber } = await notes.upsert(records(0, 20));
	const first = await watcher.look();
	const [seen] = first.collections;
	assert.ok(seen !== undefined && first.diskBytes !== null && first.diskBytes > 0);
	assert.deepEqual(
		[seen.name, seen.records, seen.changeNumber, seen.rates, seen.health.status],
		["notes", 20, changeNumber, null, "ok"],
	);
	assert.deepEqual([seen.index.kind, seen.probes?.count], ["flat", 5]);

	await notes.upsert(records(20, 50));
	await notes.delete(["r0", "r1"]);
	clock.now += 2_000;
	const [then] = (await watcher.look()).collections;
	assert.deepEqual([then?.records, then?.rates, then?.probes?.count], [48, { records: 14, changes: 1 }, 10]);
});

test("a collection that is dropped goes, and one of its name that is made again is another one", async (t) => {
	const { writer, watcher } = await watched(t);
	const notes = await writer.collection("notes", { metric: "l2" });
	await notes.upsert(records(0, 3));
	const other = await writer.collection("other", { metric: "l2" });
	await other.upsert(records(0, 4));
	const names = async () =>
		(await watcher.look()).collections.map((each) => [each.name, each.records, each.rates === null]);
	assert.deepEqual(await names(), [
		["notes", 3, true],
		["other", 4, true],
	]);

	await writer.drop("other");
	await writer.drop("notes");
	await (await writer.collection("notes", { dimensions: 3 })).upsert([{ id: "x", vector: [1, 2, 3] }]);
	await watcher.look();
	const [[name, count] = []] = await names();
	assert.deepEqual([name, count], ["notes", 1]);
});

test("a collection without vectors is nothing to search in", async (t) => {
	const { writer, watcher } = await watched(t);
	await writer.collection("empty", {});
	const [seen] = (await watcher.look()).collections;
	assert.deepEqual([seen?.records, seen?.probes, seen?.folded], [0, null, 1]);
});
