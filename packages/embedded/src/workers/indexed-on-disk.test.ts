// An index whose rows are on disk, as its owner sees it: what is damaged, what cannot be opened, and what a process that only reads leaves alone.
import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { type TestContext, test } from "node:test";
import { type DiskGeneration, diskGeneration, vectorsFor } from "../memory/disk-generation.test-support.ts";
import { FRONT_BYTES } from "../row-files/front.ts";
import { flip, replaceInFs, systemError } from "../row-files/row-files.test-support.ts";
import { listSnapshots } from "../snapshot/folder.ts";
import { specOf } from "../spec.ts";
import { ROWS_DAMAGED } from "./chores.ts";
import { stateOf } from "./index-report.ts";
import { IndexedCollection } from "./indexed-collection.ts";
import { isOutgrown } from "./outgrown.ts";
import { RETRY_MS } from "./parameters.ts";
import { keepNewest, recoverSnapshot, saveSnapshot } from "./snapshots.ts";
import { surroundings } from "./surroundings.test-support.ts";

const N = 2_200;
const KEY = 7;
const LATER = 10 ** 9;
const WANTED = { kind: "ivf", storage: "disk" } as const;

/** A collection on disk, and what its indexer tells the writer. */
async function started(t: TestContext, { isReader = false } = {}) {
	const disk = await diskGeneration(t, WANTED, { n: N });
	const spec = await specOf({ dimensions: 32, metric: "l2", index: WANTED }, undefined);
	const told = { reindex: 0, outgrown: 0, stalled: [] as unknown[], installed: 0 };
	const files = {
		snapshots: disk.folder,
		records: `${disk.folder}/none`,
		databaseId: "the database",
		readOnly: isReader,
	};
	const place = { folder: disk.folder, key: KEY, ...files };
	const collection = new IndexedCollection(
		KEY,
		"notes",
		spec,
		disk.owned,
		surroundings({
			placeOf: () => place,
			install: async () => {
				told.installed++;
				return true;
			},
			stalled: (_key, reason) => void told.stalled.push(reason),
			outgrown: () => void told.outgrown++,
			reindex: async () => void told.reindex++,
			keepsSnapshots: !isReader,
		}),
	);
	t.after(() => collection.owned.rows?.close());
	return { disk, spec, told, files, collection };
}

/** Deletes more than may stay dead. */
function kill({ generation }: IndexedCollection): void {
	for (let slot = 0; slot < N / 2; slot++) generation.kill(slot, 2);
}

function damage({ folder, rowBytes }: DiskGeneration): void {
	const [file] = readdirSync(folder).filter((name) => name.endsWith(".nigh-rows"));
	flip(folder, file as string, FRONT_BYTES + 700 * rowBytes + 2, 4);
}

test("damaged rows: the next generation is not made of them, health tells, and the collection is asked for anew, once", async (t) => {
	const { disk, told, collection } = await started(t);
	damage(disk);
	kill(collection);
	for (let round = 0; round < 2; round++) {
		assert.deepEqual(collection.chore(LATER * (round + 1)), { chore: "dead" });
		const failure = await collection.run("dead").catch((error: unknown) => error);
		assert.equal((failure as { code?: string }).code, "CORRUPT_SNAPSHOT");
		assert.ok(collection.hasLost(failure));
		collection.fault("dead", failure);
		collection.fault("dead", failure);
		assert.equal(told.reindex, round + 1, "not again before that has ended");
		await null;
	}
	assert.deepEqual(
		stateOf(collection).problems.map(({ code }) => code),
		[ROWS_DAMAGED],
	);
	assert.deepEqual([told.installed, told.stalled], [0, []]);
	// Whoever asks for room is told, so that the writer can have it mended.
	const slots = collection.generation.size.capacity;
	await assert.rejects(collection.makeRoom({ slots, idBytes: 0 }), { code: "CORRUPT_SNAPSHOT" });
	assert.equal(told.reindex, 2);
});

test("a row file that is gone is as lost as one that is damaged", async (t) => {
	const { disk, collection } = await started(t);
	const { rows } = disk.owned;
	const { path } = replaceFile(t, disk.folder);
	await assert.rejects(rows?.verify(async () => {}) as Promise<void>, { code: "CORRUPT_SNAPSHOT", message: /gone/ });
	assert.equal(existsSync(path), false);
	assert.ok(collection.hasLost(await collection.replace({ fresh: false, arrange: false }).catch((error) => error)));
});

/** As if somebody had removed the row file. */
function replaceFile(t: TestContext, folder: string): { path: string } {
	replaceInFs(t, "openSync", (original) => (path: string, ...more: [string]) => {
		if (!String(path).endsWith(".nigh-rows") || more[0] !== "r") return original(path, ...more);
		throw Object.assign(systemError("ENOENT"), { syscall: "open" });
	});
	return { path: `${folder}/none` };
}

test("a fold that fails is told to whoever waits for it, and a chore that gives no rows is not", async (t) => {
	const { disk, told, collection } = await started(t);
	const [vector] = vectorsFor(1, 32, 9);
	disk.append(vector as Float32Array);
	const full = new Error("no space");
	for (const chore of ["dead", "train", "room", "snapshot", "build"] as const) collection.fault(chore, full);
	assert.deepEqual(told.stalled, []);
	collection.fault("fold", full);
	assert.deepEqual(told.stalled, [full]);
	assert.ok(stateOf(collection).problems.some(({ code }) => code === "fold-failed"));
	await collection.run("fold");
	assert.ok(
		stateOf(collection).problems.every(({ code }) => code !== "fold-failed"),
		"it has succeeded since",
	);
});

test("a process that only reads lays nothing out anew: it takes in what is new, and says that it is outgrown", async (t) => {
	const { disk, told, collection } = await started(t, { isReader: true });
	const { owned } = collection;
	kill(collection);
	const next = collection.chore(LATER);
	assert.deepEqual(next, { wait: RETRY_MS });
	assert.ok(told.outgrown > 0);
	const [vector] = vectorsFor(1, 32, 9);
	disk.append(vector as Float32Array);
	assert.deepEqual(collection.chore(LATER + 1), { chore: "fold" });
	await collection.run("fold");
	assert.deepEqual([collection.tail, owned.rows?.end], [0, N + 1]);
	const slots = collection.generation.size.capacity;
	await assert.rejects(collection.makeRoom({ slots, idBytes: 0 }), isOutgrown);
	assert.deepEqual([collection.owned === owned, told.installed, told.stalled], [true, 0, []]);
});

test("the newest snapshot alone is kept only where the row files that it names are sound", async (t) => {
	const { disk, files, collection } = await started(t);
	await saveSnapshot(files, collection);
	collection.generation.publish(2);
	await saveSnapshot(files, collection);
	const changes = () => listSnapshots(disk.folder, KEY).map(({ change }) => change);
	assert.deepEqual(changes(), [2, 1]);
	damage(disk);
	await assert.rejects(keepNewest(files, collection), { code: "CORRUPT_SNAPSHOT", message: /nigh-rows/ });
	assert.deepEqual(changes(), [2, 1]);
	damage(disk);
	await keepNewest(files, collection);
	assert.deepEqual(changes(), [2]);
});

test("what keeps a sound snapshot from being opened fails the opening, and says nothing of the snapshot", async (t) => {
	const { disk, spec, files, collection } = await started(t);
	await saveSnapshot(files, collection);
	const stored = { key: KEY, change: 1, records: N, reclaimedThrough: 0 };
	const recover = () => recoverSnapshot(files, stored, disk.format, spec);
	for (const [code, expected] of [
		["EMFILE", "EMFILE"],
		["EACCES", "READ_ONLY"],
	] as const) {
		const restore = replaceInFs(t, "openSync", (original) => (path: string, ...more: [string]) => {
			if (!String(path).endsWith(".nigh-rows")) return original(path, ...more);
			throw Object.assign(systemError(code), { syscall: "open" });
		});
		await assert.rejects(recover(), { code: expected });
		restore();
	}
	// What was lost with the file is found in the records.
	const restore = replaceInFs(t, "openSync", (original) => (path: string, ...more: [string]) => {
		if (!String(path).endsWith(".nigh-rows")) return original(path, ...more);
		throw Object.assign(systemError("ENOENT"), { syscall: "open" });
	});
	const lost = await recover();
	assert.deepEqual([lost.owned, lost.damaged.length, lost.problems[0]?.code], [undefined, 1, "snapshot-damaged"]);
	restore();
	const before = readdirSync(disk.folder);
	const { owned, problems, savedAt } = await recover();
	t.after(() => owned?.rows?.close());
	assert.deepEqual([owned?.rows?.end, problems, typeof savedAt], [N, [], "number"]);
	assert.deepEqual(readdirSync(disk.folder), before, "a session that keeps nothing makes no file");
});
