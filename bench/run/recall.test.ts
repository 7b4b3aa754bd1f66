import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { BenchSet } from "../sets/load.ts";
import { recallOf } from "./recall.ts";

type Metric = "l2" | "cosine";

/** In double precision, written out for the test. */
function distanceOf(metric: Metric, a: readonly number[], b: readonly number[]): number {
	const dot = (x: readonly number[], y: readonly number[]) =>
		x.reduce((sum, value, at) => sum + value * (y[at] as number), 0);
	if (metric === "l2") return dot(a, a) + dot(b, b) - 2 * dot(a, b);
	const norms = dot(a, a) * dot(b, b);
	return norms === 0 ? 1 : 1 - dot(a, b) / Math.sqrt(norms);
}

/** A set whose truth is sorted by distance, ties by label, `width` of it kept. */
function setOf(
	metric: Metric,
	base: readonly (readonly number[])[],
	queries: readonly (readonly number[])[],
	width: number,
): BenchSet {
	const ids = queries.flatMap((query) =>
		base
			.map((row, label) => ({ label, distance: distanceOf(metric, query, row) }))
			.sort((a, b) => a.distance - b.distance || a.label - b.label)
			.slice(0, width)
			.map(({ label }) => label),
	);
	return {
		name: "made",
		about: "made",
		metric,
		dimensions: (base[0] as readonly number[]).length,
		base: Float32Array.from(base.flat()),
		n: base.length,
		queries: Float32Array.from(queries.flat()),
		queryCount: queries.length,
		truth: { width, ids: Int32Array.from(ids) },
	};
}

const line = (...places: number[]) => places.map((place) => [place]);
const at = (set: BenchSet, k: number, ...labels: number[]) => recallOf(set, Int32Array.from(labels), k);

describe("recallOf", () => {
	const set = setOf("l2", line(0, 1, 2, 3, 4), line(0), 3);

	test("counts what the truth names, in whatever order", () => {
		assert.equal(at(set, 3, 0, 1, 2), 1);
		assert.equal(at(set, 3, 2, 0, 1), 1);
		assert.equal(at(set, 3, 0, 1, 3), 2 / 3);
		assert.equal(at(set, 3, 3, 4, 3), 0);
	});
	test("counts a label once", () => assert.equal(at(set, 3, 0, 0, 0), 1 / 3));
	test("counts no label that is none or does not exist", () => {
		assert.equal(at(set, 3, 0, -1, -1), 1 / 3);
		assert.equal(at(set, 3, 0, 5, 2_147_483_647), 1 / 3);
	});
	test("counts what is as near as the k-th, and nothing farther", () => {
		const ties = setOf("l2", line(0, 1, -1, 1, -1, 2), line(0), 2);
		for (const label of [1, 2, 3, 4]) assert.equal(at(ties, 2, 0, label), 1);
		assert.equal(at(ties, 2, 0, 5), 0.5);
	});
	test("takes the k-th of k, where the truth is wider", () => {
		assert.equal(at(set, 2, 0, 2), 0.5);
		assert.equal(at(set, 1, 1), 0);
	});
	test("is the mean over the queries that were asked, which may be the first ones only", () => {
		const two = setOf("l2", line(0, 1, 2, 3), line(0, 3), 2);
		assert.equal(at(two, 2, 0, 1, 0, 1), 0.5);
		assert.equal(at(two, 2, 0, 1), 1);
	});
	test("goes by the angle under cosine, a vector of zeros being a right angle from all", () => {
		const rows = [
			[1, 0],
			[2, 0],
			[0, 1],
			[0, 0],
			[-1, 0],
		];
		const cosine = setOf("cosine", rows, [[3, 0]], 2);
		assert.equal(at(cosine, 2, 1, 0), 1);
		assert.equal(at(cosine, 1, 1), 1);
		const three = setOf("cosine", rows, [[3, 0]], 3);
		assert.equal(at(three, 3, 0, 1, 3), 1);
		assert.equal(at(three, 3, 0, 1, 4), 2 / 3);
	});
	test("is the share of distinct labels no farther than the k-th, by brute force", () => {
		const row = fc.array(fc.integer({ min: -2, max: 2 }), { minLength: 3, maxLength: 3 });
		fc.assert(
			fc.property(
				fc.constantFrom<Metric>("l2", "cosine"),
				fc.array(row, { minLength: 6, maxLength: 20 }),
				fc.array(row, { minLength: 1, maxLength: 4 }),
				fc.integer({ min: 1, max: 5 }),
				fc.infiniteStream(fc.integer({ min: -1, max: 22 })),
				(metric, base, queries, k, labels) => {
					const asked = Array.from({ length: queries.length * k }, () => labels.next().value);
					const shares = queries.map((query, i) => {
						const distances = base.map((each) => distanceOf(metric, query, each));
						const kth = distances.toSorted((a, b) => a - b)[k - 1] as number;
						const distinct = [...new Set(asked.slice(i * k, (i + 1) * k))];
						return distinct.filter((label) => (distances[label] ?? Number.POSITIVE_INFINITY) <= kth).length;
					});
					const expected = shares.reduce((sum, share) => sum + share, 0) / (queries.length * k);
					assert.equal(at(setOf(metric, base, queries, k), k, ...asked), expected);
				},
			),
		);
	});
});
