import assert from "node:assert/strict";
import { test } from "node:test";
import { isNighError } from "@nigh/contract";
import fc from "fast-check";
import { float32s, float64s, npyDict, npyFile, numbers } from "../cases.test-support.ts";
import { chunked, concatenated, invalidFileOf, outcomeOf } from "../sources.test-support.ts";
import { readNpy } from "./read.ts";

const MAX_FLOAT32 = 3.4028234663852886e38;

test("half floats are converted exactly, NaN and infinity too", async () => {
	const bits = [0x0001, 0x83ff, 0x0400, 0x3555, 0x7bff, 0xfc00, 0x7e00, 0x8000];
	const payload = numbers(bits, 2, (view, at, value) => view.setUint16(at, value, true));
	const outcome = await outcomeOf(readNpy(chunked(npyFile(npyDict("<f2", false, [2, 4]), payload), [3])));
	assert.deepEqual(outcome.rows, [
		[2 ** -24, -1_023 * 2 ** -24, 2 ** -14, 0.333251953125],
		[65_504, Number.NEGATIVE_INFINITY, Number.NaN, -0],
	]);
});

test("doubles are rounded to the nearest float32; infinity and NaN stay", async () => {
	const values = [0.1, 1e-50, MAX_FLOAT32, Number.POSITIVE_INFINITY, Number.NaN, -1e-45];
	const outcome = await outcomeOf(readNpy([npyFile(npyDict("<f8", false, [2, 3]), float64s(...values))]));
	assert.deepEqual(outcome.rows.flat(), values.map(Math.fround));
	const property = fc.asyncProperty(fc.array(fc.double(), { minLength: 1, maxLength: 20 }), async (doubles) => {
		const fits = doubles.filter((value) => !Number.isFinite(value) || Number.isFinite(Math.fround(value)));
		if (fits.length === 0) return;
		const file = npyFile(npyDict("<f8", false, [fits.length, 1]), float64s(...fits));
		assert.deepEqual((await outcomeOf(readNpy(chunked(file, [13])))).rows.flat(), fits.map(Math.fround));
	});
	await fc.assert(property);
});

test("a double too large for float32 is refused with its row and its byte, after the rows before it", async () => {
	const values = [1, 2, 3, 4, 5, -1e39, 7, 8];
	for (const batchBytes of [1, 16, 1_000]) {
		const dict = npyDict("<f8", false, [4, 2]);
		const outcome = await outcomeOf(readNpy([npyFile(dict, float64s(...values))], { batchBytes }));
		assert.deepEqual(outcome.rows, [
			[1, 2],
			[3, 4],
		]);
		const { message, details } = invalidFileOf(outcome);
		const byteOffset = 10 + dict.length + 5 * 8;
		assert.deepEqual([details.row, details.column, details.byteOffset], [2, 1, byteOffset]);
		assert.match(
			message,
			new RegExp(`npy file, row 2, byte ${byteOffset}: number 1 of the row is too large for float32`),
		);
	}
	const dict = npyDict("<f8", true, [4, 2]);
	const { details } = invalidFileOf(await outcomeOf(readNpy([npyFile(dict, float64s(...values))])));
	assert.deepEqual([details.row, details.column, details.byteOffset], [1, 1, 10 + dict.length + 5 * 8]);
});

test("bytes behind the payload are refused, unless limit stops before", async () => {
	for (const fortran of [false, true]) {
		const dict = npyDict("<f4", fortran, [2, 2]);
		const file = concatenated([npyFile(dict, float32s(1, 2, 3, 4)), Uint8Array.of(0)]);
		const outcome = await outcomeOf(readNpy([file]));
		const { message, details } = invalidFileOf(outcome);
		assert.deepEqual([details.row, details.byteOffset], [2, file.length - 1]);
		assert.match(message, /goes on after the payload; expected its end after the 2 rows/);
		assert.equal(outcome.rows.length, fortran ? 0 : 2);
		assert.equal((await outcomeOf(readNpy([file], { limit: 1 }))).error, undefined);
	}
	const none = concatenated([npyFile(npyDict("<f4", false, [0, 2]), float32s(1, 2))]);
	assert.equal(invalidFileOf(await outcomeOf(readNpy([none]))).details.row, 0);
});

test("Fortran order beyond maxBytes is refused before the payload; limit makes it fit", async () => {
	const file = npyFile(npyDict("<f8", true, [10, 3]), float64s(...Array.from({ length: 30 }, (_, i) => i)));
	const { message, details } = invalidFileOf(await outcomeOf(readNpy([file], { maxBytes: 119 })));
	assert.match(message, /10 rows need 120 bytes at once; expected at most 119, the option maxBytes/);
	assert.deepEqual([details.needed, details.maxBytes], [120, 119]);
	assert.equal((await outcomeOf(readNpy([file], { maxBytes: 120 }))).rows.length, 10);
	const two = await outcomeOf(readNpy([file], { maxBytes: 24, limit: 2 }));
	assert.deepEqual(two.rows, [
		[0, 10, 20],
		[1, 11, 21],
	]);
	assert.throws(
		() => readNpy([file], { maxBytes: 0 }),
		(error) => isNighError(error, "INVALID_OPTION"),
	);
});

test("Fortran order of one row or one dimension is that of the rows, and needs no maxBytes", async () => {
	for (const shape of [
		[1, 4],
		[4, 1],
	]) {
		const file = npyFile(npyDict("<f4", true, shape), float32s(1, 2, 3, 4));
		const outcome = await outcomeOf(readNpy([file], { maxBytes: 1 }));
		assert.deepEqual([outcome.rows.flat(), outcome.rows.length], [[1, 2, 3, 4], shape[0]]);
	}
});

test("a header that claims many rows makes nothing of their size", async () => {
	const longest = await longestFloat32Array(async () => {
		for (const [fortran, shape] of [
			[true, [200_000, 1_000]],
			[true, [2, 16_384]],
			[false, [200_000_000, 1_000]],
			[false, [16_384]],
		] as const) {
			const file = npyFile(npyDict("<f4", fortran, shape), float32s(1, 2, 3));
			invalidFileOf(await outcomeOf(readNpy([file])));
		}
	});
	assert.ok(longest > 0 && longest <= 262_144, `an array of ${longest} numbers was made`);
});

/** The length of the longest Float32Array that is made meanwhile. */
async function longestFloat32Array(work: () => Promise<void>): Promise<number> {
	const original = globalThis.Float32Array;
	let longest = 0;
	globalThis.Float32Array = new Proxy(original, {
		construct(target, args: [number], newTarget) {
			if (typeof args[0] === "number") longest = Math.max(longest, args[0]);
			return Reflect.construct(target, args, newTarget);
		},
	});
	try {
		await work();
	} finally {
		globalThis.Float32Array = original;
	}
	return longest;
}

test("Fortran order larger than one piece gives the rows of the same file in C order", async () => {
	const [rows, dimensions] = [70_000, 3];
	const values = Uint8Array.from({ length: rows * dimensions }, (_, i) => (i * 7 + (i >> 8)) & 0xff);
	const columns = new Uint8Array(values.length);
	for (let i = 0; i < values.length; i++)
		columns[(i % dimensions) * rows + Math.floor(i / dimensions)] = values[i] as number;
	const file = npyFile(npyDict("|u1", true, [rows, dimensions]), columns);
	for (const limit of [rows, 66_000]) {
		const batches = (await outcomeOf(readNpy(chunked(file, [65_536]), { limit, batchBytes: 50_000 }))).batches;
		const read = concatenated(batches.map((batch) => batch.values as Uint8Array));
		assert.deepEqual(read, values.slice(0, limit * dimensions));
	}
});
