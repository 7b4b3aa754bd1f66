// Collections that are converted from and to vectors on disk, laid out anew, backed up and restored: nothing is lost, and files that nobody needs
// are gone.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import type { IndexSettings } from "@nigh/contract";
import { KINDS, type Kind, OnDisk, range } from "./on-disk.test-support.ts";
import { until } from "./points.test-support.ts";

const RECORDS = 2_000;
const ROW_BYTES = 128;

async function filled(t: TestContext, seed: number, kind: { index: IndexSettings; metric: Kind["metric"] }) {
	const life = await OnDisk.filled(t, seed, kind, RECORDS);
	await life.notes.optimize();
	return life;
}

/** Files of rows there are: those that snapshots name. With vectors in memory, none. */
function checkFiles(life: OnDisk, isOnDisk: boolean): void {
	assert.deepEqual(life.rowFiles().sort(), life.named().sort());
	assert.equal(life.rowFiles().length, isOnDisk ? 1 : 0);
	for (const file of life.rowFiles()) assert.equal(life.bytesOf(file), 4_096 + life.model.list().length * ROW_BYTES);
}

for (const kind of KINDS) {
	test(`${kind.index.kind}: from disk to memory, a graph, nothing, and back, everything is kept`, async (t) => {
		const life = await filled(t, 61, kind);
		const { notes } = life;
		checkFiles(life, true);
		const inMemory: IndexSettings = { ...kind.index, storage: "memory" };
		const path: readonly IndexSettings[] = [
			inMemory,
			kind.index,
			{ kind: "hnsw" },
			kind.index,
			{ kind: "flat" },
			kind.index,
		];
		let last: IndexSettings = kind.index;
		for (const [step, index] of path.entries()) {
			const isOnDisk = "storage" in index && index.storage === "disk";
			const { memory: before } = await notes.stats();
			const report = await notes.convert(index);
			const note: string = `${JSON.stringify(last)} to ${JSON.stringify(index)}`;
			assert.deepEqual([report.index, report.vectors], [index.kind, RECORDS + step * 5], note);
			assert.ok(report.bytes !== null && report.bytes.before > 0 && report.bytes.after > 0, note);
			checkFiles(life, isOnDisk);
			const { memory, effective } = await notes.stats();
			assert.equal(effective.index.kind, index.kind);
			if (isOnDisk) {
				assert.equal(memory?.vectors, 0, `${note}: no vector is in memory`);
				assert.ok((memory?.total as number) < (before?.total as number), note);
			} else assert.ok((memory?.vectors as number) >= RECORDS * ROW_BYTES, `${note}: all of them are`);
			const recall = await life.meanRecall({}, 10);
			assert.ok(recall >= 0.9, `${note}: ${recall}`);
			assert.equal(await life.meanRecall({ exact: true }, 3), 1);
			await life.write(range(3_000 + 5 * step, 5), step);
			await life.findsOwn([0, 1_999, 3_000 + 5 * step]);
			last = index;
		}
		await life.checkRecords();
		assert.equal((await life.reopen()).damaged, 0);
		await life.checkRecords();
		await life.settled();
		assert.equal((await life.notes.stats()).effective.index.parameters.storage, "disk");
		assert.ok((await life.meanRecall()) >= 0.9);
		assert.equal((await life.database.verify()).ok, true);
	});
}

test("a conversion that is aborted leaves what there was, and no file beside it", async (t) => {
	for (const [from, to] of [
		["memory", "disk"],
		["disk", "memory"],
	] as const) {
		const life = await filled(t, 62, { index: { kind: "ivf", storage: from }, metric: "l2" });
		const files = life.rowFiles();
		const controller = new AbortController();
		const onProgress = () => controller.abort();
		const converting = life.notes.convert({ kind: "ivf", storage: to }, { signal: controller.signal, onProgress });
		await assert.rejects(converting, { code: "ABORTED" });
		assert.deepEqual(life.rowFiles(), files);
		assert.equal((await life.notes.stats()).effective.index.parameters.storage, from);
		assert.equal(await life.meanRecall({ exact: true }, 3), 1);
		await life.notes.convert({ kind: "ivf", storage: to });
		checkFiles(life, to === "disk");
		assert.ok((await life.meanRecall()) >= 0.9);
	}
});

test("rebuild changes where vectors are, and keeps the rest", async (t) => {
	const life = await filled(t, 63, { index: { kind: "ivf", nlist: 25 }, metric: "l2" });
	checkFiles(life, false);
	for (const storage of ["disk", "memory", "disk"] as const) {
		await life.notes.rebuild({ storage });
		checkFiles(life, storage === "disk");
		const { parameters } = (await life.notes.stats()).effective.index;
		assert.deepEqual([parameters.storage, parameters.nlist], [storage, 25]);
		assert.ok((await life.meanRecall()) >= 0.9);
	}
});

test("what cannot be on disk is refused, and leaves what there is", async (t) => {
	const life = await filled(t, 64, KINDS[0] as Kind);
	for (const index of [
		{ kind: "flat", storage: "disk" },
		{ kind: "hnsw", storage: "disk" },
		{ kind: "ivf", storage: "tape" },
	]) {
		await assert.rejects(life.notes.convert(index as never), { code: "INVALID_OPTION" });
	}
	const l1 = { dimensions: 8, metric: "l1", index: { kind: "ivf", storage: "disk" } } as const;
	await assert.rejects(life.database.collection("sums", l1), ({ code }) =>
		["UNSUPPORTED", "INVALID_OPTION"].includes(code),
	);
	checkFiles(life, true);
	assert.equal(await life.meanRecall({ exact: true }, 2), 1);
});

describe("what has been deleted", () => {
	test("is left out in the background once it is more than a fifth, and its rows are gone with the next snapshot", async (t) => {
		const life = await filled(t, 65, KINDS[2] as Kind);
		await life.write(range(RECORDS, 3_000));
		await life.settled();
		const gone = life.clusters.random.shuffle(range(0, 5_000)).slice(0, 1_500);
		await life.delete(gone.map((n) => `r${n}`));
		await until(async () => (await life.notes.stats()).index.tombstones === 0, "no deleted slot");
		await life.settled();
		assert.equal((await life.notes.stats()).index.main, 3_500);
		await life.checkRecords();
		assert.equal(await life.meanRecall({ exact: true }, 5), 1);
		assert.ok((await life.meanRecall()) >= 0.9);
		await life.tidy();
		checkFiles(life, true);
	});

	test("all at once, and written again", async (t) => {
		const life = await filled(t, 66, KINDS[1] as Kind);
		await life.delete(range(0, RECORDS).map((n) => `r${n}`));
		assert.deepEqual((await life.notes.search({ vector: life.clusters.next() })).hits, []);
		await life.notes.optimize();
		checkFiles(life, false);
		await life.write(range(0, RECORDS), 1);
		await life.settled();
		assert.ok((await life.meanRecall()) >= 0.9);
		await life.tidy();
		checkFiles(life, true);
		await life.checkRecords();
	});
});

test("optimize gives back the space of what was replaced, again and again", async (t) => {
	const life = await filled(t, 67, KINDS[0] as Kind);
	for (let round = 1; round <= 3; round++) {
		await life.write(range(0, 700), round);
		await life.settled();
		const { bytes, vectors } = await life.notes.optimize();
		assert.equal(vectors, RECORDS);
		assert.ok(bytes !== null && bytes.after < bytes.before, `${bytes?.before} bytes became ${bytes?.after}`);
		checkFiles(life, true);
		assert.equal(await life.meanRecall({ exact: true }, 3), 1);
	}
	await life.notes.optimize();
	checkFiles(life, true);
});

test("a backup has neither rows nor the snapshot that names them, and what is restored answers", async (t) => {
	const life = await filled(t, 68, KINDS[2] as Kind);
	const other = await life.database.collection("graph", { ...life.spec, index: { kind: "hnsw" } });
	await other.upsert(range(0, 1_500).map((n) => ({ id: `g${n}`, vector: life.clusters.next() })));
	await other.optimize();
	for (const gzip of [false, true]) {
		const path = join(life.place.folder, gzip ? "backup.tgz" : "backup");
		const report = await life.database.backup(path, { gzip });
		assert.equal(report.records, RECORDS + 1_500);
		if (!gzip) {
			const snapshots = readdirSync(join(path, "snapshots"));
			assert.deepEqual(
				snapshots.map((name) => name.startsWith(`${life.key()}-`)),
				[false],
			);
			assert.doesNotMatch(readFileSync(join(path, "backup.json"), "utf8"), /nigh-rows/);
		}
		const restored = await life.place.open(`restored ${gzip}`, { now: () => life.clock.now });
		await restored.restore(path);
		const notes = await restored.collection("notes");
		await life.checkRecords(notes);
		await life.meanRecall({ exact: true }, 3, notes);
		await until(async () => (await notes.analyze()).cells !== undefined, "cells");
		await until(async () => (await notes.stats()).index.tail === 0, "everything in cells");
		assert.equal((await notes.stats()).effective.index.parameters.storage, "disk");
		const recall = await life.meanRecall({}, 20, notes);
		assert.ok(recall >= 0.9, `${recall} after it was restored`);
		assert.equal((await restored.verify()).ok, true);
		await restored.close();
	}
	// The database that it was made of takes it back in the place of what it has, whose files go.
	const before = [...life.rowFiles(), ...life.snapshotFiles()];
	await life.write(range(4_000, 20));
	await life.database.restore(join(life.place.folder, "backup"), { overwrite: true });
	life.notes = await life.database.collection("notes");
	assert.equal((await life.notes.search({ vector: life.clusters.next(), exact: true })).hits.length, 10);
	assert.equal(await life.notes.count(), RECORDS);
	await life.notes.optimize();
	assert.deepEqual(life.rowFiles().sort(), life.named().sort());
	assert.ok(before.every((name) => ![...life.rowFiles(), ...life.snapshotFiles()].includes(name)));
});
