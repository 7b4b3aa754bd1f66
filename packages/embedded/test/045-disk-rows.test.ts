// Collections whose vectors are on disk, where there is no space for more of them: whoever waits is told, and nothing waits for ever.
import assert from "node:assert/strict";
import { mkdirSync, rmSync, statfsSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { Collection, CollectionSpec, Database } from "@nigh/contract";
import { type OpenOptions, openFolder } from "@nigh/embedded";
import { tailRowsWithin } from "../src/plan-memory-bytes.ts";
import { listSnapshots } from "../src/snapshot/folder.ts";
import { diskFor, MIB, refused } from "./disk.test-support.ts";
import { until } from "./points.test-support.ts";

const DIMENSIONS = 64;
const SPEC = {
	dimensions: DIMENSIONS,
	metric: "l2",
	index: { kind: "ivf", storage: "disk", nlist: 8 },
} as const;
/** A cap bounds the tail; what there is already may be beyond it. */
const CAPPED = { ...SPEC, memory: { maxMB: 6 } };
const TAIL = tailRowsWithin(4 * DIMENSIONS, CAPPED.memory.maxMB * MIB);
const RECORDS = 1_200;
/** More than the tail holds. */
const MORE = TAIL + 300;

/** Another vector for each version. */
function batch(from: number, count: number, version = 0) {
	return Array.from({ length: count }, (_, i) => {
		const n = from + i;
		const vector = Float32Array.from({ length: DIMENSIONS }, (_, j) => Math.sin(n * 12.9898 + j * 78.233 + version));
		return { id: `r${n}`, vector };
	});
}

/** Writes again what is there, until so many have come. */
async function rewrite(collection: Collection, records: number, version: number): Promise<void> {
	for (let from = 0; from < records; from += 500) {
		await collection.upsert(batch(from, Math.min(500, records - from), version));
	}
}

/** Takes space until so many bytes are left. Returns what gives it back. */
function leave(disk: string, bytes: number): () => void {
	const { bavail, bsize } = statfsSync(disk);
	const ballast = join(disk, "ballast");
	writeFileSync(ballast, new Uint8Array(Math.max(0, bavail * bsize - bytes)));
	return () => rmSync(ballast);
}

async function settled(collection: Collection, records: number): Promise<void> {
	await until(async () => (await collection.stats()).index.main === records, "all of it in cells");
}

async function checkAll(collection: Collection, records: number, version = 0): Promise<void> {
	assert.equal(await collection.count(), records);
	for (const n of [0, RECORDS - 1, records - 1]) {
		const vector = batch(n, 1, version)[0]?.vector as Float32Array;
		const { hits } = await collection.search({ vector, k: 1, exact: true });
		assert.deepEqual([hits[0]?.id, hits[0]?.distance], [`r${n}`, 0]);
	}
}

interface Opened {
	readonly database: Database;
	/** Its opening may fail, and the database is to be closed all the same. */
	readonly collection: Promise<Collection>;
}

/** A database on a disk of its own, with one snapshot of the first records. */
async function begun(t: TestContext) {
	const disk = diskFor(t, 32 * MIB);
	if (disk === undefined) return undefined;
	const folder = join(disk, "data");
	const open = async (options: OpenOptions = {}, spec?: CollectionSpec): Promise<Opened> => {
		const database = await openFolder(folder, { threads: 1, ...options });
		return { database, collection: database.collection("notes", spec) };
	};
	const { database, collection } = await open({}, SPEC);
	const notes = await collection;
	await notes.upsert(batch(0, RECORDS));
	await settled(notes, RECORDS);
	await notes.optimize();
	return { disk, folder, open, database, notes };
}

/** As {@link begun}, closed, with a cap, and with more since its snapshot than its tail holds. */
async function fallenBehind(t: TestContext) {
	const begin = await begun(t);
	if (begin === undefined) return undefined;
	const { database, notes, folder } = begin;
	await notes.upsert(batch(RECORDS, MORE));
	await settled(notes, RECORDS + MORE);
	await database.collection("notes", CAPPED);
	await database.close();
	const snapshots = listSnapshots(join(folder, "snapshots"), 1);
	assert.ok(snapshots.length > 1);
	for (const { path } of snapshots.slice(0, -1)) rmSync(path);
	return begin;
}

test("where there is no space for rows, a write that waits for the tail is told so, and closing ends", async (t) => {
	const begin = await begun(t);
	if (begin === undefined) return;
	const { disk, folder, open, database: first } = begin;
	await first.collection("notes", CAPPED);
	await first.close();
	const { database, collection } = await open();
	const notes = await collection;
	let version = 0;
	// As much as a WAL has is left to the records: they have space, and the rows of the index have none.
	const walBytes = () => statSync(join(folder, "records.sqlite-wal")).size;
	while (walBytes() < 3 * MIB) await rewrite(notes, RECORDS, ++version);
	await until(async () => (await notes.stats()).index.tail === 0, "all of it in cells");
	const before = version;
	const giveBack = leave(disk, walBytes() + MIB / 2);
	const write = async () => {
		await notes.upsert(batch(0, 100, version + 1));
		version++;
	};
	const isTold = refused("DISK_FULL", "a part of the rows", "Free some space");
	await assert.rejects(async () => {
		while (version < before + TAIL) await write();
	}, isTold);
	assert.ok(version > before, "the tail took some");
	assert.ok((await notes.health()).reasons.some(({ code }) => code === "fold-failed"));
	// Those who wait together hear of it together.
	const waiting = [1, 2, 3].map((i) => notes.upsert(batch(0, 100, version + i)));
	for (const each of waiting) await assert.rejects(each, isTold);
	const { hits } = await notes.search({ vector: batch(99, 1, version)[0]?.vector as Float32Array, k: 1 });
	assert.deepEqual([hits[0]?.id, hits[0]?.distance], ["r99", 0]);
	assert.equal(await notes.count(), RECORDS);
	await notes.close();
	await database.close();
	giveBack();
	const again = await open();
	const reopened = await again.collection;
	await rewrite(reopened, RECORDS, version + 9);
	await checkAll(reopened, RECORDS, version + 9);
	await again.database.close();
});

test("where there is no space for what has to be taken in, opening fails with DISK_FULL, and later it does not", async (t) => {
	const behind = await fallenBehind(t);
	if (behind === undefined) return;
	const { disk, open } = behind;
	const giveBack = leave(disk, MIB / 2);
	const { database, collection } = await open();
	const isTold = refused("DISK_FULL", "a part of the rows", "Free some space");
	await assert.rejects(collection, isTold);
	await assert.rejects(database.collection("notes"), isTold);
	giveBack();
	await checkAll(await database.collection("notes"), RECORDS + MORE);
	await database.close();
});

test("a process that only reads is told where its folder for temporary files has no space, and what to do", async (t) => {
	const behind = await fallenBehind(t);
	const temporary = diskFor(t, 4 * MIB);
	if (behind === undefined || temporary === undefined) return;
	const giveBack = leave(temporary, MIB / 2);
	setTemporary(t, temporary);
	const { database, collection } = await behind.open({ readOnly: true });
	await assert.rejects(collection, refused("DISK_FULL", temporary, "TMPDIR", "optimize()"));
	giveBack();
	await checkAll(await database.collection("notes"), RECORDS + MORE);
	await database.close();
});

test("without a folder for temporary files a process that only reads opens what a snapshot has, and is told what it lacks for more", async (t) => {
	const begin = await begun(t);
	if (begin === undefined) return;
	const { disk, open, database, notes } = begin;
	await notes.upsert(batch(RECORDS, MORE));
	await database.collection("notes", CAPPED);
	await notes.optimize();
	const nowhere = join(disk, "nowhere");
	setTemporary(t, nowhere);
	const reading = await open({ readOnly: true });
	const read = await reading.collection;
	assert.equal((await read.stats()).index.kind, "ivf");
	assert.ok((await read.health()).reasons.every(({ code }) => code !== "snapshot-damaged"));
	await checkAll(read, RECORDS + MORE);
	await rewrite(notes, RECORDS + MORE, 1);
	await assert.rejects(read.refresh(), refused("NOT_FOUND", nowhere));
	mkdirSync(nowhere);
	await read.refresh();
	await checkAll(read, RECORDS + MORE, 1);
	await reading.database.close();
	await database.close();
});

/** Where this process makes temporary files. */
function setTemporary(t: TestContext, folder: string): void {
	const before = process.env.TMPDIR;
	process.env.TMPDIR = folder;
	t.after(() => {
		if (before === undefined) delete process.env.TMPDIR;
		else process.env.TMPDIR = before;
	});
}
