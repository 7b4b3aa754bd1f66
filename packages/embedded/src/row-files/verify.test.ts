import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { isNighError } from "@nigh/contract";
import { testFolder } from "../folder/folder.test-support.ts";
import { FRONT_BYTES } from "./front.ts";
import { FRONT, flip, OWNER, range, rowsOf } from "./row-files.test-support.ts";
import type { PlacedSegment } from "./segments.ts";
import { verifySegments } from "./verify.ts";
import { RowFileWriter } from "./write.ts";

const MIB = 1 << 20;
const ROW_BYTES = 1_000;

/** Two files: one whose snapshot was taken before its last rows came, and a small one. */
async function twoFiles(t: TestContext) {
	const folder = testFolder(t);
	const first = RowFileWriter.create(folder, { ...FRONT, rowBytes: ROW_BYTES });
	first.append(rowsOf(range(0, 2_500), ROW_BYTES));
	const segments: PlacedSegment[] = [first.segment];
	const checksums = [...first.checksums()];
	first.append(rowsOf(range(2_500, 100), ROW_BYTES));
	const second = RowFileWriter.create(folder, { ...FRONT, rowBytes: ROW_BYTES, from: 2_500 });
	second.append(rowsOf([7], ROW_BYTES));
	segments.push(second.segment);
	checksums.push(...second.checksums());
	await first.close();
	await second.close();
	const verify = (options = {}) =>
		verifySegments(folder, ROW_BYTES, segments, Uint32Array.from(checksums), { owner: OWNER, ...options });
	return { folder, segments, checksums, verify };
}

test("rows that are as they were written are right, and progress is told to the end", async (t) => {
	const { verify } = await twoFiles(t);
	const told: [number, number][] = [];
	let turns = 0;
	const yieldNow = async () => {
		turns++;
	};
	assert.equal(
		await verify({ onProgress: (done: number, total: number) => told.push([done, total]), yieldNow }),
		2_501_000,
	);
	assert.deepEqual(told, [
		[MIB, 2_501_000],
		[2 * MIB, 2_501_000],
		[2_500_000, 2_501_000],
		[2_501_000, 2_501_000],
	]);
	assert.equal(turns, 0);
});

test("a byte that is flipped is found, with its file and block", async (t) => {
	const { folder, segments, verify } = await twoFiles(t);
	const places = [
		[0, 0, 0],
		[0, MIB - 1, 0],
		[0, MIB, 1],
		[0, 2_499_999, 2],
		[1, 0, 0],
		[1, 999, 0],
	] as const;
	for (const [at, offset, block] of places) {
		const { file } = segments[at] as PlacedSegment;
		flip(folder, file, FRONT_BYTES + offset, 0x10);
		await assert.rejects(verify(), (error) => {
			assert.ok(isNighError(error, "CORRUPT_SNAPSHOT"));
			const { path, byteOffset } = error.details;
			assert.deepEqual({ path, byteOffset }, { path: join(folder, file), byteOffset: FRONT_BYTES + block * MIB });
			return true;
		});
		flip(folder, file, FRONT_BYTES + offset, 0x10);
	}
	// What came after the snapshot is not the snapshot's.
	flip(folder, (segments[0] as PlacedSegment).file, FRONT_BYTES + 2_500_000, 1);
	await verify();
});

test("fronts, and the number of checksums, are verified as well", async (t) => {
	const { folder, segments, checksums, verify } = await twoFiles(t);
	for (const wrong of [checksums.slice(1), [...checksums, 0]]) {
		const verifying = verifySegments(folder, ROW_BYTES, segments, Uint32Array.from(wrong));
		await assert.rejects(verifying, (error) => isNighError(error, "CORRUPT_SNAPSHOT"));
	}
	await assert.rejects(verify({ owner: { databaseId: "another" } }), (error) => isNighError(error, "CORRUPT_SNAPSHOT"));
	assert.equal(await verifySegments(folder, ROW_BYTES, [], new Uint32Array(0)), 0);
});

test("a signal ends it early", async (t) => {
	const { verify } = await twoFiles(t);
	const controller = new AbortController();
	const ending = verify({ signal: controller.signal, onProgress: () => controller.abort() });
	await assert.rejects(ending, (error) => isNighError(error, "ABORTED"));
});
