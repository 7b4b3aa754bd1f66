// Disks that are full, folders that may not be written, files that are of another version: a clear error, and nothing acknowledged is lost.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import { collect } from "@nigh/contract/suite";
import { openFolder } from "@nigh/embedded";
import { diskFor, fillDisk, MIB, mount, refused } from "./disk.test-support.ts";

const DIMENSIONS = 64;
const SPEC = { dimensions: DIMENSIONS, metric: "l2", index: { kind: "hnsw" } } as const;
const BATCH = 250;

function batch(number: number) {
	return Array.from({ length: BATCH }, (_, i) => {
		const n = number * BATCH + i;
		return {
			id: `record-${n}`,
			vector: Float32Array.from({ length: DIMENSIONS }, (_, j) => Math.sin(n * 12.9898 + j * 78.233)),
			metadata: { batch: number },
		};
	});
}

function folderFor(t: TestContext): string {
	const folder = mkdtempSync(join(tmpdir(), "nigh-disk-"));
	t.after(() => rmSync(folder, { recursive: true, force: true }));
	return folder;
}

for (const durability of ["full", "normal"] as const) {
	test(`${durability}: a full disk refuses writes with DISK_FULL, keeps what was acknowledged, and takes more when there is space again`, async (t) => {
		const disk = diskFor(t, 12 * MIB);
		if (disk === undefined) return;
		const ballast = join(disk, "ballast");
		writeFileSync(ballast, new Uint8Array(5 * MIB));
		const folder = join(disk, "data");
		let database = await openFolder(folder, { threads: 1, durability });
		let collection = await database.collection("notes", SPEC);
		let acknowledged = 0;
		const fill = async () => {
			for (;;) {
				await collection.upsert(batch(acknowledged));
				acknowledged++;
			}
		};
		await assert.rejects(fill(), refused("DISK_FULL"));
		assert.ok(acknowledged > 2, `${acknowledged} batches were taken`);

		const check = async () => {
			const found = await collect(collection.scan({ include: { metadata: true } }));
			assert.equal(found.length, acknowledged * BATCH, "scan");
			assert.equal(await collection.count(), acknowledged * BATCH, "count");
			const [record] = batch(acknowledged - 1);
			const { hits } = await collection.search({ vector: record?.vector as Float32Array, k: 1, exact: true });
			assert.equal(hits[0]?.id, record?.id, "search");
			const all = await collection.search({ vector: record?.vector as Float32Array, k: 10_000, exact: true });
			assert.equal(all.hits.length, acknowledged * BATCH, "nothing that was refused is found");
		};
		await check();
		await assert.rejects(collection.upsert(batch(acknowledged)), refused("DISK_FULL"), "still full");
		await check();

		rmSync(ballast);
		await collection.upsert(batch(acknowledged));
		acknowledged++;
		await collection.delete(["record-0"]);
		await collection.upsert(batch(0).slice(0, 1));
		await check();
		await database.close();

		database = await openFolder(folder, { threads: 1, durability });
		collection = await database.collection("notes");
		await check();
		assert.deepEqual((await database.verify()).problems, []);
		await database.close();
	});
}

test("on a full disk optimize fails with DISK_FULL, if at all, and closing and opening lose nothing", async (t) => {
	const disk = diskFor(t, 8 * MIB);
	if (disk === undefined) return;
	const folder = join(disk, "data");
	let database = await openFolder(folder, { threads: 1 });
	let collection = await database.collection("notes", SPEC);
	for (let i = 0; i < 8; i++) await collection.upsert(batch(i));
	const ballast = join(disk, "ballast");
	fillDisk(ballast);
	await collection.optimize().then(
		() => {},
		(error) => refused("DISK_FULL")(error),
	);
	await database.close();
	rmSync(ballast, { recursive: true });

	database = await openFolder(folder, { threads: 1 });
	collection = await database.collection("notes");
	assert.equal(await collection.count(), 8 * BATCH);
	await collection.optimize();
	assert.deepEqual((await database.verify()).problems, []);
	await database.close();
});

test("on a disk that may not be written a database is READ_ONLY, and readable with readOnly", async (t) => {
	const disk = diskFor(t, 8 * MIB);
	if (disk === undefined) return;
	const folder = join(disk, "data");
	const database = await openFolder(folder, { threads: 1 });
	await (await database.collection("notes", SPEC)).upsert(batch(0));
	await database.close();
	assert.ok(mount("-o", "remount,ro", disk));

	await assert.rejects(openFolder(folder), refused("READ_ONLY", folder));
	// Node says ENOENT where it is to make several folders at once.
	for (const path of [join(disk, "another"), join(disk, "another", "data")]) {
		await assert.rejects(openFolder(path), refused("READ_ONLY", path, "choose another place"));
	}
	const reader = await openFolder(folder, { readOnly: true, threads: 1 });
	const collection = await reader.collection("notes");
	assert.equal(await collection.count(), BATCH);
	const { hits } = await collection.search({ vector: batch(0)[7]?.vector as Float32Array, k: 1 });
	assert.equal(hits[0]?.id, "record-7");
	await assert.rejects(collection.upsert(batch(1)), refused("READ_ONLY", "readOnly"));
	await reader.close();
});

test("a folder that is not there, or not a folder, is told from one without a database", async (t) => {
	const folder = folderFor(t);
	const missing = join(folder, "missing");
	await assert.rejects(openFolder(missing, { create: false }), refused("NOT_FOUND", missing, "create"));
	await assert.rejects(openFolder(missing, { readOnly: true }), refused("NOT_FOUND", missing, "readOnly"));
	const file = join(folder, "file");
	writeFileSync(file, "");
	await assert.rejects(openFolder(file), refused("INVALID_OPTION", file, "folder"));
	for (const path of ["", " ", "a\0b", undefined]) {
		await assert.rejects(openFolder(path as string), refused("INVALID_OPTION", "path of a folder"));
	}
	await assert.rejects(openFolder(folder, { readOnly: true }), refused("NOT_FOUND", folder, "no database", "writing"));
});

test("a database of a newer version is refused, whoever opens it, and stays as it is", async (t) => {
	const folder = folderFor(t);
	await (await openFolder(folder, { threads: 1 })).close();
	const records = join(folder, "records.sqlite");
	const newer = new DatabaseSync(records);
	newer.exec("PRAGMA user_version = 77");
	newer.close();
	for (const readOnly of [false, true]) {
		await assert.rejects(openFolder(folder, { readOnly }), refused("NEWER_VERSION", "77", "update"));
	}
	const after = new DatabaseSync(records);
	assert.equal(after.prepare("PRAGMA user_version").get()?.user_version, 77);
	after.exec("PRAGMA user_version = 1");
	after.close();
	// A refusal gives the lock back.
	await (await openFolder(folder, { threads: 1 })).close();
});
