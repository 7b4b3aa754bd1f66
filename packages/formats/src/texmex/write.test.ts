import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isNighError } from "@nigh/contract";
import fc from "fast-check";
import { CASES } from "../cases.test-support.ts";
import { bytesOf, outcomeOf } from "../sources.test-support.ts";
import { readFvecs } from "./read.ts";
import { writeBvecs, writeFvecs, writeIvecs } from "./write.ts";

const WRITERS = [
	{ format: "fvecs", write: writeFvecs, array: Float32Array },
	{ format: "bvecs", write: writeBvecs, array: Uint8Array },
	{ format: "ivecs", write: writeIvecs, array: Int32Array },
] as const;

for (const { format, write, array } of WRITERS) {
	describe(format, () => {
		// The writer that belongs to the array; TypeScript does not follow the pairing of the table.
		const writeAny = write as (rows: unknown, dimensions: number) => AsyncGenerator<Uint8Array<ArrayBuffer>>;

		test("the bytes are those of the format, however the rows are handed over", async () => {
			const rows = [
				[1, 2, 3],
				[100, 0, 7],
			];
			const expected = CASES.find((each) => each.name === format)?.encode(rows, 3);
			const separate = rows.map((row) => array.from(row));
			async function* stream() {
				yield* separate;
			}
			for (const source of [array.from(rows.flat()), separate, stream(), [array.from(rows.flat())]]) {
				assert.deepEqual(await bytesOf(writeAny(source, 3)), expected);
			}
			assert.equal((await bytesOf(writeAny([], 3))).length, 0);
			assert.equal((await bytesOf(writeAny(new array(0), 3))).length, 0);
		});

		test("an array that does not hold whole rows is refused with its row", async () => {
			const rows = [new array(6), new array(4)];
			await assert.rejects(bytesOf(writeAny(rows, 3)), (error) => {
				return isNighError(error, "DIMENSION_MISMATCH") && error.details.row === 3 && error.details.actual === 1;
			});
		});

		test("another type of array is refused with its row, and what holds no rows at all", async () => {
			const wrong = [new array(3), new Float64Array(3)];
			await assert.rejects(bytesOf(writeAny(wrong, 3)), (error) => {
				return isNighError(error, "INVALID_VECTOR") && error.details.row === 1 && /Float64Array/.test(error.message);
			});
			await assert.rejects(bytesOf(writeAny(5, 3)), (error) => isNighError(error, "INVALID_OPTION"));
		});

		test("dimensions outside the bound are refused at once", () => {
			for (const dimensions of [0, -1, 1.5, 16_385, Number.NaN]) {
				assert.throws(
					() => writeAny([], dimensions),
					(error) => {
						return isNighError(error, "INVALID_OPTION") && error.details.field === "dimensions";
					},
				);
			}
		});
	});
}

test("floats come back bit by bit, and chunks stay small", async () => {
	const property = fc.asyncProperty(fc.array(fc.integer(), { minLength: 4, maxLength: 80 }), async (bits) => {
		const values = new Float32Array(Int32Array.from(bits.slice(0, bits.length - (bits.length % 4))).buffer);
		const outcome = await outcomeOf(readFvecs(writeFvecs(values, 4), { batchBytes: 2 ** 20 }));
		const back = outcome.batches.flatMap((batch) => Array.from(new Int32Array(batch.values.buffer)));
		assert.deepEqual(back, Array.from(new Int32Array(values.buffer)));
	});
	await fc.assert(property);
	const sizes: number[] = [];
	for await (const chunk of writeFvecs(new Float32Array(300_000), 300)) sizes.push(chunk.length);
	assert.ok(sizes.length > 3 && Math.max(...sizes) <= 256 * 1024);
	assert.equal(
		sizes.reduce((sum, size) => sum + size, 0),
		1_000 * 1_204,
	);
});

test("closing the writer early closes the stream of rows", async () => {
	let closed = false;
	async function* rows() {
		try {
			for (;;) yield new Float32Array(30_000);
		} finally {
			closed = true;
		}
	}
	for await (const _ of writeFvecs(rows(), 300)) break;
	assert.equal(closed, true);
});
