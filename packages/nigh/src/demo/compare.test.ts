import assert from "node:assert/strict";
import { test } from "node:test";
import type { Collection, Hit, SearchRequest } from "@nigh/contract";
import { hashedNgrams } from "@nigh/embed";
import { compare } from "./compare.ts";
import type { PassageMetadata } from "./database.ts";

/** A collection of four records that finds, by its index, the records at these distances. */
function collectionFinding(distances: readonly number[]) {
	const asked: SearchRequest<PassageMetadata>[] = [];
	const hitsAt = (each: readonly number[]) =>
		each.map((distance) => ({ id: String(distance), distance, score: 0 }) as unknown as Hit);
	const certified: number[] = [];
	const collection = {
		count: async () => 4,
		certify: async ({ k, queries }: { k: number; queries: readonly Float32Array[] }) => {
			certified.push(k, queries.length);
		},
		search: async (request: SearchRequest<PassageMetadata>) => {
			asked.push(request);
			const recall = { state: "certified" };
			return { hits: hitsAt(request.exact === true ? [0, 1, 2, 2] : distances), recall };
		},
	} as unknown as Collection<PassageMetadata>;
	return { collection, asked, certified };
}

test("recall is the share of the hits that are no farther than the farthest of the exact ones", async () => {
	const embedder = hashedNgrams();
	for (const [distances, recall] of [
		[[0, 1, 2, 2], 1],
		[[0, 1, 2, 2.5], 0.75],
		[[0, 1], 0.5],
		[[], 0],
	] as const) {
		const { collection, asked, certified } = collectionFinding(distances);
		const comparison = await compare(collection, ["one text", "another"], ["a third", "a fourth"], embedder);
		assert.deepEqual([comparison.queries, comparison.k, comparison.recall], [2, 4, recall]);
		assert.deepEqual(certified, [4, 2], "by the others, before");
		assert.equal(comparison.statement.state, "certified");
		assert.ok(comparison.qps_index > 0 && comparison.qps_exact > 0);
		assert.ok(asked.some(({ exact }) => exact === true) && asked.every(({ k }) => k === 4));
	}
});
