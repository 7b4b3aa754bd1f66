import assert from "node:assert/strict";
import { appendFileSync, mkdirSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { crc32 } from "node:zlib";
import { isNighError, type NighError } from "@nigh/contract";
import { testFolder } from "../folder/folder.test-support.ts";
import { encodeFront, FRONT_BYTES } from "./front.ts";
import type { RowFileOwner } from "./open.ts";
import { RowFiles } from "./read.ts";
import { FRONT, flip, OWNER, written } from "./row-files.test-support.ts";
import type { PlacedSegment } from "./segments.ts";

/** What opening a file says of it; `undefined`: nothing is wrong. Only a coded error is an answer. */
function damageOf(folder: string, segment: PlacedSegment, rowBytes = FRONT.rowBytes, owner: RowFileOwner = OWNER) {
	const files = new RowFiles(folder, rowBytes, [segment], owner);
	try {
		files.open();
		return undefined;
	} catch (error) {
		if (!isNighError(error)) throw error;
		return error;
	} finally {
		void files.close();
	}
}

function assertCorrupt(error: NighError | undefined, message: RegExp, byteOffset?: number): void {
	assert.equal(error?.code, "CORRUPT_SNAPSHOT");
	assert.match(error?.message ?? "", message);
	assert.equal(typeof error?.details.path, "string");
	if (byteOffset !== undefined) assert.equal(error?.details.byteOffset, byteOffset);
}

async function oneFile(t: TestContext) {
	const folder = testFolder(t);
	const segment = await written(folder, FRONT, 10);
	assert.equal(damageOf(folder, segment), undefined);
	return { folder, segment, path: join(folder, segment.file) };
}

/** A file whose front is another one, with right checksums. */
function forge(path: string, change: (view: DataView) => void): void {
	const front = encodeFront(FRONT);
	const view = new DataView(front.buffer);
	change(view);
	view.setUint32(48, crc32(front.subarray(0, 48)), true);
	writeFileSync(path, Buffer.concat([front, new Uint8Array(10 * FRONT.rowBytes)]));
}

test("a bit that is flipped anywhere in the front is found", async (t) => {
	const { folder, segment } = await oneFile(t);
	for (let at = 0; at < FRONT_BYTES; at++) {
		for (let bit = at < 52 ? 0 : 7; bit < 8; bit++) {
			flip(folder, segment.file, at, 1 << bit);
			const damage = damageOf(folder, segment);
			flip(folder, segment.file, at, 1 << bit);
			assert.equal(damage?.code, "CORRUPT_SNAPSHOT", `byte ${at}, bit ${bit}`);
		}
	}
	assert.equal(damageOf(folder, segment), undefined);
});

test("a sound front that is not the expected one is told with what is different and where", async (t) => {
	const { folder, segment, path } = await oneFile(t);
	assertCorrupt(damageOf(folder, segment, 48), /24 as bytes a row; 48 was expected/, 12);
	assertCorrupt(damageOf(folder, segment, FRONT.rowBytes, { key: 8 }), /of collection 7; one of collection 8/, 0);
	assertCorrupt(damageOf(folder, segment, FRONT.rowBytes, { databaseId: "another" }), /database another/, 32);
	assert.equal(damageOf(folder, segment, FRONT.rowBytes, {}), undefined);
	forge(path, (view) => view.setBigUint64(16, 1n, true));
	assertCorrupt(damageOf(folder, segment), /1 as first slot; 0 was expected/, 16);
	const renamed = { ...segment, file: segment.file.replace("7-", "8-") };
	renameSync(path, join(folder, renamed.file));
	forge(join(folder, renamed.file), () => {});
	assertCorrupt(damageOf(folder, renamed, FRONT.rowBytes, {}), /7 as collection; 8 was expected/, 24);
});

test("a later format is not damage; format 0 is", async (t) => {
	const { folder, segment, path } = await oneFile(t);
	forge(path, (view) => view.setUint32(8, 2, true));
	assert.equal(damageOf(folder, segment)?.code, "NEWER_VERSION");
	forge(path, (view) => view.setUint32(8, 0, true));
	assertCorrupt(damageOf(folder, segment), /no format version 0/, 8);
});

test("a file that was cut off is found, wherever; one that has more rows is sound", async (t) => {
	const { folder, segment, path } = await oneFile(t);
	appendFileSync(path, new Uint8Array(FRONT.rowBytes + 5));
	assert.equal(damageOf(folder, segment), undefined);
	for (const size of [FRONT_BYTES + 10 * FRONT.rowBytes - 1, FRONT_BYTES + 1, FRONT_BYTES]) {
		truncateSync(path, size);
		assertCorrupt(damageOf(folder, segment), /its 10 rows need 4336/, size);
	}
	for (const size of [FRONT_BYTES - 1, 8, 0]) {
		truncateSync(path, size);
		assertCorrupt(damageOf(folder, segment), /ends inside its front/, size);
	}
});

test("a file that shrinks while it is open is damage too", async (t) => {
	const { folder, segment, path } = await oneFile(t);
	const files = new RowFiles(folder, FRONT.rowBytes, [segment], OWNER);
	t.after(() => files.close());
	files.open();
	truncateSync(path, statSync(path).size - 1);
	const last = new Uint8Array(FRONT.rowBytes);
	const found = (error: unknown) => {
		assertCorrupt(error as NighError, /before the row of slot 9/, FRONT_BYTES + 10 * FRONT.rowBytes - 1);
		return true;
	};
	assert.throws(() => files.readSync(9, 1, last), found);
	await assert.rejects(files.readMany(Uint32Array.of(9), last), found);
});

test("what is not there, and what is no file, is told", async (t) => {
	const { folder, segment, path } = await oneFile(t);
	rmSync(path);
	assert.equal(damageOf(folder, segment)?.code, "NOT_FOUND");
	mkdirSync(path);
	// Systems differ in whether a folder can be opened; none lets it be read.
	assert.throws(() => new RowFiles(folder, FRONT.rowBytes, [segment]).open());
});
