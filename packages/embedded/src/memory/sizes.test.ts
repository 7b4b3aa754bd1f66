import assert from "node:assert/strict";
import { test } from "node:test";
import { MAX_ARENA_BYTES, rowBytes } from "@nigh/kernels";
import fc from "fast-check";
import { bytesPerSlot, flatSize, generationSize, mostRecords, TAIL_BYTES } from "./sizes.ts";

const rows = fc.integer({ min: 1, max: 16_384 }).map((dimensions) => rowBytes(dimensions * 4));

test("the next generation has room for the records there are, their ids, and a tail of more", () => {
	fc.assert(
		fc.property(
			rows,
			fc.double({ min: 0, max: 1, noNaN: true }),
			fc.integer({ min: 1, max: 512 }),
			(row, share, id) => {
				const records = Math.floor((mostRecords(row) / 16) * share);
				const size = generationSize(records, records * id, row);
				assert.ok(size.capacity >= records + size.ringRows || records * 2 > mostRecords(row), "slots");
				assert.ok(size.idBytes >= records * id, "ids");
				assert.equal(size.rowBytes, row);
			},
		),
	);
});

test("no generation is larger than a memory can be, and up to the most there may be all records with short ids fit", () => {
	fc.assert(
		fc.property(rows, fc.double({ min: 0, max: 1, noNaN: true }), (row, share) => {
			const records = Math.floor(mostRecords(row) * share);
			const { capacity, ringRows, idBytes } = generationSize(records, records * 32, row);
			const bytes = capacity * bytesPerSlot(row) + ringRows * (row + 4) + idBytes;
			assert.ok(bytes <= MAX_ARENA_BYTES, `${bytes}`);
			assert.ok(capacity >= records, "records");
		}),
	);
});

test("a tail takes its share of memory, and at least some rows", () => {
	assert.equal(generationSize(0, 0, 512).ringRows, TAIL_BYTES / 512);
	assert.equal(generationSize(0, 0, 65_536).ringRows, 16_384);
	assert.equal(generationSize(0, 0, 16).ringRows, 1_048_576);
});

test("one without a main index keeps every row in its ring", () => {
	const size = flatSize(5_000, 50_000, 256);
	assert.equal(size.ringRows, size.capacity);
	assert.ok(size.capacity >= 5_000);
});

test("records that do not fit into one memory are refused, not cut off", () => {
	const row = rowBytes(512);
	const most = mostRecords(row);
	assert.throws(() => generationSize(most, most * 400, row), { code: "MEMORY_LIMIT" });
	assert.throws(() => flatSize(most * 2, most * 2, row), { code: "MEMORY_LIMIT" });
});
