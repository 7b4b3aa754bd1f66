import assert from "node:assert/strict";
import { test } from "node:test";
import { MAX_ARENA_BYTES, rowBytes } from "@nigh/kernels";
import fc from "fast-check";
import { bytesPerSlot, flatSize, generationSize, givesRoom, mostRecords, TAIL_BYTES } from "./sizes.ts";

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

test("the next generation is begun for twice the room that is left, not where a memory can be no larger", () => {
	const mostBytes = 2 ** 29;
	const row = 4_096;
	// 128 MiB are for something else, and a row of the tail has a code, with 16 bytes behind it.
	const tail = TAIL_BYTES + (TAIL_BYTES / row) * (row / 4 + 16);
	const largest = Math.floor((mostBytes - 2 ** 27 - tail) / (bytesPerSlot(row) + 40));
	const size = {
		capacity: largest,
		ringRows: TAIL_BYTES / row,
		idBytes: 2 ** 20,
		rowBytes: row,
		slotBytes: bytesPerSlot(row),
	};
	const gives = (slots: number, kept = slots) => givesRoom({ slots, kept, idBytes: slots * 8 }, size, mostBytes);
	assert.equal(gives(Math.ceil(largest * 0.76)), false);
	assert.equal(gives(largest), false);
	assert.equal(gives(largest - 400, largest - 700), false, "700 slots instead of 400");
	assert.equal(gives(largest - 400, largest - 800), true, "800 slots instead of 400");
	const slots = Math.ceil(largest * 0.76);
	assert.equal(givesRoom({ slots, kept: slots, idBytes: slots * 8 }, size), true, "a memory can be larger");
});

test("a collection that grows to the most there can be is copied a few times in all", () => {
	fc.assert(
		fc.property(rows, fc.integer({ min: 1, max: 32 }), (row, id) => {
			const most = mostRecords(row);
			let size = generationSize(0, 0, row);
			let copied = 0;
			for (let step = 1; step <= 1_000; step++) {
				const slots = Math.floor((most * step) / 1_000);
				const fill = { slots, kept: slots, idBytes: slots * id };
				if (slots <= size.capacity * 0.75 || !givesRoom(fill, size)) continue;
				size = generationSize(slots, fill.idBytes, row);
				copied += slots;
				assert.equal(givesRoom(fill, size), false, "not at once again");
			}
			assert.ok(size.capacity >= most, `${size.capacity} of ${most}`);
			assert.ok(copied <= most * 3, `${copied} of ${most}`);
		}),
	);
});
