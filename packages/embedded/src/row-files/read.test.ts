import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { isNighError, type NighError } from "@nigh/contract";
import fc from "fast-check";
import { testFolder } from "../folder/folder.test-support.ts";
import { RowFiles } from "./read.ts";
import { FRONT, OWNER, range, replaceInFs, rowOf, rowsOf, systemError, written } from "./row-files.test-support.ts";
import type { PlacedSegment } from "./segments.ts";
import { RowFileWriter } from "./write.ts";

const { rowBytes } = FRONT;
const coded = (code: NighError["code"], message?: RegExp) => (error: unknown) =>
	isNighError(error, code) && (message === undefined || message.test(error.message));

/** Files of so many rows each, one after the other, and a reader of them. */
async function filesOf(t: TestContext, ...counts: number[]) {
	const folder = testFolder(t);
	const segments: PlacedSegment[] = [];
	let from = 0;
	for (const count of counts) {
		segments.push(await written(folder, { ...FRONT, from }, count));
		from += count;
	}
	const files = new RowFiles(folder, rowBytes, segments, OWNER);
	t.after(() => files.close());
	return { folder, segments, files };
}

const into = (rows: number) => new Uint8Array(rows * rowBytes);

/** Reads the slots in every way, and compares with what was written. */
async function assertRead(files: RowFiles, slots: readonly number[]): Promise<void> {
	const expected = rowsOf(slots, rowBytes);
	const [now, later] = [into(slots.length), into(slots.length)];
	files.readManySync(Uint32Array.from(slots), now);
	assert.ok(expected.equals(now), `readManySync of ${slots}`);
	await files.readMany(Uint32Array.from(slots), later);
	assert.ok(expected.equals(later), `readMany of ${slots}`);
}

test("rows are read by their slots, over the ends of files, consecutive or not, more than once", async (t) => {
	const { files } = await filesOf(t, 10, 1, 0, 20);
	assert.equal(files.rows, 31);
	for (const [from, count] of [
		[0, 31],
		[9, 3],
		[10, 1],
		[30, 1],
		[4, 0],
	] as const) {
		const rows = into(count);
		files.readSync(from, count, rows);
		assert.ok(rowsOf(range(from, count), rowBytes).equals(rows), `${count} from ${from}`);
	}
	for (const slots of [
		[],
		[5],
		[30, 0],
		[3, 4, 5],
		[5, 4, 3],
		[9, 10, 11],
		[7, 7, 7],
		[8, 9, 9, 10, 8],
		range(0, 31),
	]) {
		await assertRead(files, slots);
	}
});

test("any appends, in any files, read at any time in any order, are the rows that were written", async (t) => {
	const step = fc.oneof(
		{ weight: 4, arbitrary: fc.record({ append: fc.integer({ min: 0, max: 40 }) }) },
		{ weight: 1, arbitrary: fc.constant({ begin: true } as const) },
		{ weight: 4, arbitrary: fc.record({ read: fc.array(fc.nat(), { maxLength: 60 }), tell: fc.boolean() }) },
		{ weight: 2, arbitrary: fc.record({ from: fc.nat(), count: fc.nat(), tell: fc.boolean() }) },
	);
	const folder = testFolder(t);
	const runs = fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
		const model = new Map<number, Uint8Array>();
		let writer = RowFileWriter.create(folder, FRONT);
		let ended: PlacedSegment[] = [];
		const files = new RowFiles(folder, rowBytes, [writer.segment], OWNER);
		for (const one of steps) {
			if ("append" in one) {
				const slots = range(model.size, one.append);
				writer.append(rowsOf(slots, rowBytes));
				for (const slot of slots) model.set(slot, rowOf(slot, rowBytes));
			} else if ("begin" in one) {
				await writer.close();
				ended = [...ended, writer.segment];
				writer = RowFileWriter.create(folder, { ...FRONT, from: model.size });
				files.extend([...ended, writer.segment]);
			} else {
				// Rows that the reader was not told of are read as well, from the file that is being written.
				if (one.tell) files.extend([...ended, writer.segment]);
				if (model.size === 0) continue;
				const first = "read" in one ? 0 : one.from % model.size;
				const slots =
					"read" in one ? one.read.map((slot) => slot % model.size) : range(first, one.count % (model.size - first));
				const expected = Buffer.concat(slots.map((slot) => model.get(slot) as Uint8Array));
				const [now, later] = [into(slots.length), into(slots.length)];
				if ("read" in one) files.readManySync(Uint32Array.from(slots), now);
				else files.readSync(first, slots.length, now);
				await files.readMany(Uint32Array.from(slots), later);
				assert.ok(expected.equals(now));
				assert.ok(expected.equals(later));
			}
		}
		await files.close();
		await writer.close();
	});
	await fc.assert(runs, { numRuns: 60 });
});

test("consecutive slots are one read, and reads go through a file in one direction", async (t) => {
	const { files } = await filesOf(t, 100, 100);
	files.open();
	const reads: [number, number][] = [];
	replaceInFs(
		t,
		"read",
		(original) => (file: number, rows: Uint8Array, at: number, bytes: number, offset: number, done: () => void) => {
			reads.push([(offset - 4_096) / rowBytes, bytes / rowBytes]);
			original(file, rows, at, bytes, offset, done);
		},
	);
	await assertRead(files, [150, 99, 3, 100, 1, 2, 50, 101]);
	assert.deepEqual(reads, [
		[1, 3],
		[50, 1],
		[99, 1],
		[0, 2],
		[50, 1],
	]);
});

test("reads that give a part of what was asked for are gone on with", async (t) => {
	const { files } = await filesOf(t, 50, 50);
	type Read = (file: number, rows: Uint8Array, at: number, bytes: number, offset: number, done: () => void) => number;
	const short = (original: unknown) =>
		((file, rows, at, bytes, offset, done) =>
			(original as Read)(file, rows, at, Math.min(7, bytes), offset, done)) as Read;
	replaceInFs(t, "read", short);
	await assertRead(files, [70, 2, 3, 4, 50, 49]);
	t.mock.restoreAll();
	replaceInFs(t, "readSync", short);
	await assertRead(files, [70, 2, 3, 4, 50, 49]);
});

test("shared memory can be read into", async (t) => {
	const { files } = await filesOf(t, 20);
	const rows = new Uint8Array(new SharedArrayBuffer(3 * rowBytes + 8), 8);
	await files.readMany(Uint32Array.of(5, 19, 6), rows);
	assert.ok(rowsOf([5, 19, 6], rowBytes).equals(rows));
});

test("slots that there are not, and memory of another length, are refused", async (t) => {
	const { files } = await filesOf(t, 10, 10);
	const refused = coded("INVALID_OPTION");
	for (const slots of [[20], [0, 19, 20], [4_294_967_295]]) {
		assert.throws(() => files.readManySync(Uint32Array.from(slots), into(slots.length)), refused);
		await assert.rejects(files.readMany(Uint32Array.from(slots), into(slots.length)), refused);
	}
	assert.throws(() => files.readSync(19, 2, into(2)), coded("INVALID_OPTION", /no row of slot 20; there are 20/));
	for (const [slot, rows] of [
		[-1, 1],
		[0.5, 1],
		[0, -1],
		[0, Number.NaN],
	] as const) {
		assert.throws(() => files.readSync(slot, rows, into(1)), refused);
	}
	assert.throws(() => files.readSync(0, 2, into(3)), coded("INVALID_OPTION", /2 rows have 48 bytes/));
	assert.throws(() => files.readManySync(Uint32Array.of(1), into(2)), refused);
	await assert.rejects(files.readMany(Uint32Array.of(1), into(0)), refused);
	const none = new RowFiles("nowhere", rowBytes, []);
	assert.throws(() => none.readSync(0, 1, into(1)), refused);
	assert.throws(() => none.readManySync(Uint32Array.of(0), into(1)), refused);
	none.readManySync(Uint32Array.of(), into(0));
	assert.throws(() => none.readManySync(new Uint32Array(2 ** 20 + 1), into(0)), coded("INVALID_OPTION", /too many/));
});

test("only what goes on with the known segments extends them; older news changes nothing", async (t) => {
	const { files, segments } = await filesOf(t, 10, 10);
	const [first, second] = segments as [PlacedSegment, PlacedSegment];
	const other = "7-00000000000000ff.nigh-rows";
	files.open();
	for (const wrong of [
		[second],
		[first, { ...second, from: 11 }],
		[first, { ...second, file: other }],
		[{ ...first, file: other }, second],
		[first, { ...second, folder: "elsewhere" }],
		[first, { ...second, rows: -1 }],
		[
			{ ...first, rows: 6 },
			{ ...second, from: 6, rows: 20 },
		],
		[first, { ...second, rows: 9 }, { file: other, from: 19, rows: 1 }],
	]) {
		assert.throws(() => files.extend(wrong), coded("INVALID_OPTION"));
	}
	files.extend([first]);
	files.extend([first, { ...second, rows: 3 }]);
	assert.equal(files.rows, 20);
	files.extend([first, { ...second, rows: 12 }]);
	assert.equal(files.rows, 22);
	assert.throws(() => files.readSync(20, 1, into(1)), coded("CORRUPT_SNAPSHOT", /before the row of slot 20/));
	await assert.rejects(files.readMany(Uint32Array.of(20), into(1)), coded("CORRUPT_SNAPSHOT"));
	assert.throws(() => new RowFiles("folder", rowBytes, [second]), coded("INVALID_OPTION"));
});

test("a file is looked for when it is first read; once it is open it may be removed", async (t) => {
	const { files, folder, segments } = await filesOf(t, 10, 10);
	const paths = segments.map(({ file }) => join(folder, file));
	await assertRead(files, [3]);
	rmSync(paths[1] as string);
	await assertRead(files, [3, 4]);
	assert.throws(() => files.readSync(9, 2, into(2)), coded("NOT_FOUND"));
	await assert.rejects(files.readMany(Uint32Array.of(1, 15), into(2)), coded("NOT_FOUND"));
	assert.throws(() => files.open(), coded("NOT_FOUND"));
	rmSync(paths[0] as string);
	await assertRead(files, [3, 4]);
});

test("what is in an older file beyond its segment is not read: another session has gone on elsewhere", async (t) => {
	const folder = testFolder(t);
	const first = await written(folder, FRONT, 10);
	const second = await written(folder, { ...FRONT, from: 6 }, 10);
	const files = new RowFiles(folder, rowBytes, [{ ...first, rows: 6 }, second]);
	t.after(() => files.close());
	assert.equal(files.rows, 16);
	await assertRead(files, range(0, 16));
});

test("close lets the reads under way end, and then nothing is read any more", async (t) => {
	const { files } = await filesOf(t, 500);
	const slots = range(0, 250).map((at) => at * 2);
	const rows = [into(250), into(250)];
	const reads = rows.map((one) => files.readMany(Uint32Array.from(slots), one));
	const closing = files.close();
	assert.throws(() => files.readSync(0, 1, into(1)), coded("CLOSED"));
	assert.throws(() => files.open(), coded("CLOSED"));
	await assert.rejects(files.readMany(Uint32Array.of(1), into(1)), coded("CLOSED"));
	await closing;
	await Promise.all(reads);
	for (const one of rows) assert.ok(rowsOf(slots, rowBytes).equals(one));
	await files.close();
	assert.throws(() => files.readManySync(Uint32Array.of(1), into(1)), coded("CLOSED"));
});

test("an aborted read begins no other, and settles when nothing writes to its memory any more", async (t) => {
	const { files } = await filesOf(t, 500);
	files.open();
	type Done = (error: Error | null, bytes: number) => void;
	const held: (() => void)[] = [];
	replaceInFs(
		t,
		"read",
		(original) => (file: number, rows: Uint8Array, at: number, bytes: number, offset: number, done: Done) => {
			held.push(() => original(file, rows, at, bytes, offset, done));
		},
	);
	const controller = new AbortController();
	const slots = Uint32Array.from(range(0, 200), (at) => at * 2);
	let settled = false;
	const reading = files.readMany(slots, into(200), { signal: controller.signal }).finally(() => {
		settled = true;
	});
	const begun = held.length;
	assert.ok(begun > 1 && begun < 200, `${begun} in flight`);
	const reason = new Error("enough");
	controller.abort(reason);
	await new Promise(setImmediate);
	assert.equal(settled, false);
	for (const go of held.splice(0)) go();
	await assert.rejects(reading, (error) => isNighError(error, "ABORTED") && error.cause === reason);
	assert.equal(held.length, 0);
	await assert.rejects(files.readMany(slots, into(200), { signal: controller.signal }), coded("ABORTED"));
	assert.equal(held.length, 0);
});

test("a read that fails is told once the others have ended; a disk that cannot be read is damage", async (t) => {
	const { files, folder, segments } = await filesOf(t, 500);
	files.open();
	type Done = (error: Error | null, bytes: number) => void;
	let [calls, open] = [0, 0];
	const restore = replaceInFs(
		t,
		"read",
		(original) => (file: number, rows: Uint8Array, at: number, bytes: number, offset: number, done: Done) => {
			open++;
			const end: Done = (error, count) => {
				open--;
				done(error, count);
			};
			if (++calls === 3) setImmediate(end, systemError("EIO"), 0);
			else original(file, rows, at, bytes, offset, end);
		},
	);
	const slots = Uint32Array.from(range(0, 200), (at) => at * 2);
	await assert.rejects(files.readMany(slots, into(200)), (error) => {
		assert.ok(isNighError(error, "CORRUPT_SNAPSHOT"));
		assert.equal(error.details.path, join(folder, (segments[0] as PlacedSegment).file));
		assert.equal(error.details.byteOffset, 4_096 + 4 * rowBytes);
		return true;
	});
	assert.equal(open, 0);
	assert.ok(calls < 200);
	restore();
	replaceInFs(t, "readSync", () => () => {
		throw systemError("EIO");
	});
	assert.throws(() => files.readSync(1, 1, into(1)), coded("CORRUPT_SNAPSHOT"));
});
