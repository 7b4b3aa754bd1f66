import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { crc32 } from "node:zlib";
import { isNighError } from "@nigh/contract";
import fc from "fast-check";
import { testFolder } from "../folder/folder.test-support.ts";
import { encodeFront } from "./front.ts";
import { FRONT, range, replaceInFs, rowsOf, systemError } from "./row-files.test-support.ts";
import { RowFileWriter } from "./write.ts";

const MIB = 1 << 20;
const coded = (code: "DISK_FULL" | "INVALID_OPTION" | "CLOSED" | "NOT_FOUND") => (error: unknown) =>
	isNighError(error, code);

test("the file is the front and the rows, in the order in which they came", async (t) => {
	const folder = testFolder(t);
	const writer = RowFileWriter.create(folder, { ...FRONT, from: 100 });
	assert.deepEqual(writer.segment, { file: writer.file, from: 100, rows: 0 });
	for (const [from, count] of [
		[100, 3],
		[103, 0],
		[103, 1],
	] as const) {
		writer.append(rowsOf(range(from, count), 24));
	}
	await writer.flush();
	await writer.close();
	assert.equal(writer.rows, 4);
	assert.equal(writer.path, join(folder, writer.file));
	assert.deepEqual(writer.segment, { file: writer.file, from: 100, rows: 4 });
	const expected = Buffer.concat([encodeFront({ ...FRONT, from: 100 }), rowsOf(range(100, 4), 24)]);
	assert.ok(readFileSync(writer.path).equals(expected));
});

test("two files never have one name", async (t) => {
	const folder = testFolder(t);
	const writers = range(0, 20).map(() => RowFileWriter.create(folder, FRONT));
	for (const writer of writers) await writer.close();
	assert.equal(new Set(readdirSync(folder)).size, 20);
});

test("its checksums are those of every MiB of rows, however they came", async (t) => {
	const folder = testFolder(t);
	// Rows that do not fill a block, so that some lie across two.
	const front = { ...FRONT, rowBytes: 1_000 };
	const rows = rowsOf(range(0, 3_000), 1_000);
	const sizes = fc.array(fc.integer({ min: 0, max: 1_500 }), { minLength: 1, maxLength: 6 });
	const runs = fc.asyncProperty(sizes, async (counts) => {
		const writer = RowFileWriter.create(folder, front);
		let end = 0;
		for (const count of counts) {
			const next = Math.min(rows.length, end + count * 1_000);
			writer.append(rows.subarray(end, next));
			end = next;
			const expected = range(0, Math.ceil(end / MIB)).map((block) =>
				crc32(rows.subarray(block * MIB, Math.min(end, (block + 1) * MIB))),
			);
			assert.deepEqual([...writer.checksums()], expected);
		}
		await writer.close();
	});
	await fc.assert(runs, { numRuns: 20 });
});

test("a block that is exactly full is one checksum", async (t) => {
	const writer = RowFileWriter.create(testFolder(t), { ...FRONT, rowBytes: 1 << 19 });
	const rows = rowsOf([0, 1], 1 << 19);
	assert.deepEqual([...writer.checksums()], []);
	writer.append(rows);
	assert.deepEqual([...writer.checksums()], [crc32(rows)]);
	await writer.close();
});

test("writes that take a part of what they are given are gone on with", async (t) => {
	const restore = replaceInFs(
		t,
		"writeSync",
		(original) => (file: number, bytes: Uint8Array, at: number, length: number, offset: number) =>
			original(file, bytes, at, Math.min(length, 1_000), offset),
	);
	const writer = RowFileWriter.create(testFolder(t), FRONT);
	writer.append(rowsOf(range(0, 500), 24));
	restore();
	await writer.close();
	const expected = Buffer.concat([encodeFront(FRONT), rowsOf(range(0, 500), 24)]);
	assert.ok(readFileSync(writer.path).equals(expected));
});

test("an append that fails in the middle counts for nothing, and the next one takes its place", async (t) => {
	const writer = RowFileWriter.create(testFolder(t), FRONT);
	writer.append(rowsOf(range(0, 10), 24));
	const sums = writer.checksums();
	let calls = 0;
	const restore = replaceInFs(
		t,
		"writeSync",
		(original) => (file: number, bytes: Uint8Array, at: number, length: number, offset: number) => {
			if (++calls === 2) throw systemError("ENOSPC");
			return original(file, bytes, at, Math.min(length, 100), offset);
		},
	);
	assert.throws(() => writer.append(rowsOf(range(900, 20), 24)), coded("DISK_FULL"));
	restore();
	assert.equal(calls, 2);
	assert.equal(writer.rows, 10);
	assert.deepEqual(writer.checksums(), sums);
	writer.append(rowsOf(range(10, 20), 24));
	await writer.flush();
	await writer.close();
	assert.ok(
		readFileSync(writer.path)
			.subarray(4_096)
			.equals(rowsOf(range(0, 30), 24)),
	);
	assert.deepEqual([...writer.checksums()], [crc32(rowsOf(range(0, 30), 24))]);
});

test("a file that cannot be begun leaves nothing", (t) => {
	const folder = testFolder(t);
	assert.throws(() => RowFileWriter.create(join(folder, "nowhere"), FRONT), coded("NOT_FOUND"));
	replaceInFs(t, "writeSync", () => () => {
		throw systemError("ENOSPC");
	});
	assert.throws(() => RowFileWriter.create(folder, FRONT), coded("DISK_FULL"));
	assert.deepEqual(readdirSync(folder), []);
});

test("what cannot be is refused: parts of rows, and fronts", async (t) => {
	const folder = testFolder(t);
	const writer = RowFileWriter.create(folder, FRONT);
	assert.throws(() => writer.append(new Uint8Array(25)), coded("INVALID_OPTION"));
	assert.equal(writer.rows, 0);
	await writer.close();
	for (const wrong of [{ key: 0 }, { rowBytes: 0 }, { rowBytes: 1.5 }, { from: -1 }, { from: 2 ** 32 }]) {
		assert.throws(() => RowFileWriter.create(folder, { ...FRONT, ...wrong }), coded("INVALID_OPTION"));
	}
	assert.deepEqual(readdirSync(folder), [writer.file]);
});

test("after a flush that failed, nothing is appended or flushed any more", async (t) => {
	const writer = RowFileWriter.create(testFolder(t), FRONT);
	writer.append(rowsOf([0], 24));
	const restore = replaceInFs(t, "fsync", () => (_file: number, done: (error: Error) => void) => {
		setImmediate(done, systemError("ENOSPC"));
	});
	// The second one waits for the first.
	const both = await Promise.allSettled([writer.flush(), writer.flush()]);
	restore();
	for (const one of both) assert.ok(one.status === "rejected" && isNighError(one.reason, "DISK_FULL"));
	await assert.rejects(writer.flush(), coded("DISK_FULL"));
	assert.throws(() => writer.append(rowsOf([1], 24)), coded("DISK_FULL"));
	await writer.close();
});

test("close waits for a flush, and after it there is nothing to be done", async (t) => {
	const writer = RowFileWriter.create(testFolder(t), FRONT);
	let flushed = false;
	replaceInFs(t, "fsync", (original) => (file: number, done: (error: Error | null) => void) => {
		original(file, (error) => {
			flushed = error === null;
			done(error);
		});
	});
	const flushing = writer.flush();
	await writer.close();
	assert.ok(flushed);
	await flushing;
	await writer.close();
	assert.throws(() => writer.append(rowsOf([0], 24)), coded("CLOSED"));
	await assert.rejects(writer.flush(), coded("CLOSED"));
});
