import assert from "node:assert/strict";
import { existsSync, readdirSync, rmSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { testFolder } from "../folder/folder.test-support.ts";
import { keyOfRowFile } from "../row-files/folder.ts";
import { RowFiles } from "../row-files/read.ts";
import { flip, range, rowsOf } from "../row-files/row-files.test-support.ts";
import { endOf, MOST_SEGMENTS } from "../row-files/segments.ts";
import { verifySegments } from "../row-files/verify.ts";
import type { SavedRows } from "../snapshot/saved-rows.ts";
import { KeptRows, type RowPlace } from "./kept-rows.ts";

const ROW_BYTES = 48;
const OWNER = { databaseId: "the database", key: 3 };

function placeIn(folder: string, readOnly = false): RowPlace {
	return { folder, ...OWNER, records: join(folder, "records.sqlite"), readOnly };
}

const filesIn = (folder: string) => readdirSync(folder).filter((name) => keyOfRowFile(name) !== undefined);

/** Rows of consecutive slots. */
const rows = (from: number, count: number) => rowsOf(range(from, count), ROW_BYTES);

test("keeps rows by slot, and passes over those that it has", (t) => {
	const kept = new KeptRows(placeIn(testFolder(t)), ROW_BYTES);
	t.after(() => kept.close());
	assert.equal(kept.end, 0);
	kept.keep(0, rows(0, 10));
	assert.equal(kept.end, 10);
	for (const [from, count, end] of [
		[0, 10, 10],
		[4, 3, 10],
		[4, 10, 14],
		[13, 2, 15],
		[15, 0, 15],
		[15, 1, 16],
	] as const) {
		kept.keep(from, rows(from, count));
		assert.equal(kept.end, end);
	}
	const slots = Uint32Array.of(15, 0, 7, 13, 7);
	assert.deepEqual(Buffer.from(kept.read(slots)), rowsOf(slots, ROW_BYTES));
	assert.throws(() => kept.read(Uint32Array.of(16)), { code: "INVALID_OPTION" });
	assert.equal(kept.read(new Uint32Array(0)).length, 0);
});

test("session after session, each with a segment of its own, has all rows and the checksums of all", async (t) => {
	await fc.assert(
		fc.asyncProperty(
			fc.array(fc.array(fc.integer({ min: 0, max: 900 }), { maxLength: 4 }), { minLength: 1, maxLength: 5 }),
			fc.constantFrom(16, 48, 4_096, 2 ** 20 + 16),
			async (sessions, wide) => {
				const folder = testFolder(t);
				// Rows that span a block of checksums, few of them.
				const share = wide > 2 ** 16 ? 300 : 1;
				let saved: SavedRows | undefined;
				let end = 0;
				for (const appended of sessions) {
					const kept = new KeptRows(placeIn(folder), wide, saved);
					assert.equal(kept.end, end);
					for (const count of appended.map((each) => Math.floor(each / share))) {
						kept.keep(end, rowsOf(range(end, count), wide));
						end += count;
					}
					saved = await kept.saved();
					kept.close();
					assert.equal(endOf(saved.segments), end);
					const owner = { ...OWNER };
					const bytes = await verifySegments(folder, wide, saved.segments, saved.checksums, { owner });
					assert.equal(bytes, end * wide);
				}
				const last = saved as SavedRows;
				const files = new RowFiles(folder, wide, last.segments, OWNER);
				const all = new Uint8Array(end * wide);
				files.readSync(0, end, all);
				await files.close();
				assert.ok(Buffer.from(all).equals(rowsOf(range(0, end), wide)));
				if (end === 0) return;
				const { file } = last.segments.find(({ rows: count }) => count > 0) as { file: string };
				flip(folder, file, 4_096 + 5, 1);
				await assert.rejects(verifySegments(folder, wide, last.segments, last.checksums), { code: "CORRUPT_SNAPSHOT" });
			},
		),
		{ numRuns: 25 },
	);
});

test("other threads read by what it says, also what is appended afterwards", async (t) => {
	const folder = testFolder(t);
	const kept = new KeptRows(placeIn(folder), ROW_BYTES);
	t.after(() => kept.close());
	const { at } = kept;
	const files = new RowFiles(at.folder, ROW_BYTES, at.segments, OWNER);
	t.after(() => files.close());
	kept.keep(0, rows(0, 20));
	const into = new Uint8Array(3 * ROW_BYTES);
	await files.readMany(Uint32Array.of(19, 0, 7), into);
	assert.deepEqual(Buffer.from(into), rowsOf([19, 0, 7], ROW_BYTES));
});

test("saved() is of what there was when it was called", async (t) => {
	const folder = testFolder(t);
	const kept = new KeptRows(placeIn(folder), ROW_BYTES);
	t.after(() => kept.close());
	kept.keep(0, rows(0, 20));
	const saving = kept.saved();
	kept.keep(20, rows(20, 30));
	const { segments, checksums, rowBytes } = await saving;
	assert.deepEqual([endOf(segments), rowBytes], [20, ROW_BYTES]);
	assert.equal(await verifySegments(folder, ROW_BYTES, segments, checksums, { owner: OWNER }), 20 * ROW_BYTES);
});

test("what is discarded is gone, and what earlier sessions have kept is not", async (t) => {
	const folder = testFolder(t);
	const first = new KeptRows(placeIn(folder), ROW_BYTES);
	first.keep(0, rows(0, 5));
	const saved = await first.saved();
	first.close();
	const before = filesIn(folder);
	const second = new KeptRows(placeIn(folder), ROW_BYTES, saved);
	second.keep(5, rows(5, 5));
	assert.equal(filesIn(folder).length, 2);
	second.discard();
	assert.deepEqual(filesIn(folder), before);
	assert.throws(() => second.keep(10, rows(10, 1)), { code: "CLOSED" });
	assert.throws(() => second.read(Uint32Array.of(0)), { code: "CLOSED" });
	second.discard();
});

test("check tells of files that earlier sessions have kept and that are not as they were", async (t) => {
	const folder = testFolder(t);
	const damages: readonly [code: string, damage: (path: string) => void][] = [
		["NOT_FOUND", (path) => rmSync(path)],
		["CORRUPT_SNAPSHOT", (path) => truncateSync(path, 4_096 + 5 * ROW_BYTES - 1)],
		["CORRUPT_SNAPSHOT", (path) => truncateSync(path, 4_095)],
	];
	for (const [code, damage] of damages) {
		const first = new KeptRows(placeIn(folder), ROW_BYTES);
		first.keep(0, rows(0, 5));
		const saved = await first.saved();
		first.close();
		const sound = new KeptRows(placeIn(folder), ROW_BYTES, saved);
		sound.check();
		sound.discard();
		damage(join(folder, saved.segments[0]?.file as string));
		const kept = new KeptRows(placeIn(folder), ROW_BYTES, saved);
		assert.throws(() => kept.check(), { code });
		kept.discard();
		const other = new KeptRows({ ...placeIn(folder), databaseId: "another" }, ROW_BYTES, saved);
		assert.throws(
			() => other.check(),
			(error: { code: string }) => error.code === "CORRUPT_SNAPSHOT" || error.code === code,
		);
		other.discard();
	}
});

test("in a folder of another process it appends to a temporary one, which goes with it", async (t) => {
	const folder = testFolder(t);
	const first = new KeptRows(placeIn(folder), ROW_BYTES);
	first.keep(0, rows(0, 5));
	const saved = await first.saved();
	first.close();
	const before = filesIn(folder);
	for (const end of ["close", "discard"] as const) {
		const kept = new KeptRows(placeIn(folder, true), ROW_BYTES, saved);
		kept.keep(3, rows(3, 10));
		assert.deepEqual(filesIn(folder), before);
		const own = kept.segments[1]?.folder as string;
		assert.notEqual(own, folder);
		const slots = Uint32Array.of(0, 4, 5, 12);
		assert.deepEqual(Buffer.from(kept.read(slots)), rowsOf(slots, ROW_BYTES));
		const files = new RowFiles(kept.at.folder, ROW_BYTES, kept.at.segments);
		const into = new Uint8Array(4 * ROW_BYTES);
		files.readManySync(slots, into);
		assert.deepEqual(Buffer.from(into), rowsOf(slots, ROW_BYTES));
		await files.close();
		kept[end]();
		// It goes when its file is given back.
		await new Promise((resolve) => setImmediate(resolve));
		assert.equal(existsSync(own), false, end);
		assert.deepEqual(filesIn(folder), before);
	}
});

test("as many segments as one generation may have are refused before anything is left behind", (t) => {
	const folder = testFolder(t);
	const segments = Array.from({ length: MOST_SEGMENTS }, (_, i) => ({
		file: `3-${i.toString(16).padStart(16, "0")}.nigh-rows`,
		from: i,
		rows: 1,
	}));
	const base = { segments, checksums: new Uint32Array(MOST_SEGMENTS) };
	assert.throws(() => new KeptRows(placeIn(folder), ROW_BYTES, base), { code: "INVALID_OPTION" });
	assert.deepEqual(filesIn(folder), []);
});
