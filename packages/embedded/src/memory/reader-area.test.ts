import assert from "node:assert/strict";
import { test } from "node:test";
import { createHnsw } from "@nigh/index";
import { Arena, ArenaFullError, BOUND_QUERY, ELIGIBILITY } from "@nigh/kernels";
import fc from "fast-check";
import { type Small, smallGeneration } from "./generations.test-support.ts";
import { allocateArea, BITMAPS, CHUNK_ROWS, type ReaderArea, ReaderAreas } from "./reader-area.ts";

const MOST_HITS = 10_000;

/** What an area must have room for, by what its fields are. */
function rangesOf(area: ReaderArea, capacity: number, rowBytes: number): [from: number, bytes: number][] {
	return [
		[area.query, rowBytes],
		[area.keys, CHUNK_ROWS * 8],
		[area.pool, (MOST_HITS + 1) * 8],
		[area.eligibility, ELIGIBILITY.bytes],
		...ofCodes(area, rowBytes),
		[area.bitmaps, BITMAPS * Math.ceil(capacity / 8)],
	];
}

const FORMAT = { metric: "l2", dimensions: 4, weights: null } as const;

/** What a scan of codes takes: the query's struct, its two planes and a row of zeros; upper bounds; what a chunk keeps. */
function ofCodes({ bounds, boundPool, kept }: ReaderArea, rowBytes: number): [number, number][] {
	if (bounds === 0) return [];
	const planes = 2 * 16 * Math.ceil(rowBytes / 64);
	return [
		[bounds, BOUND_QUERY.bytes + planes + rowBytes],
		[boundPool, (MOST_HITS + 1) * 8],
		[kept, CHUNK_ROWS * 8],
	];
}

test("areas have room for all their fields, apart from each other and from everything else, and begin with zeros", () => {
	fc.assert(
		fc.property(
			fc.integer({ min: 1, max: 3_000 }),
			fc.integer({ min: 1, max: 64 }).map((n) => n * 16),
			fc.boolean(),
			(capacity, rowBytes, isCoded) => {
				const arena = new Arena();
				const size = { capacity, ringRows: capacity, idBytes: 0, rowBytes, slotBytes: 0 };
				const foreign = arena.alloc(100);
				const tailCodes = isCoded ? { rows: 0, origin: 0, unit: 1 } : null;
				const handle = { size, format: { ...FORMAT, dimensions: rowBytes / 4 }, tailCodes };
				const areas = [0, 1].map((reader) => allocateArea(arena, reader, handle, null));
				assert.deepEqual(
					areas.map(({ reader }) => reader),
					[0, 1],
				);
				const ranges = areas.flatMap((area) => rangesOf(area, capacity, rowBytes)).concat([[foreign, 100]]);
				ranges.sort(([a], [b]) => a - b);
				for (const [i, [from, bytes]] of ranges.entries()) {
					assert.equal(from % 64, 0);
					assert.ok(arena.u8(from, bytes).every((byte) => byte === 0));
					const next = ranges[i + 1]?.[0] ?? arena.memory.buffer.byteLength;
					assert.ok(from + bytes <= next, `what begins at ${from} ends behind ${next}`);
				}
				for (const { bitmapBytes } of areas) {
					assert.equal(bitmapBytes % 4, 0, "bitmaps are looked at in words");
					assert.ok(bitmapBytes * 8 >= capacity);
				}
			},
		),
		{ numRuns: 20 },
	);
});

test("where there is a graph the area has the reader that it was given", () => {
	const arena = new Arena({ shared: true });
	const index = createHnsw({ arena, metric: "l2", dimensions: 4 });
	index.reserve(10);
	const main = { kind: "hnsw", reader: index.readerSpec() } as const;
	const size = { capacity: 10, ringRows: 10, idBytes: 0, rowBytes: 16, slotBytes: 0 };
	assert.equal(allocateArea(arena, 3, { size, format: FORMAT, tailCodes: null }, main).main, main);
});

test("the next thread of a number gets what the one before had in a generation, every other one its own", () => {
	const [one, two] = [smallGeneration(), smallGeneration()];
	const areas = new ReaderAreas();
	const ask = ({ generation }: Small, reader: number) => {
		let allocated = 0;
		const area = areas.of(generation, reader, () => {
			allocated++;
			return { ...one.area, reader };
		});
		return { area, allocated };
	};
	const first = ask(one, 2);
	assert.deepEqual([first.allocated, first.area.reader], [1, 2]);
	assert.equal(ask(one, 3).allocated, 1);
	assert.equal(ask(two, 2).allocated, 1);
	const again = ask(one, 2);
	assert.equal(again.allocated, 0);
	assert.equal(again.area, first.area);
});

test("an arena without room for it says so", () => {
	const arena = new Arena({ maxBytes: 2 ** 17 });
	const size = { capacity: 2 ** 20, ringRows: 1, idBytes: 0, rowBytes: 16, slotBytes: 0 };
	assert.throws(() => allocateArea(arena, 0, { size, format: FORMAT, tailCodes: null }, null), ArenaFullError);
});

test("who asks again and again takes of a full memory once", () => {
	const arena = new Arena({ maxBytes: 2 ** 19 });
	const size = { capacity: 2 ** 22, ringRows: 1, idBytes: 0, rowBytes: 16, slotBytes: 0 };
	const areas = new ReaderAreas();
	const { generation, area } = smallGeneration();
	const ask = () =>
		areas.ofOnce(generation, 2, () => allocateArea(arena, 2, { size, format: FORMAT, tailCodes: null }, null));
	assert.throws(ask, ArenaFullError);
	const { usedBytes } = arena;
	assert.ok(usedBytes > 0);
	for (let i = 0; i < 10; i++) assert.throws(ask, ArenaFullError);
	assert.equal(arena.usedBytes, usedBytes);
	// Another generation is another memory.
	const next = smallGeneration();
	assert.equal(
		areas.ofOnce(next.generation, 2, () => area),
		area,
	);
	assert.equal(
		areas.ofOnce(next.generation, 2, () => assert.fail("it has one")),
		area,
	);
});
