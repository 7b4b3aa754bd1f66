import assert from "node:assert/strict";
import { test } from "node:test";
import type { Distance } from "@nigh/contract";
import type { Neighbor } from "@nigh/index";
import fc from "fast-check";
import { exactDistance, FLOAT_METRICS, type Rows } from "./exact-distance.ts";
import { meanRecall, nearestByDistance, nearestByIds } from "./recall.ts";

function hits(...pairs: readonly (readonly [label: number, distance: number])[]): Neighbor[] {
	return pairs.map(([label, distance]) => ({ label, distance: distance as Distance }));
}

/** Points on a line, with one dimension. */
function line(...values: number[]): Rows {
	return { count: values.length, dimensions: 1, values };
}

test("recall is the mean share of the k nearest that was found", () => {
	// Of the first query 2 of 3 are within its third distance, of the second 1 of 3: (2 + 1) / 6.
	const answers = [hits([0, 1], [1, 2], [2, 9]), hits([5, 0.5], [6, 4], [7, 5])];
	assert.equal(meanRecall(answers, 3, nearestByDistance([2, 3])), 0.5);
});

test("a hit as near as the k-th exact neighbour counts, one farther does not", () => {
	assert.equal(meanRecall([hits([8, 2])], 1, nearestByDistance([2])), 1);
	assert.equal(meanRecall([hits([8, 2.0000001])], 1, nearestByDistance([2])), 0);
});

test("hits that are missing count as not found, hits after the k-th do not count", () => {
	assert.equal(meanRecall([hits([0, 1])], 2, nearestByDistance([5])), 0.5);
	assert.equal(meanRecall([hits([0, 9], [1, 9], [2, 1])], 2, nearestByDistance([5])), 0);
});

test("a label that is answered twice counts once", () => {
	assert.equal(meanRecall([hits([3, 1], [3, 1])], 2, nearestByDistance([5])), 0.5);
});

test("with ids from elsewhere, the first k of the row count, and those as near as the k-th", () => {
	// The query at 0; labels 1 and 2 are both at distance 1, and the table chose label 1 for its second place.
	const base = line(0, 1, -1, 5);
	const isNearest = nearestByIds({ width: 3, ids: [0, 1, 3] }, 2, "l2", base, line(0));
	assert.equal(meanRecall([hits([0, 0], [1, 1])], 2, isNearest), 1);
	assert.equal(meanRecall([hits([0, 0], [2, 1])], 2, isNearest), 1);
	// Label 3 stands in the row, but not among its first 2.
	assert.equal(meanRecall([hits([0, 0], [3, 5])], 2, isNearest), 0.5);
});

test("with ids from elsewhere, the distance that the index reports does not matter", () => {
	const isNearest = nearestByIds({ width: 1, ids: [0] }, 1, "l2", line(0, 4), line(0));
	assert.equal(meanRecall([hits([1, 0])], 1, isNearest), 0);
});

test("each query is held against its own row of the table", () => {
	const isNearest = nearestByIds({ width: 1, ids: [0, 1] }, 1, "l2", line(0, 10), line(1, 9));
	assert.equal(meanRecall([hits([0, 1]), hits([1, 1])], 1, isNearest), 1);
	assert.equal(meanRecall([hits([1, 9]), hits([0, 9])], 1, isNearest), 0);
});

test("exact neighbours have recall 1 both ways, whatever breaks the ties", () => {
	const value = fc.integer({ min: -3, max: 3 });
	const cases = fc.record({
		metric: fc.constantFrom(...FLOAT_METRICS),
		base: fc.array(fc.tuple(value, value), { minLength: 1, maxLength: 30 }),
		query: fc.tuple(value, value),
		share: fc.double({ min: 0, max: 1, noNaN: true }),
	});
	fc.assert(
		fc.property(cases, ({ metric, base, query, share }) => {
			const rows: Rows = { count: base.length, dimensions: 2, values: base.flat() };
			const queries: Rows = { count: 1, dimensions: 2, values: query };
			const k = 1 + Math.floor(share * (base.length - 1));
			const all = base.map((_, label) => ({
				label,
				distance: exactDistance(metric, rows, label, queries, 0) as Distance,
			}));
			const ascending = all.toSorted((a, b) => a.distance - b.distance || a.label - b.label);
			const otherTies = all.toSorted((a, b) => a.distance - b.distance || b.label - a.label);
			const ids = ascending.map(({ label }) => label);
			const byIds = nearestByIds({ width: ids.length, ids }, k, metric, rows, queries);
			const byDistance = nearestByDistance([ascending[k - 1]?.distance ?? 0]);
			for (const isNearest of [byIds, byDistance]) {
				assert.equal(meanRecall([ascending], k, isNearest), 1);
				assert.equal(meanRecall([otherTies], k, isNearest), 1);
			}
		}),
	);
});
