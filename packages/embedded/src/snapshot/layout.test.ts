import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ALIGNMENT, aligned, BLOCK_BYTES, blocksOf, layOut, PREFIX_BYTES, TRAILER_BYTES } from "./layout.ts";

const MOST = 2 ** 33;

test("aligned is the next multiple of 4,096, and blocks are as many as bytes need", () => {
	fc.assert(
		fc.property(fc.integer({ min: 0, max: MOST }), (bytes) => {
			const at = aligned(bytes);
			assert.ok(at % 4_096 === 0 && at >= bytes && at < bytes + 4_096);
			const blocks = blocksOf(bytes);
			assert.ok(blocks * BLOCK_BYTES >= bytes && (blocks - 1) * BLOCK_BYTES < bytes);
		}),
	);
	assert.deepEqual([aligned(0), aligned(1), aligned(4_096), aligned(4_097)], [0, 4_096, 4_096, 8_192]);
	assert.deepEqual([blocksOf(0), blocksOf(1), blocksOf(BLOCK_BYTES), blocksOf(BLOCK_BYTES + 1)], [0, 1, 1, 2]);
});

test("sections lie one after the other where pages begin, none over another, with table and trailer behind them", () => {
	const section = fc.record({
		name: fc.constantFrom("a", "b"),
		element: fc.constantFrom("u8" as const, "f32" as const),
		bytes: fc.oneof(fc.integer({ min: 0, max: 9_000 }), fc.integer({ min: 0, max: MOST })),
	});
	fc.assert(
		fc.property(fc.integer({ min: 0, max: 20_000 }), fc.array(section, { maxLength: 12 }), (headerBytes, given) => {
			const { sections, table, blocks, trailer, fileBytes } = layOut(headerBytes, given);
			let end = PREFIX_BYTES + headerBytes;
			for (const [i, { offset, ...rest }] of sections.entries()) {
				assert.deepEqual(rest, { ...given[i] });
				assert.ok(offset % ALIGNMENT === 0 && offset >= end && offset < end + ALIGNMENT);
				end = offset + rest.bytes;
			}
			assert.equal(table, aligned(end));
			assert.equal(
				blocks,
				given.reduce((sum, { bytes }) => sum + blocksOf(bytes), 0),
			);
			assert.deepEqual([trailer, fileBytes], [table + blocks * 4, table + blocks * 4 + TRAILER_BYTES]);
		}),
	);
});

test("where sections were before does not matter", () => {
	const { sections } = layOut(10, [{ name: "a", element: "u8", bytes: 5 }]);
	const [moved] = sections.map((section) => ({ ...section, offset: 77 }));
	assert.deepEqual(layOut(10, moved === undefined ? [] : [moved]).sections, sections);
});
