import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Arena, ENGINES } from "@nigh/kernels";
import { inOrder, takingTurns } from "../hnsw/graphs.test-support.ts";
import { refusal, rejection } from "../refusal.test-support.ts";
import { assignPoints } from "./assign.ts";
import { blobs, pointsOf, putPoints, rowsOf, squaredDistance } from "./kmeans.test-support.ts";
import { packCentroids } from "./panels.ts";
import type { PointRows } from "./points.ts";

describe("assignPoints", () => {
	for (const offset of [0, 1_000]) {
		test(`names the centroid that float64 finds nearest, or one within rounding, ${offset} away from the origin`, async () => {
			const { arena, points } = pointsOf(blobs(1, { n: 500, dimensions: 19, centers: 30, offset }), 16);
			const centroids = putPoints(arena, blobs(2, { n: 37, dimensions: 19, centers: 30, offset }));
			const panels = packCentroids(arena, centroids);
			const { labels, keys } = await assignPoints(arena, panels, points);
			const all = rowsOf(arena, centroids);
			// Distances from the mean are up to 8 in each dimension; the offset costs digits of the products with it alone.
			const tolerance = 19 * 2 ** -23 * (19 * 64 + offset * Math.sqrt(19) * 8);
			rowsOf(arena, points).forEach((point, i) => {
				const truth = all.map((centroid) => squaredDistance(point, centroid));
				const label = arena.u32(labels, 500)[i] as number;
				assert.ok((truth[label] as number) <= Math.min(...truth) + tolerance, `point ${i}`);
			});
			for (const address of [labels, keys]) arena.free(address);
			panels.dispose();
		});
	}

	test("a key is the squared distance less that of the point to the centroids' mean", async () => {
		const { arena, points } = pointsOf([[1, 2, 2]]);
		const panels = packCentroids(
			arena,
			putPoints(arena, [
				[4, 0, 0],
				[0, 4, 0],
			]),
		);
		const { labels, keys } = await assignPoints(arena, panels, points);
		assert.equal(arena.u32(labels, 1)[0], 1);
		assert.equal(arena.f32(keys, 1)[0], 9 - 5);
	});

	test("is the same on every engine, with few centroids and with so many that they have codes", async () => {
		for (const [k, offset] of [
			[20, 0],
			[150, 0],
			[150, 300],
		] as const) {
			const answers = ENGINES.map(async (engine) => {
				const arena = new Arena({ engine });
				const points = putPoints(arena, blobs(5, { n: 200, dimensions: 21, centers: 50, offset }));
				const panels = packCentroids(arena, putPoints(arena, blobs(6, { n: k, dimensions: 21, centers: 50, offset })));
				assert.equal(panels.codes !== 0, k === 150);
				const { labels, keys } = await assignPoints(arena, panels, points);
				return [[...arena.u32(labels, 200)], [...arena.f32(keys, 200)]];
			});
			const [first, ...others] = await Promise.all(answers);
			for (const other of others) assert.deepEqual(other, first);
		}
	});

	test("is the same on any number of lanes, and for rows named by number", async () => {
		const { arena, points } = pointsOf(blobs(3, { n: 300, dimensions: 8, centers: 9 }));
		const panels = packCentroids(arena, putPoints(arena, blobs(4, { n: 80, dimensions: 8, centers: 9 })));
		const before = arena.usedBytes;
		const one = await assignPoints(arena, panels, points);
		const expected = arena.u32(one.labels, 300).slice();
		for (const parallel of [inOrder([2, 0, 1]), takingTurns(3)]) {
			const other = await assignPoints(arena, panels, points, { parallel });
			assert.deepEqual(arena.u32(other.labels, 300), expected);
			assert.deepEqual(arena.u32(other.keys, 300), arena.u32(one.keys, 300));
			for (const address of [other.labels, other.keys]) arena.free(address);
		}
		const ids = arena.alloc(4 * 3);
		arena.u32(ids, 3).set([299, 0, 150]);
		const named = await assignPoints(arena, panels, points, { ids, count: 3 });
		assert.deepEqual([...arena.u32(named.labels, 3)], [expected[299], expected[0], expected[150]]);
		for (const address of [one.labels, one.keys, named.labels, named.keys, ids]) arena.free(address);
		assert.equal(arena.usedBytes, before);
	});

	test("what it cannot do is refused by name, and leaves no memory taken", async () => {
		const { arena, points } = pointsOf([[1, 2, 3, 4, 5]]);
		const panels = packCentroids(arena, points);
		const before = arena.usedBytes;
		const field = async (promise: Promise<unknown>) => (await rejection("INVALID_OPTION", promise)).details.field;
		assert.equal(await field(assignPoints(arena, panels, points, { ids: 1_024 })), "count");
		assert.equal(await field(assignPoints(arena, panels, points, { count: 1 })), "ids");
		assert.equal(await field(assignPoints(arena, panels, points, { ids: 1_024, count: 0 })), "count");
		assert.equal(await field(assignPoints(arena, panels, points, { lanes: 2 } as object)), "lanes");
		await rejection("DIMENSION_MISMATCH", assignPoints(arena, panels, { ...points, dimensions: 6 }));
		const failing = { lanes: 1, run: () => Promise.reject(new Error("a thread ended")) };
		await assert.rejects(assignPoints(arena, panels, points, { parallel: failing }), /a thread ended/);
		assert.equal(arena.usedBytes, before);
		panels.dispose();
	});
});

test("rows that kernels could not read are refused by name", () => {
	const { arena, points } = pointsOf([[1, 2, 3, 4, 5]]);
	const wrong: Partial<PointRows>[] = [
		...[{ n: 0 }, { n: 1.5 }, { n: 2 ** 31 }, { dimensions: 0 }, { dimensions: 2.5 }, { bytes: 16 }, { bytes: 48 }],
		...[{ bytes: 20 }, { stride: 16 }, { stride: 40 }, { address: 0 }, { address: 1_028 }, { address: Number.NaN }],
	];
	for (const part of wrong) {
		const error = refusal("INVALID_OPTION", () => packCentroids(arena, { ...points, ...part }));
		assert.equal(error.details.field, `centroids.${Object.keys(part)[0]}`);
	}
});
