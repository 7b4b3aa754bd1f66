import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { blobs, pointsOf } from "./kmeans.test-support.ts";
import { isCollapsed, type KMeansReport } from "./report.ts";
import { trainKMeans } from "./train.ts";

async function report(rows: readonly ArrayLike<number>[], k: number): Promise<KMeansReport> {
	const { arena, points } = pointsOf(rows);
	return (await trainKMeans(arena, points, { k })).report;
}

const codes = ({ warnings }: KMeansReport) => warnings.map(({ code }) => code);

describe("a collapsed training", () => {
	test("one vector a hundred times with 100 cells: one centroid, one cell, told as collapsed (M-1)", async () => {
		const vector = blobs(1, { n: 1, dimensions: 24, centers: 1 })[0] as Float32Array;
		const collapsed = await report(new Array(100).fill(vector), 100);
		assert.equal(collapsed.distinctCentroids, 1);
		assert.deepEqual(collapsed.occupancy, { min: 0, mean: 1, max: 100, imbalance: 100, empty: 99 });
		assert.equal(collapsed.inertia, 0);
		assert.ok(isCollapsed(collapsed));
		assert.deepEqual(codes(collapsed), ["fewPoints", "fewDistinct", "collapsed"]);
		assert.match(collapsed.warnings.at(-1)?.message ?? "", /1 of 100 centroids are distinct and 1 of 100 cells/);
	});

	test("a few vectors, each many times, collapse", async () => {
		const few = blobs(2, { n: 5, dimensions: 8, centers: 5 });
		const collapsed = await report(
			Array.from({ length: 4_000 }, (_, i) => few[i % 5] as Float32Array),
			100,
		);
		assert.equal(collapsed.distinctCentroids, 5);
		assert.deepEqual(codes(collapsed), ["fewDistinct", "collapsed"]);
	});
});

describe("not collapsed", () => {
	test("rows of which half are duplicates, as real data has them", async () => {
		const rows = blobs(3, { n: 1_000, dimensions: 8, centers: 40 });
		const real = await report(
			[...rows, ...rows.slice(0, 500), ...new Array<Float32Array>(500).fill(rows[0] as Float32Array)],
			40,
		);
		assert.deepEqual(codes(real), []);
		assert.equal(real.distinctCentroids, 40);
		assert.equal(real.occupancy.empty, 0);
	});

	test("fewer rows than centroids, all different: too few, which is something else", async () => {
		const few = await report(blobs(4, { n: 20, dimensions: 8, centers: 20 }), 100);
		assert.equal(few.distinctCentroids, 20);
		assert.deepEqual(codes(few), ["fewPoints", "fewDistinct"]);
	});

	test("one centroid, or one row", async () => {
		assert.deepEqual(codes(await report(new Array(50).fill([1, 2]), 1)), []);
		assert.ok(!isCollapsed(await report([[1, 2]], 3)));
	});
});

test("the rule: a quarter of what is possible, and two, of centroids and of cells", () => {
	const told = (k: number, trainedOn: number, distinctCentroids: number, empty: number) =>
		isCollapsed({ k, trainedOn, distinctCentroids, occupancy: { empty } });
	assert.equal(told(100, 10_000, 24, 0), true);
	assert.equal(told(100, 10_000, 25, 75), false);
	assert.equal(told(100, 10_000, 100, 76), true);
	assert.equal(told(100, 40, 10, 90), false);
	assert.equal(told(100, 40, 9, 90), true);
	assert.equal(told(2, 2, 1, 1), true);
	assert.equal(told(3, 500, 2, 1), false);
});

test("under 39 rows for each centroid there is a warning, with the numbers (C-4)", async () => {
	const rows = blobs(5, { n: 390, dimensions: 4, centers: 10 });
	assert.deepEqual(codes(await report(rows, 10)), []);
	const warned = await report(rows.slice(1), 10);
	assert.deepEqual(codes(warned), ["fewPoints"]);
	assert.match(
		warned.warnings[0]?.message ?? "",
		/389 training rows for 10 centroids are 38\.9 each; .* \(390 rows\), .* at most 9 centroids/,
	);
});
