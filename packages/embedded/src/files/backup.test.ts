import assert from "node:assert/strict";
import {
	cpSync,
	existsSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	rmSync,
	statSync,
	truncateSync,
	writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import type { BackupOptions } from "@nigh/contract";
import { testFolder } from "../folder/folder.test-support.ts";
import { pathsIn } from "../folder/layout.ts";
import { openReader, openWriter } from "../records/connection.ts";
import { contentOf, fill, filledFolder, recordOf } from "../records/filled.test-support.ts";
import { databaseId, tablesOf } from "../records/schema.ts";
import { snapshotPath } from "../snapshot/folder.ts";
import { writeSnapshot } from "../snapshot/write.ts";
import { writeBackup } from "./backup.ts";
import { holdRecords } from "./copy-records.ts";
import { MANIFEST_FILE } from "./manifest.ts";
import { readBackup } from "./restore.ts";

const NOW = Date.UTC(2026, 10, 21, 7, 41, 0, 5);
const RECORDS = 1_500;

/** A database with one collection of 1,500 records, and a place for backups. */
function database(t: TestContext) {
	const folder = testFolder(t);
	const source = join(folder, "data");
	filledFolder(source, RECORDS);
	return { folder, source };
}

function idOf(folder: string): string {
	const db = openReader(pathsIn(folder).records);
	const id = databaseId(db);
	db.close();
	return id;
}

function saveSnapshot(folder: string, change: number, ofDatabase = idOf(folder)): Promise<unknown> {
	const meta = {
		databaseId: ofDatabase,
		collection: { key: 1, name: "notes" },
		change,
		nextLabel: 1,
		records: 1,
		createdAt: NOW,
		engine: "test",
		index: { kind: "flat", parameters: {} },
	};
	const bytes = new Uint8Array(5_000).fill(change);
	return writeSnapshot(snapshotPath(pathsIn(folder).snapshots, 1, change), meta, [
		{ name: "rows", bytes: bytes.length, chunks: [bytes] },
	]);
}

function checkContent(path: string): void {
	const content = contentOf(path, 1);
	assert.equal(content.size, RECORDS);
	for (const [label, row] of content) assert.deepEqual(row, recordOf(label));
}

for (const name of ["copy", "copy.tar.gz"]) {
	test(`what is backed up to ${name} is what comes back`, async (t) => {
		const { folder, source } = database(t);
		await saveSnapshot(source, 4);
		await saveSnapshot(source, 5);
		const path = join(folder, name);
		const report = await writeBackup(source, path, {}, NOW);
		const opened = await readBackup(path, { temporary: folder });
		checkContent(opened.records);
		assert.deepEqual(
			opened.snapshots.map((file) => readFileSync(file)),
			[readFileSync(snapshotPath(pathsIn(source).snapshots, 1, 5))],
		);
		const { files, ...manifest } = opened.manifest;
		assert.deepEqual(manifest, {
			kind: "nigh-backup",
			version: 1,
			createdAt: "2026-11-21T07:41:00.005Z",
			databaseId: idOf(source),
			collections: [{ name: "notes", records: RECORDS }],
		});
		const bytes = name === "copy" ? files.reduce((sum, file) => sum + file.bytes, 0) : statSync(path).size;
		assert.deepEqual(report, { path, collections: ["notes"], records: RECORDS, bytes });
		opened.close();
		assert.deepEqual(readdirSync(folder).sort(), [name, "data"].sort(), "nothing else is left");
		assert.equal(existsSync(opened.records), name === "copy");
	});
}

test("the copy is one committed state while a writer goes on, and stands without a WAL", async (t) => {
	const { folder, source } = database(t);
	const writer = openWriter(pathsIn(source).records, "off");
	fill(writer, "more", 30_000);
	const { records, vectors } = tablesOf(1);
	let commits = 0;
	const path = join(folder, "copy");
	await writeBackup(source, path, {
		onProgress() {
			writer.exec(
				`BEGIN; DELETE FROM ${records} WHERE label = ${commits}; DELETE FROM ${vectors} WHERE label = ${commits}`,
			);
			writer.exec("UPDATE collections SET records = records - 1 WHERE key = 1; COMMIT");
			commits++;
		},
	});
	writer.close();
	assert.ok(commits > 5, `${commits} commits`);
	const copy = join(path, "records.sqlite");
	checkContent(copy);
	assert.deepEqual(readdirSync(path).sort(), ["backup.json", "records.sqlite", "snapshots"]);
	const db = new DatabaseSync(copy, { readOnly: true });
	assert.deepEqual({ ...db.prepare("PRAGMA journal_mode").get() }, { journal_mode: "delete" });
	assert.deepEqual({ ...db.prepare("PRAGMA auto_vacuum").get() }, { auto_vacuum: 2 });
	db.close();
});

test("snapshots that are damaged, of another database, or later than the records are left out", async (t) => {
	const { folder, source } = database(t);
	for (const change of [3, 4, 5, 999_999]) await saveSnapshot(source, change, change === 4 ? "another" : undefined);
	truncateSync(snapshotPath(pathsIn(source).snapshots, 1, 5), 4_000);
	await writeBackup(source, join(folder, "copy"));
	assert.deepEqual(readdirSync(join(folder, "copy", "snapshots")), ["1-3.nigh-snapshot"]);
});

test("progress goes up to the total, and what it throws is ignored", async (t) => {
	const { folder, source } = database(t);
	for (const gzip of [false, true]) {
		const seen: [number, number][] = [];
		const onProgress = (done: number, total: number) => {
			seen.push([done, total]);
			throw new Error("the caller's own mistake");
		};
		const path = join(folder, `copy-${gzip}`);
		await writeBackup(source, path, { gzip, onProgress });
		(await readBackup(path, { onProgress, temporary: folder })).close();
		const ends = seen.filter(([done, total]) => done === total);
		assert.equal(ends.length, 2);
		assert.deepEqual(seen.at(-1), ends[1]);
		const first = seen.slice(0, seen.indexOf(ends[0] as [number, number]) + 1).map(([done]) => done);
		assert.deepEqual(
			first,
			first.toSorted((a, b) => a - b),
		);
	}
});

test("an abort ends it at any point, and leaves nothing", async (t) => {
	const { folder, source } = database(t);
	for (const name of ["copy", "copy.tar.gz"]) {
		const path = join(folder, name);
		const steps = await abortedAt(Number.POSITIVE_INFINITY, (options) => writeBackup(source, path, options));
		assert.ok(steps > 2);
		for (let step = 0; step < steps - 1; step++) {
			const other = join(folder, `other-${step}-${name}`);
			const act = (options: object) => writeBackup(source, other, options);
			await assert.rejects(abortedAt(step, act), { code: "ABORTED", cause: "enough" });
			assert.equal(existsSync(other), false);
		}
		const act = (options: object) => readBackup(path, { ...options, temporary: folder });
		await assert.rejects(abortedAt(0, act), { code: "ABORTED" });
	}
	assert.deepEqual(readdirSync(folder).sort(), ["copy", "copy.tar.gz", "data"]);
});

/** Raises the signal at the n-th call of onProgress (0: before the work). Returns how many there were. */
async function abortedAt(step: number, act: (options: object) => Promise<unknown>): Promise<number> {
	const controller = new AbortController();
	let calls = 0;
	const onProgress = () => {
		calls++;
		if (calls === step) controller.abort("enough");
	};
	if (step === 0) controller.abort("enough");
	await act({ onProgress, signal: controller.signal });
	return calls;
}

test("a destination that exists, options nobody reads, and a database that is not there are refused", async (t) => {
	const { folder, source } = database(t);
	mkdirSync(join(folder, "empty"));
	await assert.rejects(writeBackup(source, join(folder, "empty")), {
		code: "INVALID_OPTION",
		message: /replaces nothing/,
	});
	await assert.rejects(writeBackup(source, join(folder, "x"), { zip: true } as never), { code: "INVALID_OPTION" });
	for (const keep of [0, 1_001, 1.5]) {
		await assert.rejects(writeBackup(source, join(folder, "x"), { keep }), { code: "INVALID_OPTION" });
	}
	await assert.rejects(writeBackup(join(folder, "nowhere"), join(folder, "x")), { code: "NOT_FOUND" });
	await assert.rejects(writeBackup(source, join(source, "records.sqlite", "x")), { code: "NOT_FOUND" });
	assert.deepEqual(readdirSync(folder).sort(), ["data", "empty"]);
});

test("keep: the newest stay, what is no backup is not touched", async (t) => {
	const { folder, source } = database(t);
	const backups = join(folder, "backups");
	const backUp = (minutes: number, options: BackupOptions) =>
		writeBackup(source, backups, options, NOW + minutes * 60_000);
	mkdirSync(backups);
	const foreign = ["nigh-2020-01-01T00-00-00-000Z", "nigh-2020-01-01T00-00-00-001Z.tar.gz", "notes", "zzz.tar.gz"];
	mkdirSync(join(backups, "nigh-2020-01-01T00-00-00-000Z"));
	writeFileSync(join(backups, "nigh-2020-01-01T00-00-00-000Z", MANIFEST_FILE), "{}");
	for (const name of foreign.slice(1)) writeFileSync(join(backups, name), "mine");
	const partial = (pid: number) => `nigh-2020-01-01T00-00-00-000Z.partial-${pid}-0123456789ab`;
	mkdirSync(join(backups, partial(999_999_999)));
	mkdirSync(join(backups, partial(process.ppid)));
	// As one that was killed in a container leaves it, where every process may have this one's id.
	mkdirSync(join(backups, partial(process.pid)));
	const first = await backUp(0, { keep: 2 });
	assert.equal(first.path, join(backups, "nigh-2026-11-21T07-41-00-005Z"));
	const second = await backUp(0, { keep: 2, gzip: true });
	assert.equal(second.path, join(backups, "nigh-2026-11-21T07-41-00-006Z.tar.gz"), "a time that is taken");
	await backUp(1, { keep: 2 });
	const third = await backUp(2, { keep: 3, gzip: true });
	await backUp(3, { keep: 2 });
	assert.deepEqual(
		readdirSync(backups).sort(),
		[...foreign, partial(process.ppid), third.path.slice(backups.length + 1), "nigh-2026-11-21T07-44-00-005Z"].sort(),
	);
	(await readBackup(third.path, { temporary: folder })).close();
});

test("keep: backups of one moment are all written, each under a name of its own", async (t) => {
	const { folder, source } = database(t);
	const backups = join(folder, "backups");
	const options = [{ keep: 3 }, { keep: 3 }, { keep: 3, gzip: true }];
	const reports = await Promise.all(options.map((each) => writeBackup(source, backups, each, NOW)));
	const paths = reports.map(({ path }) => path);
	assert.equal(new Set(paths).size, 3);
	for (const path of paths) {
		const opened = await readBackup(path, { temporary: folder });
		checkContent(opened.records);
		opened.close();
	}
	assert.deepEqual(readdirSync(backups).sort(), paths.map((path) => path.slice(backups.length + 1)).sort());
	const last = await Promise.all([1, 1].map((keep) => writeBackup(source, backups, { keep }, NOW)));
	const left = readdirSync(backups).map((name) => join(backups, name));
	assert.ok(left.length > 0 && left.every((path) => last.some((report) => report.path === path)));
});

test("keep: the backup that is being made stays, though the clock has gone back", async (t) => {
	const { folder, source } = database(t);
	const backups = join(folder, "backups");
	for (const minutes of [0, 1]) await writeBackup(source, backups, { keep: 5 }, NOW + minutes * 60_000);
	const { path } = await writeBackup(source, backups, { keep: 1 }, NOW - 60_000);
	assert.deepEqual(
		readdirSync(backups).map((name) => join(backups, name)),
		[path],
	);
	const next = await writeBackup(source, backups, { keep: 2 }, NOW - 120_000);
	assert.ok(existsSync(path) && existsSync(next.path));
});

test("two backups to one destination: one is written, the other is refused", async (t) => {
	const { folder, source } = database(t);
	for (const name of ["copy", "copy.tar.gz"]) {
		const path = join(folder, name);
		const results = await Promise.allSettled([1, 2].map(() => writeBackup(source, path, {}, NOW)));
		const [refused, ...others] = results.flatMap((result) => (result.status === "rejected" ? [result.reason] : []));
		assert.deepEqual([others.length, refused?.code, refused?.details.field], [0, "INVALID_OPTION", "destination"]);
		const opened = await readBackup(path, { temporary: folder });
		checkContent(opened.records);
		opened.close();
	}
	assert.deepEqual(readdirSync(folder).sort(), ["copy", "copy.tar.gz", "data"]);
});

test("damage anywhere is found, and the file is named", async (t) => {
	const { folder, source } = database(t);
	await saveSnapshot(source, 5);
	const good = join(folder, "good");
	await writeBackup(source, good);
	let copies = 0;
	const damagedCopy = (damage: (path: string) => void): string => {
		const path = join(folder, `damaged ${copies++}`);
		cpSync(good, path, { recursive: true });
		damage(path);
		return path;
	};
	for (const name of ["records.sqlite", "snapshots/1-5.nigh-snapshot", MANIFEST_FILE]) {
		for (const place of [0, 0.5, 0.99]) {
			const path = damagedCopy((copy) => flipBit(join(copy, name), place));
			await assert.rejects(readBackup(path), { code: "CORRUPT_RECORDS", details: { path: join(path, name) } });
		}
		const short = damagedCopy((copy) => truncateSync(join(copy, name), statSync(join(copy, name)).size - 1));
		if (name !== MANIFEST_FILE) await assert.rejects(readBackup(short), { code: "CORRUPT_RECORDS", message: /bytes/ });
	}
	const without = damagedCopy((copy) => writeFileSync(join(copy, MANIFEST_FILE), "null"));
	await assert.rejects(readBackup(without), { code: "CORRUPT_RECORDS" });
});

test("a damaged or cut archive is CORRUPT_RECORDS, and leaves nothing behind", async (t) => {
	const { folder, source } = database(t);
	const good = join(folder, "good.tar.gz");
	await writeBackup(source, good);
	const temporary = join(folder, "temporary");
	mkdirSync(temporary);
	const bad = join(folder, "bad.tar.gz");
	for (const place of [0, 0.1, 0.5, 0.9]) {
		cpSync(good, bad);
		flipBit(bad, place);
		await assert.rejects(readBackup(bad, { temporary }), { code: "CORRUPT_RECORDS" }, `bit at ${place}`);
		cpSync(good, bad);
		truncateSync(bad, Math.floor(statSync(bad).size * place));
		await assert.rejects(readBackup(bad, { temporary }), { code: "CORRUPT_RECORDS" });
	}
	writeFileSync(bad, "not an archive");
	await assert.rejects(readBackup(bad, { temporary }), { code: "CORRUPT_RECORDS" });
	assert.deepEqual(readdirSync(temporary), []);
});

test("what is missing, and what is no backup, is NOT_FOUND; a file that is missing from a backup is damage", async (t) => {
	const { folder, source } = database(t);
	await assert.rejects(readBackup(join(folder, "nowhere")), { code: "NOT_FOUND" });
	await assert.rejects(readBackup(source), { code: "NOT_FOUND", message: /is not a backup/ });
	const path = join(folder, "copy");
	await writeBackup(source, path);
	const { manifest, records, close } = await readBackup(path);
	close();
	assert.equal(manifest.files.length, 1);
	rmSync(records);
	await assert.rejects(readBackup(path), {
		code: "CORRUPT_RECORDS",
		message: /is missing/,
		details: { path: records },
	});
});

test("the records are held until released", async (t) => {
	const { source } = database(t);
	const held = holdRecords(pathsIn(source).records);
	assert.deepEqual(
		held.collections.map(({ name, records }) => [name, records]),
		[["notes", RECORDS]],
	);
	assert.equal(held.bytes, statSync(pathsIn(source).records).size);
	held.release();
});

function flipBit(path: string, place: number): void {
	const bytes = readFileSync(path);
	const at = Math.floor(place * bytes.length);
	bytes[at] = (bytes[at] as number) ^ 4;
	writeFileSync(path, bytes);
}
