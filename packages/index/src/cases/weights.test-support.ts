import assert from "node:assert/strict";
import type { Metric } from "@nigh/contract";
import { refusal, rejection } from "../refusal.test-support.ts";
import { trueNeighbors } from "../vectors.test-support.ts";
import { createVariant, type Run } from "./bench.test-support.ts";

/** One factor a dimension. */
export function weightCases(run: Run, metric: Metric): void {
	run("weighted distances are those of the definition", async (bench) => {
		const weights = Array.from({ length: bench.dimensions }, (_, i) => [0, 1, 0.25, 3, 100][i % 5] as number);
		const index = await bench.filled(200, 1, { weights });
		const rows = bench.rows(200, 1);
		const vectors = new Map(Array.from({ length: 200 }, (_, i) => [i, bench.row(rows, i)]));
		for (let seed = 0; seed < 5; seed++) {
			const query = bench.vector(50 + seed);
			bench.checkHits(index.search(query, 200), query, 200, (label) => bench.row(rows, label), weights);
			const truth = trueNeighbors(metric, query, vectors, weights);
			index.search(query, 20, { exact: true }).forEach(({ distance }, rank) => {
				const expected = truth[rank] as (typeof truth)[number];
				assert.ok(Math.abs(distance - expected.distance) <= expected.tolerance, `rank ${rank}`);
			});
		}
		assert.deepEqual(index.effective().weights, weights);
		const loaded = bench.load(index.serialize());
		assert.deepEqual(loaded.effective().weights, weights);
		assert.deepEqual(loaded.search(bench.vector(1), 50), index.search(bench.vector(1), 50));
		loaded.insert(500, bench.vector(9));
		index.insert(500, bench.vector(9));
		assert.deepEqual(loaded.vector(500), index.vector(500));
	});

	run(
		"a vector that its weights lift above the bound is refused with its row, and nothing is written",
		async (bench) => {
			const weights = Array.from({ length: bench.dimensions }, (_, i) => (i === 0 ? 1_000_000 : 1));
			const index = await bench.filled(10, 2, { weights });
			const before = Array.from({ length: 10 }, (_, label) => index.vector(label));
			const rows = bench.rows(3, 3);
			rows[bench.length] = 2 ** 61;
			assert.equal(
				(await rejection("INVALID_VECTOR", index.insertMany(rows, { labels: Uint32Array.of(1, 2, 3) }))).details.row,
				1,
			);
			refusal("INVALID_VECTOR", () => index.insert(1, bench.row(rows, 1)));
			refusal("INVALID_VECTOR", () => index.insert(50, bench.row(rows, 1)));
			refusal("INVALID_VECTOR", () => index.search(bench.row(rows, 1), 1));
			assert.equal(index.size, 10);
			assert.deepEqual(
				Array.from({ length: 10 }, (_, label) => index.vector(label)),
				before,
			);
		},
	);

	run("weights that cannot be are refused", (bench) => {
		for (const weights of [[1], [1, -1], [1, Number.NaN], [1, 2_000_000], [0, 0], "11", null]) {
			const options = { dimensions: 2, arena: bench.arena, weights: weights as number[] };
			const make = () => createVariant(bench.variant, options);
			refusal("INVALID_OPTION", make);
		}
	});
}
