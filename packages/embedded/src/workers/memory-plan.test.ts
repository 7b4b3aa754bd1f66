import assert from "node:assert/strict";
import { test } from "node:test";
import { METRICS, type Metric } from "@nigh/contract";
import { rowBytes } from "@nigh/kernels";
import type { VectorFormat } from "../memory/generation.ts";
import { vectorBytes } from "../memory/rows.ts";
import { planMemory, smallestPlanned } from "../plan-memory.ts";
import { chosenIndex, isOnDisk } from "../records/catalogue.ts";
import { specOf } from "../spec.ts";
import type { MainIndex } from "./main-index.ts";
import { boundsWithin, indexWithin, mostFirstRows } from "./memory-plan.ts";
import { emptyGeneration } from "./next-generation.ts";

/** A collection under a cap whose index is chosen, without one yet. */
async function unbegun(metric: Metric, dimensions: number, maxMB: number) {
	const type = metric === "hamming" ? { type: "bit" as const } : {};
	const spec = await specOf({ dimensions, metric, ...type, memory: { maxMB } }, undefined);
	const format: VectorFormat = { metric, dimensions, weights: null };
	const owned = emptyGeneration(1, format, rowBytes(vectorBytes(format)), 10, null);
	const { generation } = owned;
	return { spec, choice: chosenIndex(spec), format, owned, generation, plannedMB: undefined };
}

for (const metric of METRICS) {
	test(`${metric}: where nothing fits it is what takes the least`, async () => {
		const collection = await unbegun(metric, 256, 1);
		const options = { metric, dimensions: 256, maxBytes: 2 ** 20, vectors: 100_000 };
		assert.throws(() => planMemory(options), { code: "MEMORY_LIMIT" });
		const { kind, ...smallest } = smallestPlanned(options);
		const { considered } = planMemory({ ...options, maxBytes: 2 ** 40 });
		// None of them has its share of the tail in it: with more memory that is all that differs.
		assert.ok(considered.some(({ index }) => index.kind === kind));
		const wanted = indexWithin(collection, 100_000);
		if (kind === "flat") assert.equal(wanted, null);
		else assert.deepEqual(wanted, { kind, ...smallest });
		assert.notEqual(wanted?.kind, "hnsw");
	});
}

test("the index is that for all that is on its way, as soon as there is enough to build it from", async () => {
	const collection = await unbegun("l2", 128, 40);
	assert.equal(indexWithin(collection, 5_000)?.kind, "hnsw");
	const [few, enough, all] = [500, 1_024, 60_000].map((there) => indexWithin(collection, there, 60_000));
	assert.equal(few, null);
	assert.ok(isOnDisk(all as MainIndex));
	assert.deepEqual(enough, all);
});

test("a first tail has a bound under a cap, and more room than what fills it", async () => {
	const collection = await unbegun("l2", 128, 40);
	const most = mostFirstRows(collection, 60_000) as number;
	assert.ok(most >= 2_048 && most * 512 <= (40 * 2 ** 20) / 8);
	assert.deepEqual(boundsWithin(collection, null, 60_000), { mostTailRows: most });
	assert.equal(mostFirstRows({ ...collection, choice: { kind: "flat" } }, 60_000), undefined);
});
