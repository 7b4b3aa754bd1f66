// Searches beside writes: every answer is of one state, whoever asks and whatever is written, folded, dropped or closed meanwhile.
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { type Hit, isNighError } from "@nigh/contract";
import { openFolder } from "@nigh/embedded";
import { replacingWriter } from "./replacing-writer.test-support.ts";
import { searchBesideWrites } from "./torture/beside.ts";
import { DIMENSIONS, idOf, vectorFor } from "./torture/records.ts";

/** How long is searched beside a writer. */
const SECONDS = 30;
const SPEC = { dimensions: DIMENSIONS, metric: "l2", index: { kind: "hnsw", M: 6, efConstruction: 40 } } as const;

function folderFor(t: TestContext): string {
	const folder = mkdtempSync(join(tmpdir(), "nigh-concurrency-"));
	t.after(() => rmSync(folder, { recursive: true, force: true }));
	return folder;
}

function records(from: number, count: number, version = 1) {
	return Array.from({ length: count }, (_, i) => ({
		id: idOf(from + i),
		vector: vectorFor(idOf(from + i), version),
		metadata: { version },
	}));
}

test(`searches of several threads beside a writer, for ${SECONDS} seconds: every answer is all of one state`, async () => {
	const seed = Math.floor(Math.random() * 1_000_000);
	const { writes, searches, threadSearches, failures } = await searchBesideWrites({ seconds: SECONDS, seed });
	assert.deepEqual(failures, [], `seed ${seed}`);
	for (const count of [writes, searches, ...threadSearches]) {
		assert.ok(count > 50, `${writes} writes, ${searches} and ${threadSearches} searches`);
	}
});

/** Transactions in the WAL: frames whose header says how large the database is after them end one (sqlite.org/fileformat2.html#walformat). */
function commitsIn(folder: string): number {
	const wal = readFileSync(join(folder, "records.sqlite-wal"));
	const frame = 24 + wal.readUInt32BE(8);
	const salt = wal.readBigUInt64BE(16);
	let commits = 0;
	for (let at = 32; at + frame <= wal.length && wal.readBigUInt64BE(at + 8) === salt; at += frame) {
		if (wal.readUInt32BE(at + 4) !== 0) commits++;
	}
	return commits;
}

test("a hundred callers that write one record each share a few transactions", async (t) => {
	const folder = folderFor(t);
	const database = await openFolder(folder, { threads: 1 });
	const collection = await database.collection("notes", SPEC);
	await collection.upsert(records(0, 1));
	const before = commitsIn(folder);
	await Promise.all(records(1, 100).map((record) => collection.upsert([record])));
	const transactions = commitsIn(folder) - before;
	assert.ok(transactions >= 1 && transactions <= 20, `${transactions} transactions`);
	assert.equal(await collection.count(), 101);
	const { hits } = await collection.search({ vector: vectorFor(idOf(7), 1), k: 200, exact: true });
	assert.equal(new Set(hits.map(({ id }) => id)).size, 101);
	await database.close();
});

test("an update and a delete by a filter at the same time: a record that was updated away from the filter stays", async (t) => {
	const database = await openFolder(folderFor(t), { threads: 1 });
	const collection = await database.collection("notes", SPEC);
	for (let round = 0; round < 30; round++) {
		await collection.upsert(records(0, 4, 1));
		const update = collection.update([{ id: idOf(2), metadata: { version: 2 } }]).then(
			() => true,
			(error) => {
				assert.ok(isNighError(error, "NOT_FOUND"), String(error));
				return false;
			},
		);
		const remove =
			round % 2 === 0
				? collection.delete({ filter: { version: 1 } })
				: collection.prune({ filter: { version: 1 }, maxRecords: 0 });
		const [isUpdated] = await Promise.all([update, remove]);
		const left = await collection.get([0, 1, 2, 3].map(idOf));
		// Either came first; an update that succeeded is not taken back.
		assert.deepEqual(
			left.map((record) => record?.metadata?.version),
			[undefined, undefined, isUpdated ? 2 : undefined, undefined],
		);
		await collection.delete({ filter: {} });
	}
	await database.close();
});

test("dropping a collection ends the searches and writes of it with a code, and another of the name begins empty", async (t) => {
	const database = await openFolder(folderFor(t), { threads: 1 });
	for (let round = 0; round < 6; round++) {
		const collection = await database.collection("notes", SPEC);
		await collection.upsert(records(0, 600));
		const vector = vectorFor(idOf(1), 1);
		const calls = Array.from({ length: 12 }, (_, i) => [
			collection.search({ vector, k: 5, ...(i % 3 === 0 && { filter: { version: i } }) }),
			collection.upsert(records(10 * i, 10, 2)),
			collection.delete({ filter: { version: i } }),
			collection.count({ filter: { version: 1 } }),
		]).flat();
		const settled = Promise.allSettled(calls as Promise<unknown>[]);
		assert.equal(await database.drop("notes"), true);
		for (const call of await settled) {
			if (call.status === "fulfilled") continue;
			const { reason } = call;
			assert.ok(isNighError(reason, "CLOSED") || isNighError(reason, "NOT_FOUND"), String(reason));
		}
		await assert.rejects(collection.count(), (error) => isNighError(error, "CLOSED"));
		assert.equal(await (await database.collection("notes", SPEC)).count(), 0);
		await database.drop("notes");
	}
	await database.close();
});

test("what is acknowledged while the database is being closed is there afterwards", async (t) => {
	const folder = folderFor(t);
	for (let round = 0; round < 4; round++) {
		const database = await openFolder(folder, { threads: 1 });
		const collection = await database.collection("notes", SPEC);
		const acknowledged = new Set<string>();
		const writes = Array.from({ length: 60 }, (_, i) => {
			const batch = records(10_000 * round + 20 * i, 20);
			return collection.upsert(batch).then(
				() => batch.forEach(({ id }) => void acknowledged.add(id)),
				(error) => assert.ok(isNighError(error, "CLOSED"), String(error)),
			);
		});
		// Some are under way, whatever the round.
		await Promise.race(writes.slice(round * 10));
		const closing = database.close();
		await assert.rejects(collection.upsert(records(0, 1)), (error) => isNighError(error, "CLOSED"));
		await Promise.all(writes);
		await closing;
		const again = await openFolder(folder, { threads: 1 });
		const found = await (await again.collection("notes")).get([...acknowledged]);
		assert.equal(found.filter((record) => record !== undefined).length, acknowledged.size);
		await again.close();
	}
});

/** The version of all these hits by their distances, `undefined` where they are of several or an earlier one than `least`. */
function versionOf(hits: readonly Hit[], query: Float32Array, least: number): number | undefined {
	const isOf =
		(version: number) =>
		({ id, distance }: Hit) => {
			const exact = Math.hypot(...vectorFor(id, version).map((value, i) => value - (query[i] as number)));
			return Math.abs(distance - exact) < 1e-5;
		};
	for (let version = least; version < least + 20_000; version++) if (hits.every(isOf(version))) return version;
	return undefined;
}

test("another process that wants to write is refused with the pid; readers beside the writer see states that only grow", async (t) => {
	const folder = folderFor(t);
	const writer = await replacingWriter(t, folder);
	await assert.rejects(
		openFolder(folder),
		(error) =>
			isNighError(error, "LOCKED") && error.details.pid === writer.pid && error.message.includes(`${writer.pid}`),
	);
	const database = await openFolder(folder, { readOnly: true, threads: 1 });
	const collection = await database.collection("replaced");
	const query = vectorFor("query", 1);
	let last = 0;
	let changeNumber = 0;
	let seen = 0;
	for (let round = 0; round < 200 && seen < 12; round++) {
		const refreshed = await collection.refresh();
		assert.ok(refreshed.changeNumber >= changeNumber, `${refreshed.changeNumber} after ${changeNumber}`);
		changeNumber = refreshed.changeNumber;
		const request = { vector: query, k: 1_000, exact: true, include: { metadata: false } };
		const { hits } = await collection.search(request);
		assert.equal(new Set(hits.map(({ id }) => id)).size, 200, "every id");
		assert.equal(hits.length, 200, "no id twice");
		const version = versionOf(hits, query, last);
		assert.ok(version !== undefined, `the records are of no one version from ${last} on`);
		if (version > last) seen++;
		last = version;
	}
	assert.ok(seen >= 2, `${seen} versions were seen`);
	await database.close();
	writer.send("stop");
	await once(writer, "exit");
	const alone = await openFolder(folder, { threads: 1 });
	assert.equal(await (await alone.collection("replaced")).count(), 200);
	await alone.close();
});
