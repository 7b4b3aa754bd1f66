// Collections whose vectors are on disk, closed and opened again: from their snapshot and the files it names, session after session, in other
// processes and threads.
import assert from "node:assert/strict";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { Worker } from "node:worker_threads";
import type { Hit } from "@nigh/contract";
import { openFolder } from "@nigh/embedded";
import { answersOf, KINDS, OnDisk, range } from "./on-disk.test-support.ts";
import { until } from "./points.test-support.ts";
import { readingProcess } from "./reading-process.test-support.ts";

const RECORDS = 2_000;

async function filled(t: TestContext, seed: number, kind = KINDS[0] as (typeof KINDS)[number]): Promise<OnDisk> {
	const life = await OnDisk.filled(t, seed, kind, RECORDS);
	await life.settled();
	return life;
}

/** The answers to some queries, bit by bit. */
async function answers(life: OnDisk, queries: readonly Float32Array[]) {
	const found = [];
	for (const vector of queries) {
		for (const more of [{}, { exact: true }, { filter: { place: { $lt: 700 } } }, { k: 300 }]) {
			found.push(answersOf((await life.notes.search({ vector, ...more })).hits));
		}
	}
	return found;
}

for (const kind of KINDS) {
	describe(`${kind.index.kind} on disk, ${kind.metric}`, () => {
		test("from its snapshot it answers bit by bit as before, and nothing is built", async (t) => {
			const life = await filled(t, 21, kind);
			await life.notes.optimize();
			const queries = range(0, 15).map(() => life.clusters.next());
			const before = await answers(life, queries);
			const rows = life.rowFiles();
			for (let session = 0; session < 2; session++) {
				const { from, damaged, vectors } = await life.reopen();
				assert.deepEqual([from, damaged, vectors], ["snapshot", 0, RECORDS]);
				assert.deepEqual(await answers(life, queries), before);
				assert.deepEqual((await life.notes.health()).reasons, []);
				assert.equal((await life.notes.analyze()).cells?.trainedFor, RECORDS);
			}
			await life.database.close();
			const left = life.rowFiles().filter((name) => !rows.includes(name));
			assert.ok(rows.every((name) => life.rowFiles().includes(name)));
			assert.ok(left.length <= 1, `${left.length} files of sessions in which nothing was written`);
		});

		test("sessions that each write something leave a segment each, and all of them answer", async (t) => {
			const life = await filled(t, 22, kind);
			await life.notes.optimize();
			const sessions = 3;
			for (let session = 1; session <= sessions; session++) {
				await life.reopen();
				await life.write(range(RECORDS * session, 700), session);
				await life.write(range(session * 10, 10), session);
				await life.delete(range(RECORDS * session - 5, 5).map((n) => `r${n}`));
				await life.settled();
				// What is in the tail alone is read from the records again.
				await life.findsOwn([RECORDS * session, RECORDS * session + 699 - 5, session * 10]);
				const recall = await life.meanRecall({}, 8);
				assert.ok(recall >= 0.85, `recall@10 is ${recall} in session ${session}`);
				await life.meanRecall({ exact: true }, 3);
			}
			const { from } = await life.reopen();
			assert.equal(from, "snapshot");
			assert.ok(life.named().length > 1, "rows of several sessions");
			await life.checkRecords();
			await life.findsOwn([0, 15, 35, 2_300, 4_600, 6_600]);
			assert.equal(await life.meanRecall({ exact: true }, 5), 1);
			const { ok, problems } = await life.database.verify();
			assert.deepEqual([ok, problems], [true, []]);
			await life.notes.optimize();
			assert.equal(life.named().length, 1, "one file after they were laid out anew");
			assert.deepEqual(life.rowFiles(), life.named());
			assert.equal((await life.notes.stats()).index.main, life.model.list().length);
		});
	});
}

test("what a session wrote and saved no snapshot of is read from the records, and its rows are gone", async (t) => {
	const life = await filled(t, 23);
	await life.notes.optimize();
	for (let session = 0; session < 3; session++) {
		const { changes } = await life.reopen();
		assert.equal(changes, session);
		await life.write(range(3_000 + 20 * session, 20), session);
		await life.settled();
		// Those of the snapshot, and this session's.
		assert.equal(life.rowFiles().length, 2);
		await life.findsOwn(range(3_000, 20 * (session + 1)));
	}
	await life.reopen();
	await life.checkRecords();
	assert.equal(await life.meanRecall({ exact: true }, 5), 1);
});

test("a process that reads beside a writer that goes on answers from rows of its own, which go with it", async (t) => {
	const life = await filled(t, 25);
	await life.notes.optimize();
	const process = await readingProcess(life.folder, "notes");
	t.after(() => process.end());
	const ofProcess = new RegExp(`^nigh-temporary-.*-${process.pid}-`);
	const own = () => readdirSync(tmpdir()).filter((name) => ofProcess.test(name));
	const asked = async (request: { vector: number[]; exact?: boolean }) => {
		const { hits } = await life.notes.search(request);
		assert.deepEqual(
			(await process.search(request)).ids,
			hits.map(({ id }) => id),
		);
	};
	const same = async () => {
		await process.refresh();
		for (let i = 0; i < 5; i++) {
			const vector = [...life.clusters.next()];
			await asked({ vector, exact: true });
			assert.equal((await process.search({ vector })).ids.length, 10);
		}
	};
	await same();
	assert.deepEqual(own(), [], "what the snapshot has is read where it is");
	const files = life.rowFiles();
	for (let round = 1; round <= 3; round++) {
		await life.write(range(RECORDS * round, 500), round);
		await life.delete(range(RECORDS * round, 5).map((n) => `r${n}`));
		await life.settled();
		await same();
	}
	// The files that it has begun with are gone, and others are there.
	await life.notes.optimize();
	assert.ok(files.every((name) => !life.rowFiles().includes(name)));
	await same();
	assert.deepEqual(own(), [], "what was new is in the snapshot");
	await life.write([1, 2, 3], 9);
	await same();
	await until(async () => own().length === 1, "a folder of its own for what is new");
	await same();
	// Of what it has not heard of yet no tombstone is left: it begins anew.
	await life.write([4, 5], 10);
	await life.notes.optimize();
	await same();
	await until(async () => own().length === 0, "the folder gone with the generation that it was for");
	assert.deepEqual(life.rowFiles().sort(), life.named().sort(), "none of them is the reader's");
	await process.end();
	assert.deepEqual(own(), []);
});

test("a process that only reads leaves giving up what was deleted to the one that writes, and takes its next snapshot", async (t) => {
	const life = await filled(t, 30);
	await life.write(range(RECORDS, 1_000));
	await life.settled();
	await life.notes.optimize();
	// Where it could write nothing.
	const before = process.env.TMPDIR;
	process.env.TMPDIR = join(life.folder, "nowhere");
	t.after(() => {
		if (before === undefined) delete process.env.TMPDIR;
		else process.env.TMPDIR = before;
	});
	const reading = await openFolder(life.folder, { readOnly: true, threads: 1, now: () => life.clock.now });
	t.after(() => reading.close());
	const read = await reading.collection("notes");
	await life.delete(range(0, 1_100).map((n) => `r${n}`));
	await read.refresh();
	assert.equal(await life.meanRecall({ exact: true }, 2, read), 1);
	const isTaken = async () => {
		await read.refresh();
		const { index } = await read.stats();
		return index.tombstones === 0 && index.main === RECORDS - 100;
	};
	await until(isTaken, "the snapshot that the writer has made of what is left");
	assert.deepEqual((await read.health()).reasons, []);
	assert.equal(await life.meanRecall({ exact: true }, 2, read), 1);
});

test("threads that have read of files go on with them when the writer of the database has removed them", async (t) => {
	const life = await filled(t, 26);
	await life.notes.optimize();
	const reading = await openFolder(life.folder, { readOnly: true, threads: 1, now: () => life.clock.now });
	t.after(() => reading.close());
	const read = await reading.collection("notes");
	const own = life.rowFiles();
	await life.meanRecall({ exact: true }, 1, read);
	await life.notes.rebuild();
	assert.ok(own.every((name) => !life.rowFiles().includes(name)));
	assert.ok((await life.meanRecall({}, 10, read)) >= 0.9);
	assert.equal(await life.meanRecall({ exact: true }, 5, read), 1);
	assert.equal(await life.meanRecall({ filter: { place: { $lt: 300 } } }, 5, read), 1);
	assert.ok((await read.warm()).bytes > 0);
});

test("threads that share the database answer the same, while it is written to and laid out anew", async (t) => {
	const life = await filled(t, 27);
	const worker = new Worker(new URL("./share-reader.test-support.ts", import.meta.url), {
		workerData: { handle: await life.database.share() },
	});
	await once(worker, "message");
	const ask = async (request: object): Promise<Hit[]> => {
		worker.postMessage({ k: 10, ...request });
		const [{ hits, failure }] = await once(worker, "message");
		assert.equal(failure, undefined);
		return hits;
	};
	for (let round = 0; round < 4; round++) {
		await life.write([600 + round, ...range(RECORDS * (round + 1), 100)], round + 2);
		if (round % 2 === 1) await life.notes.rebuild();
		for (let i = 0; i < 5; i++) {
			for (const filter of [undefined, { place: { $lt: 700 } }]) {
				const request = { vector: [...life.clusters.next()], ...(filter !== undefined && { filter }) };
				const { hits } = await life.notes.search({ ...request, include: { metadata: true, vector: true } });
				assert.deepEqual(
					(await ask(request)).map(({ id }) => id),
					hits.map(({ id }) => id),
				);
			}
		}
		if (round === 2) await life.settled();
	}
	const ended = once(worker, "exit");
	worker.postMessage("close");
	await ended;
	await life.checkRecords();
});

test("dropped, it leaves nothing; another collection keeps its files", async (t) => {
	const life = await filled(t, 28);
	const other = await life.database.collection("other", life.spec);
	await other.upsert(range(0, 1_500).map((n) => ({ id: `o${n}`, vector: life.clusters.next() })));
	await other.optimize();
	await life.notes.optimize();
	const key = life.key();
	const ofNotes = (names: readonly string[]) => names.filter((name) => name.startsWith(`${key}-`));
	assert.equal(ofNotes(life.rowFiles()).length, 1);
	await life.database.drop("notes");
	assert.deepEqual([ofNotes(life.rowFiles()), ofNotes(life.snapshotFiles())], [[], []]);
	assert.deepEqual([life.rowFiles().length, life.snapshotFiles().length], [1, 1]);
	assert.equal((await other.search({ vector: life.clusters.next() })).hits.length, 10);
	await life.database.close();
	life.database = await life.place.open("data");
	const again = await life.database.collection("other");
	assert.equal((await again.search({ vector: life.clusters.next(), exact: true })).hits.length, 10);
});

test("a database in memory keeps rows in its temporary folder", async (t) => {
	const life = new OnDisk(29, KINDS[0] as (typeof KINDS)[number]);
	t.after(() => life.remove());
	life.database = await openFolder(":memory:", { threads: 1, now: () => life.clock.now });
	t.after(() => life.database.close());
	life.notes = await life.database.collection("notes", life.spec);
	await life.write(range(0, 1_500));
	await until(async () => (await life.notes.analyze()).cells !== undefined, "cells");
	assert.ok((await life.meanRecall()) >= 0.9);
	assert.equal(await life.meanRecall({ exact: true }, 5), 1);
});
