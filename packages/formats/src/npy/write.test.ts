import assert from "node:assert/strict";
import { test } from "node:test";
import { isNighError } from "@nigh/contract";
import fc from "fast-check";
import { readAll } from "../read-all.ts";
import { bytesOf } from "../sources.test-support.ts";
import { type NpyWriteDtype, writeNpy } from "./write.ts";

const text = (bytes: Uint8Array) => Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");

async function* streamed<T>(items: readonly T[]) {
	yield* items;
}

test("the header is what NumPy writes: version 1.0, the payload at a multiple of 64", async () => {
	const bytes = await bytesOf(writeNpy(Float32Array.of(1, 2, 3, 4, 5, 6), 3));
	const dict = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
	assert.equal(text(bytes.slice(0, 128)), `\x93NUMPY\x01\0\x76\0${dict.padEnd(117)}\n`);
	assert.deepEqual(Array.from(new Float32Array(bytes.slice(128).buffer)), [1, 2, 3, 4, 5, 6]);
	for (let dimensions = 1; dimensions <= 16_384; dimensions *= 4) {
		const { length } = await bytesOf(writeNpy([], dimensions));
		assert.equal(length % 64, 0);
	}
});

test("rows come back, whether they are counted, gathered or announced", async () => {
	const array = fc.oneof(
		fc.array(fc.float(), { maxLength: 60 }).map((numbers) => Float32Array.from(numbers)),
		fc.uint8Array({ maxLength: 60 }),
		fc.int8Array({ maxLength: 60 }),
	);
	const property = fc.asyncProperty(
		array,
		fc.integer({ min: 1, max: 5 }),
		fc.nat(2),
		async (numbers, dimensions, way) => {
			const count = Math.floor(numbers.length / dimensions);
			const values = numbers.slice(0, count * dimensions);
			const rows = Array.from({ length: count }, (_, i) => values.slice(i * dimensions, (i + 1) * dimensions));
			const writer = [
				() => writeNpy(values, dimensions),
				() => writeNpy(streamed(rows), dimensions),
				() => writeNpy(streamed(rows), dimensions, { count }),
			][way];
			const table = await readAll("npy", writer?.() ?? []);
			assert.equal(table.count, count);
			assert.deepEqual(Array.from(table.values), Array.from(values));
			if (count > 0) assert.equal(table.values.constructor, values.constructor);
		},
	);
	await fc.assert(property);
});

test("a large file is given in chunks of 256 KiB", async () => {
	const values = Float32Array.from({ length: 200_000 }, (_, i) => i);
	const sizes: number[] = [];
	for await (const chunk of writeNpy(values, 100)) sizes.push(chunk.length);
	assert.deepEqual(sizes, [262_144, 262_144, 262_144, 128 + 800_000 - 3 * 262_144]);
	assert.deepEqual((await readAll("npy", writeNpy(values, 100))).values, values);
	const exact = await bytesOf(writeNpy(new Uint8Array(262_144 - 128), 1));
	assert.equal(exact.length, 262_144);
});

test("an array that is reused by the stream is written as it was", async () => {
	function* reusing() {
		const row = new Float32Array(2);
		for (let i = 0; i < 3; i++) yield row.fill(i);
	}
	const table = await readAll("npy", writeNpy(reusing(), 2));
	assert.deepEqual(Array.from(table.values), [0, 0, 1, 1, 2, 2]);
});

test("a file without rows says its dimensions and the dtype asked for", async () => {
	for (const dtype of [undefined, "<f4", "|u1", "|i1"] as const) {
		for (const rows of [[], new Float32Array(0), streamed([])]) {
			if (!Array.isArray(rows) && dtype === "|u1" && ArrayBuffer.isView(rows)) continue;
			if (ArrayBuffer.isView(rows) && dtype === "|i1") continue;
			const bytes = await bytesOf(writeNpy(rows, 7, dtype === undefined ? {} : { dtype }));
			assert.ok(text(bytes).includes(`'descr': '${dtype ?? "<f4"}', 'fortran_order': False, 'shape': (0, 7)`));
		}
	}
});

test("a count that is not that of the rows is refused, before too many are written", async () => {
	for (const [count, rows] of [
		[1, [new Float32Array(2), new Float32Array(2)]],
		[3, [new Float32Array(2), new Float32Array(2)]],
		[1, []],
		[0, [new Float32Array(2)]],
		[1, new Float32Array(4)],
	] as const) {
		await assert.rejects(bytesOf(writeNpy(rows, 2, { count })), (error) => {
			return isNighError(error, "INVALID_OPTION") && error.details.field === "count" && error.details.value === count;
		});
	}
});

test("rows of another type than the dtype or than the first are refused with their row", async () => {
	const mixed = [new Float32Array(2), new Uint8Array(2)] as const;
	await assert.rejects(bytesOf(writeNpy(mixed, 2)), (error) => {
		return isNighError(error, "INVALID_VECTOR") && error.details.row === 1;
	});
	await assert.rejects(bytesOf(writeNpy(new Float32Array(2), 2, { dtype: "|u1" })), (error) => {
		return isNighError(error, "INVALID_VECTOR") && error.details.row === 0;
	});
	await assert.rejects(bytesOf(writeNpy(new Float32Array(3), 2)), (error) => {
		return isNighError(error, "DIMENSION_MISMATCH") && error.details.row === 1;
	});
});

test("options outside their bounds are refused at once", () => {
	for (const options of [{ count: -1 }, { count: 1.5 }, { dtype: "<f8" as NpyWriteDtype }, { shape: 3 } as object]) {
		assert.throws(
			() => writeNpy([], 2, options),
			(error) => {
				return isNighError(error, "INVALID_OPTION") && error.details.field === Object.keys(options)[0];
			},
		);
	}
	assert.throws(
		() => writeNpy([], 0),
		(error) => isNighError(error, "INVALID_OPTION"),
	);
});
