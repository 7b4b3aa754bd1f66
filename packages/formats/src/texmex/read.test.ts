import assert from "node:assert/strict";
import { test } from "node:test";
import { BOUNDS, isNighError } from "@nigh/contract";
import fc from "fast-check";
import { ascii, float32s, int32s } from "../cases.test-support.ts";
import { concatenated, invalidFileOf, outcomeOf, WatchedSource } from "../sources.test-support.ts";
import { readBvecs, readFvecs, readIvecs } from "./read.ts";

test("every bit of a float is kept, NaN and infinity too", async () => {
	const bits = [0x7fc00001, 0xff800000 | 0, 0x7f800000, 1, 0x80000000 | 0, 0x7f7fffff];
	const outcome = await outcomeOf(readFvecs([concatenated([int32s(bits.length), int32s(...bits)])]));
	const [batch] = outcome.batches;
	assert.ok(batch);
	assert.deepEqual(Array.from(new Int32Array(batch.values.buffer)), bits);
});

test("the whole range of uint8 and int32 is read", async () => {
	const bytes = await outcomeOf(readBvecs([concatenated([int32s(3), Uint8Array.of(0, 128, 255)])]));
	assert.deepEqual(bytes.rows, [[0, 128, 255]]);
	const ints = await outcomeOf(readIvecs([int32s(2, -(2 ** 31), 2 ** 31 - 1)]));
	assert.deepEqual(ints.rows, [[-(2 ** 31), 2 ** 31 - 1]]);
});

test("a row of another dimension is refused at its place, after the rows before it", async () => {
	const file = concatenated([int32s(2), float32s(1, 2), int32s(2), float32s(3, 4), int32s(3), float32s(5, 6, 7)]);
	for (const batchBytes of [1, 8, 16, 1_000]) {
		const outcome = await outcomeOf(readFvecs([file], { batchBytes }));
		assert.deepEqual(outcome.rows, [
			[1, 2],
			[3, 4],
		]);
		const { message, details } = invalidFileOf(outcome);
		assert.match(message, /^fvecs file, row 2, byte 24: the row states dimension 3; expected 2, as in row 0\. /);
		assert.deepEqual([details.row, details.byteOffset, details.found], [2, 24, 3]);
	}
});

test("a dimension outside the bound is refused without reading on", async () => {
	const { min, max } = BOUNDS.dimensions;
	for (const dimensions of [min - 1, -1, max + 1, 2 ** 31 - 1, -(2 ** 31)]) {
		const source = new WatchedSource([int32s(dimensions), new Uint8Array(64)]);
		const { message, details } = invalidFileOf(await outcomeOf(readFvecs(source)));
		assert.match(
			message,
			new RegExp(`row 0, byte 0: the row states dimension ${dimensions}; expected ${min} to ${max}\\.`),
		);
		assert.deepEqual([details.row, details.byteOffset], [0, 0]);
		assert.deepEqual([source.given, source.closed], [4, 1]);
	}
	for (const dimensions of [min, max]) {
		const outcome = await outcomeOf(readBvecs([int32s(dimensions), new Uint8Array(dimensions)]));
		assert.deepEqual([outcome.rows[0]?.length, outcome.error], [dimensions, undefined]);
	}
});

test("a text file is not taken for vectors", async () => {
	const outcome = await outcomeOf(readFvecs([ascii('{"vector":[1,2]}\n')]));
	assert.equal(invalidFileOf(outcome).details.byteOffset, 0);
});

test("the whole of a large chunk is read in batches of about 1 MiB unless told otherwise", async () => {
	const rows = 3_000;
	const file = new Uint8Array(rows * 1_004);
	for (let row = 0; row < rows; row++) file.set(int32s(1_000), row * 1_004);
	const outcome = await outcomeOf(readBvecs([file]));
	const counts = outcome.batches.map((batch) => batch.count);
	assert.deepEqual(counts, [1_048, 1_048, 904]);
});

/** The format as its description has it, over the whole file at once. */
function model(file: Uint8Array): { rows: number[][]; fails: boolean } {
	const view = new DataView(file.buffer, file.byteOffset, file.length);
	const rows: number[][] = [];
	for (let at = 0; at < file.length; ) {
		if (file.length - at < 4) return { rows, fails: true };
		const dimensions = view.getInt32(at, true);
		const isWrong = dimensions < 1 || dimensions > 16_384 || (rows[0] ?? { length: dimensions }).length !== dimensions;
		if (isWrong || file.length - at < 4 + dimensions) return { rows, fails: true };
		rows.push(Array.from(file.subarray(at + 4, at + 4 + dimensions)));
		at += 4 + dimensions;
	}
	return { rows, fails: false };
}

test("files of nearly regular rows give what the description of the format says", async () => {
	const dimension = fc.oneof({ weight: 8, arbitrary: fc.constant(2) }, { weight: 1, arbitrary: fc.nat(4) });
	const row = fc.tuple(dimension, fc.uint8Array({ minLength: 2, maxLength: 2 }));
	const file = fc
		.array(row, { maxLength: 8 })
		.map((rows) => concatenated(rows.flatMap(([d, body]) => [int32s(d), body])));
	const property = fc.asyncProperty(file, fc.integer({ min: 1, max: 12 }), async (bytes, batchBytes) => {
		const expected = model(bytes);
		const outcome = await outcomeOf(readBvecs([bytes], { batchBytes }));
		assert.deepEqual(outcome.rows, expected.rows);
		assert.equal(isNighError(outcome.error, "INVALID_FILE"), expected.fails);
	});
	await fc.assert(property);
});
