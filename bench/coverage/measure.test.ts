import assert from "node:assert/strict";
import { test } from "node:test";
import { SPACING } from "@nigh/recall";
import type { Collection } from "./collections.ts";
import { measureMatrices } from "./measure.ts";
import { drawRows } from "./rows.ts";
import { openSearcher } from "./searcher.ts";

const COMMON = { queries: "same", n: 800, dimensions: 12, ks: [1, 10], M: 4, seed: 3 } as const;

const CASES: readonly Collection[] = [
	{ ...COMMON, name: "graph", kind: "hnsw", metric: "cosine", rows: "duplicates" },
	{ ...COMMON, name: "cells", kind: "ivfrabitq", metric: "l2", rows: "mixture" },
];

for (const collection of CASES) {
	test(`${collection.name}: hits are those of a list of all distances, sorted; costs are those of the searches alone`, async () => {
		const rows = await drawRows(collection, "", 60);
		const { dimensions, ks } = collection;
		const searcher = await openSearcher(collection, rows.base);
		const matrices = measureMatrices(collection, rows, searcher);
		assert.deepEqual(
			matrices.map(({ k }) => k),
			ks,
		);
		const row = (list: Float32Array, i: number) => list.subarray(i * dimensions, (i + 1) * dimensions);
		const labels = new Uint32Array(10);
		for (const { k, rungs, hits, costs, exactCost } of matrices) {
			assert.equal(exactCost, collection.n);
			for (const [r, text] of rungs.entries()) {
				const width = Number(text.split(" ")[1]);
				if (Number.isNaN(width)) continue;
				const before = searcher.compared();
				for (let query = 0; query < 60; query++) {
					const all = Array.from({ length: collection.n }, (_, i) =>
						distance(collection.metric, row(rows.base, i), row(rows.pool, query)),
					);
					const kth = all.toSorted((a, b) => a - b)[k - 1] as number;
					const rung =
						collection.kind === "hnsw"
							? ({ kind: "graph", ef: width } as const)
							: ({ kind: "cells", nprobe: width } as const);
					const found = searcher.search(row(rows.pool, query), k, rung, labels);
					// Sums in another order differ in the last bits; the next distance is farther away than that.
					const expected = labels.subarray(0, found).filter((label) => (all[label] as number) <= kth + 1e-12).length;
					assert.equal(hits[r]?.[query], expected, `k ${k}, ${text}, query ${query}`);
				}
				assert.ok(Math.abs((searcher.compared() - before) / 60 - (costs[r] as number)) < 1e-9, text);
			}
			// What is at hand in any case (upper layers, centroids, candidates) is beside the width.
			for (let r = 1; r < costs.length; r++) {
				assert.ok((costs[r - 1] as number) <= SPACING * (costs[r] as number) + exactCost / 10, `${rungs[r]}`);
			}
			assert.ok((costs[0] as number) > (costs.at(-1) as number));
		}
		searcher.close();
	});
}

function distance(metric: Collection["metric"], row: Float32Array, query: Float32Array): number {
	let [dot, square, own] = [0, 0, 0];
	for (let j = 0; j < row.length; j++) {
		const [x, y] = [row[j] as number, query[j] as number];
		dot += x * y;
		own += x * x;
		square += (x - y) ** 2;
	}
	return metric === "l2" ? square : -dot / Math.sqrt(own);
}
