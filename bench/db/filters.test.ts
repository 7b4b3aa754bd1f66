import assert from "node:assert/strict";
import { test } from "node:test";
import { filterCases, filterSet, matches, nearestMatches, ranks } from "./filters/filter-set.ts";
import { recallOfMatches } from "./filters.ts";
import { DIMENSIONS, K } from "./measurement.ts";
import { rowOf } from "./records.ts";

test("ranks are the places in the order of the keys, equal keys in the order of the vectors", () => {
	const keys = [3, 1, 2, 1];
	assert.deepEqual([...ranks(4, (at) => keys[at] as number)], [3, 0, 2, 1]);
});

test("a filter matches its share of the records exactly, in both fields", () => {
	const set = filterSet(1_000, 1);
	for (const filter of filterCases(1_000)) {
		const found = [...Array(1_000).keys()].filter((at) => matches(set.fields, filter, at));
		assert.equal(found.length, Math.max(1, 1_000 * filter.share));
	}
});

test("the nearest matches are those of a scan in double precision", async () => {
	const set = filterSet(500, 3);
	const { fields, base, queries } = set;
	for (const filter of filterCases(500)) {
		const nearest = await nearestMatches(set, filter);
		const distance = (query: Float32Array, at: number) =>
			rowOf(base, at).reduce((sum, x, d) => sum + (x - (query[d] as number)) ** 2, 0);
		const scanned = queries.map((query) =>
			[...Array(500).keys()]
				.filter((at) => matches(fields, filter, at))
				.sort((a, b) => distance(query, a) - distance(query, b))
				.slice(0, K),
		);
		assert.deepEqual(nearest, scanned);
	}
	assert.equal(base.length, 500 * DIMENSIONS);
});

test("recall counts each of the nearest once, and those that are not there as missed", () => {
	assert.equal(recallOfMatches([[1, 2]], [[1, 2]]), 1);
	assert.equal(recallOfMatches([[1, 1]], [[1, 2]]), 0.5);
	assert.equal(recallOfMatches([[3], []], [[1, 2], [4, 5]]), 0); // biome-ignore format: one line is enough
	assert.equal(recallOfMatches([[1], [4, 5]], [[1], [4, 6]]), 2 / 3); // biome-ignore format: as above
});
