// Opening that fails in the middle leaves nothing open, and opening clears away what a process has left that was killed.
import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { copyFileSync, existsSync, readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Worker } from "node:worker_threads";
import { points, testPlace } from "./points.test-support.ts";

/** The files in the folder that this process has open, where the system tells. */
function openIn(folder: string): string[] {
	const files = "/proc/self/fd";
	if (!existsSync(files)) return [];
	return readdirSync(files).flatMap((number) => {
		try {
			const path = readlinkSync(join(files, number));
			return path.startsWith(folder) ? [path] : [];
		} catch {
			// The one that has listed them.
			return [];
		}
	});
}

for (const thread of ["writer", "indexer"]) {
	test(`where the ${thread} cannot start, opening says so, and neither files nor threads nor the lock are kept`, async (t) => {
		const place = testPlace(t);
		await (await place.open("data")).close();
		const exits: Promise<unknown>[] = [];
		const end = (worker: Worker) => {
			exits.push(new Promise((resolve) => worker.once("exit", resolve)));
			if (worker.threadName === `nigh ${thread}`) void worker.terminate();
		};
		process.on("worker", end);
		await assert.rejects(place.open("data"), {
			code: "UNAVAILABLE",
			message: new RegExp(`${thread} thread.*has ended`),
		});
		process.off("worker", end);
		assert.equal(exits.length, 2);
		await Promise.all(exits);
		assert.deepEqual(openIn(place.folder), []);
		assert.deepEqual(await (await place.open("data")).collections(), []);
	});
}

test("snapshots of a collection that has been dropped go at the next opening, those of others stay", async (t) => {
	const place = testPlace(t);
	const snapshots = join(place.folder, "data", "snapshots");
	const names = () => readdirSync(snapshots).sort();
	const first = await place.open("data");
	const kept = await first.collection("kept", { metric: "l2", index: { kind: "hnsw" } });
	await kept.upsert(points(0, 300));
	await kept.optimize();
	await first.close();
	const [name, ...others] = names();
	assert.deepEqual([name?.startsWith("1-"), others], [true, []]);
	const left = join(snapshots, (name as string).replace("1-", "2-"));
	copyFileSync(join(snapshots, name as string), left);
	const reading = await place.open("data", { readOnly: true });
	assert.deepEqual(names().length, 2, "reading removes nothing");
	await reading.close();
	const again = await place.open("data");
	assert.deepEqual(names(), [name]);
	assert.equal((await (await again.collection("kept")).stats()).effective.index.kind, "hnsw");
});

for (const index of ["hnsw", "flat"] as const) {
	test(`opening rehearses a search (${index}), which nobody hears of and no figure counts`, async (t) => {
		const place = testPlace(t);
		const first = await place.open("data");
		const notes = await first.collection("notes", { metric: "cosine", index: { kind: index } });
		await notes.upsert(points(0, 300));
		await notes.optimize();
		await first.close();
		const heard: unknown[] = [];
		const listener = (message: unknown) => void heard.push(message);
		subscribe("nigh:search", listener);
		t.after(() => unsubscribe("nigh:search", listener));
		const again = await place.open("data");
		const collection = await again.collection("notes");
		assert.equal((await collection.stats()).latency.search, null);
		assert.deepEqual(heard, []);
		const { hits } = await collection.search({ vector: points(7, 8)[0]?.vector as Float32Array, k: 1 });
		assert.deepEqual([hits[0]?.id, heard.length], ["p7", 1]);
	});
}
