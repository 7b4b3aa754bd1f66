// Worker threads read from the memory of the thread that has the database open.
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import type { Collection, Hit } from "@nigh/contract";
import { openFolder, openShared } from "@nigh/embedded";

interface Answer {
	readonly hits: readonly Hit[];
	readonly changeNumber: number;
	readonly count: number;
	readonly failure?: string;
}

const WIDTH = 8;

/** Every component says which version of the record it is of, so that a mixed vector shows. */
function vectorOf(id: number, version: number): Float32Array {
	return Float32Array.from({ length: WIDTH }, (_, i) => id * 10 + i + version / 1_024);
}

function records(ids: readonly number[], version: number) {
	return ids.map((id) => ({ id: `r${id}`, vector: vectorOf(id, version), metadata: { id, version, even: id % 2 } }));
}

async function startReader(
	handle: unknown,
): Promise<{ ask(question: object): Promise<Answer>; close(): Promise<void> }> {
	const worker = new Worker(new URL("./share-reader.test-support.ts", import.meta.url), { workerData: { handle } });
	await once(worker, "message");
	return {
		async ask(question) {
			worker.postMessage(question);
			const [answer] = (await once(worker, "message")) as [Answer];
			assert.equal(answer.failure, undefined);
			return answer;
		},
		async close() {
			const ended = once(worker, "exit");
			worker.postMessage("close");
			await ended;
		},
	};
}

/** What a reader sees of one id must be one version of it, whole. */
function checkHit(hit: Hit): void {
	const { id, version } = hit.metadata as { id: number; version: number };
	assert.deepEqual(hit.vector, vectorOf(id, version));
}

test("a thread that shares the database finds what is acknowledged, across generations, filtered and not", async () => {
	const database = await openFolder(":memory:", { threads: 1 });
	const readers: Awaited<ReturnType<typeof startReader>>[] = [];
	try {
		const notes: Collection = await database.collection("notes", { metric: "l2" });
		const all = Array.from({ length: 600 }, (_, id) => id);
		await notes.upsert(records(all.slice(0, 10), 0));
		for (let i = 0; i < 2; i++) readers.push(await startReader(await database.share()));
		const question = (id: number) => ({ vector: [...vectorOf(id, 0)], k: 3 });
		for (const { ask } of readers) assert.equal((await ask(question(4))).hits[0]?.id, "r4");
		for (let version = 1; version <= 8; version++) {
			await notes.upsert(records(all, version));
			if (version === 3) await notes.convert({ kind: "hnsw" });
			if (version === 6) await notes.optimize();
			for (const { ask } of readers) {
				const { hits, count } = await ask(question(version * 70));
				assert.equal(count, all.length);
				assert.equal(hits.length, 3);
				hits.forEach(checkHit);
				assert.equal(hits[0]?.id, `r${version * 70}`);
				assert.equal(hits[0]?.metadata?.version, version, "what was acknowledged is seen");
				const even = await ask({ ...question(version * 70), filter: { even: 1 } });
				assert.deepEqual(
					even.hits.map((hit) => hit.metadata?.even),
					[1, 1, 1],
				);
				assert.equal(even.hits[0]?.metadata?.version, version);
			}
		}
		await notes.delete({ filter: { even: 0 } });
		for (const { ask } of readers) {
			const { hits } = await ask({ ...question(200), k: 2 });
			assert.deepEqual(hits.map(({ id }) => id).sort(), ["r199", "r201"]);
		}
	} finally {
		for (const { close } of readers) await close();
		await database.close();
	}
});

test("a reading thread writes nothing, and hears that the database is closed", async () => {
	const database = await openFolder(":memory:", { threads: 1 });
	const notes = await database.collection("notes", { dimensions: WIDTH });
	await notes.upsert(records([1], 0));
	// The channel works inside one thread as well.
	const shared = await openShared(await database.share());
	const seen = await shared.collection("notes");
	assert.equal((await seen.search({ vector: vectorOf(1, 0) })).hits[0]?.id, "r1");
	await assert.rejects(seen.upsert(records([2], 0)), { code: "READ_ONLY" });
	await assert.rejects(shared.drop("notes"), { code: "READ_ONLY" });
	await assert.rejects(shared.backup("x"), { code: "UNSUPPORTED" });
	await assert.rejects(shared.collection("others"), { code: "NOT_FOUND" });
	await shared.close();
	await assert.rejects(seen.count(), { code: "CLOSED" });
	await database.close();
	await assert.rejects(openShared({ kind: "nigh-share" } as never), { code: "INVALID_OPTION" });
});
