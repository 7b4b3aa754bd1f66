// A thread of the database that ends by itself (after an error, or for want of memory): whoever waits for it is told so and what to do, health
// says it, and closing gives the folder free.
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import type { Worker } from "node:worker_threads";
import { isNighError } from "@nigh/contract";
import { testPlace } from "./points.test-support.ts";

const THREADS = ["writer", "indexer", "reader"] as const;
const ENDS: Readonly<Record<string, (worker: Worker) => unknown>> = {
	"is ended": (worker) => worker.terminate(),
	// Nothing that any thread of the database is told: the listener throws.
	"ends with an error": (worker) => worker.postMessage(null),
};

/** The threads that are started meanwhile, by their names. */
async function startedBy<T>(work: () => Promise<T>): Promise<[T, (name: string) => Worker]> {
	const workers = new Map<string | null, Worker>();
	const note = (worker: Worker) => void workers.set(worker.threadName, worker);
	process.on("worker", note);
	try {
		const result = await work();
		const named = (name: string) => {
			const worker = workers.get(`nigh ${name}`);
			assert.ok(worker !== undefined, `there is no thread ${name}`);
			return worker;
		};
		return [result, named];
	} finally {
		process.off("worker", note);
	}
}

const told = (error: unknown) =>
	isNighError(error, "UNAVAILABLE") && /thread.* has ended.*close the database and open it again/s.test(error.message);

for (const name of THREADS) {
	for (const [how, end] of Object.entries(ENDS)) {
		test(`where the ${name} ${how}, calls are refused, health is failing, and closing frees the folder`, async (t) => {
			const place = testPlace(t);
			const [{ db, notes }, workerOf] = await startedBy(async () => {
				const db = await place.open("data");
				const notes = await db.collection("notes", { dimensions: 2 });
				await notes.upsert([{ id: "a", vector: [1, 0], metadata: { n: 1 } }]);
				await db.collection("dropped", {});
				// The reader is started by the first who needs it.
				assert.equal(await notes.count({ filter: { n: 1 } }), 1);
				return { db, notes };
			});
			const calls = {
				writer: () => notes.delete("nobody"),
				indexer: () => notes.optimize(),
				reader: () => notes.count({ filter: { n: { $gt: 0 } } }),
			};
			const worker = workerOf(name);
			const exit = once(worker, "exit");
			void end(worker);
			// Asked before it has ended, and after.
			await assert.rejects(calls[name](), told);
			await exit.catch(() => {});
			await assert.rejects(calls[name](), told);
			// Neither the writer nor the indexer alone can open one.
			if (name !== "reader") await assert.rejects(db.collection("more", { dimensions: 2 }), told);
			else assert.equal(await db.drop("dropped"), true);
			const { status, reasons } = await db.health();
			assert.equal(status, "failing");
			assert.ok(reasons.some(({ message }) => message.includes(name)));
			assert.equal((await notes.health()).status, "failing");
			await db.close();
			const again = await place.open("data");
			assert.deepEqual((await (await again.collection("notes")).get("a"))?.metadata, { n: 1 });
		});
	}
}
