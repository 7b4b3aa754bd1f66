// Writers that are faster than the index wait for it, and never for ever.
import assert from "node:assert/strict";
import { test } from "node:test";
import { TAIL_BYTES } from "../src/memory/sizes.ts";
import { testPlace, until } from "./points.test-support.ts";

const DIMENSIONS = 1_024;

test("a batch larger than the tail is taken, also where the index was at rest", async (t) => {
	const database = await testPlace(t).open("data");
	const collection = await database.collection("a", {
		dimensions: DIMENSIONS,
		metric: "l2",
		index: { kind: "hnsw", M: 4, efConstruction: 8 },
	});
	const count = Math.ceil(TAIL_BYTES / (4 * DIMENSIONS)) + 2_000;
	// Windows on one row of numbers: vectors of their own would take as much again.
	const numbers = Float32Array.from({ length: count + DIMENSIONS }, (_, i) => ((i * 7_919) % 1_009) / 1_009);
	const records = (from: number, to: number) =>
		Array.from({ length: to - from }, (_, i) => ({
			id: `r${from + i}`,
			vector: numbers.subarray(from + i, from + i + DIMENSIONS),
		}));
	await collection.upsert(records(0, 1_000));
	await until(async () => (await collection.stats()).ages.snapshot !== null, "an index that is saved and at rest");
	await collection.upsert(records(1_000, count));
	assert.equal(await collection.count(), count);
	for (const at of [0, 1_000, count - 1]) {
		const { hits } = await collection.search({ id: `r${at}`, k: 1, exact: true });
		assert.equal(hits[0]?.distance, 0, `r${at}`);
	}
});
