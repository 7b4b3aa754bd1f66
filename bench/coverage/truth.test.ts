import assert from "node:assert/strict";
import { test } from "node:test";
import { seeded } from "../sets/random.ts";
import { BruteForce, kthKeys } from "./truth.ts";

for (const metric of ["l2", "cosine", "ip"] as const) {
	test(`${metric}: every k-th key is that of all keys written out and sorted`, () => {
		const [n, dimensions, count] = [203, 7, 10];
		const random = seeded(4);
		const rows = Float32Array.from({ length: n * dimensions }, () => random.gaussian());
		// Copies, which tie.
		rows.copyWithin(0, 50 * dimensions, 60 * dimensions);
		const queries = Float32Array.from({ length: count * dimensions }, () => random.gaussian());
		const seen: number[] = [];
		new BruteForce(rows, dimensions, metric).eachQuery(queries, (query, keys) => {
			seen.push(query);
			const q = queries.subarray(query * dimensions, (query + 1) * dimensions);
			const expected = Array.from({ length: n }, (_, i) =>
				key(metric, rows.subarray(i * dimensions, (i + 1) * dimensions), q),
			);
			for (const [i, each] of expected.entries()) assert.ok(Math.abs(each - (keys[i] as number)) < 1e-12);
			for (let i = 0; i < 10; i++) assert.equal(keys[i], keys[50 + i]);
			const sorted = keys.toSorted();
			assert.deepEqual(kthKeys(keys, [1, 2, 10, 203, 999]), [
				sorted[0],
				sorted[1],
				sorted[9],
				sorted[202],
				sorted[202],
			]);
		});
		assert.deepEqual(
			seen,
			Array.from({ length: count }, (_, i) => i),
		);
	});
}

/** Smaller for nearer ones; under cosine without the length of the query. */
function key(metric: "l2" | "cosine" | "ip", row: Float32Array, query: Float32Array): number {
	const sum = (of: (j: number) => number) => Array.from(row.keys(), of).reduce((total, each) => total + each, 0);
	const at = (list: Float32Array, j: number) => list[j] as number;
	if (metric === "l2") return sum((j) => (at(row, j) - at(query, j)) ** 2);
	const dot = sum((j) => at(row, j) * at(query, j));
	return metric === "ip" ? -dot : -dot / Math.sqrt(sum((j) => at(row, j) ** 2));
}
