// Several threads build the index of a collection.
import assert from "node:assert/strict";
import { test } from "node:test";
import { openFolder } from "@nigh/embedded";

test("an index that several threads build finds what one finds, while it is written to and searched", async () => {
	const database = await openFolder(":memory:", { threads: 2 });
	try {
		const points = await database.collection("points", { metric: "l2", index: { kind: "hnsw" } });
		const vectorOf = (i: number) => [Math.cos(i) * i, Math.sin(i) * i, i % 11, 1];
		for (let from = 0; from < 6_000; from += 500) {
			await points.upsert(Array.from({ length: 500 }, (_, i) => ({ id: `r${from + i}`, vector: vectorOf(from + i) })));
			assert.equal((await points.search({ vector: vectorOf(from), k: 1, exact: true })).hits[0]?.id, `r${from}`);
		}
		await points.optimize();
		let found = 0;
		for (let i = 0; i < 6_000; i += 100) {
			const { hits, plan } = await points.search({ vector: vectorOf(i), k: 1 });
			assert.equal(plan.strategy, "index");
			if (hits[0]?.id === `r${i}`) found++;
		}
		assert.ok(found >= 57, `${found} of 60 found themselves`);
	} finally {
		await database.close();
	}
});
