import assert from "node:assert/strict";
import { test } from "node:test";
import { randomFrom } from "@nigh/recall";
import { PLANTED } from "./planted.ts";
import { certified, certify, type Procedure, peeking, type Sample } from "./procedures.ts";
import { drawSample } from "./redraw.ts";

const matrix = PLANTED["just below"]({ target: 0.95, pool: 20_000, above: 3, below: 4, gap: 0.1, seed: 1 });

/** A sample that notes what is asked, in its order. */
function noting(queries: number): { sample: Sample; asks: { rung: number; query: number }[] } {
	const drawn = drawSample(matrix, queries, randomFrom(7));
	const asks: { rung: number; query: number }[] = [];
	const recall = (rung: number, query: number) => {
		asks.push({ rung, query });
		return drawn.recall(rung, query);
	};
	return { sample: { ...drawn, recall }, asks };
}

for (const [name, procedure] of Object.entries({ certified, peeking } satisfies Record<string, Procedure>)) {
	test(`${name}: each query is asked once, on neighbouring rungs together, and no more when nothing more can pass`, () => {
		const { sample, asks } = noting(3_000);
		const [served] = procedure(sample, [0.95], 0.05);
		assert.equal(served?.certified, 2);
		let last = 0;
		for (const [i, { rung, query }] of asks.entries()) {
			const before = asks[i - 1];
			if (before?.query === query) assert.equal(rung, before.rung + 1);
			else assert.equal(query, before === undefined ? 0 : before.query + 1);
			last = query;
		}
		assert.ok(asks.filter(({ query }) => query === 0).length === 7, "the first is asked on all rungs");
		// 0.85 is told from 0.95 by a few hundred.
		assert.ok(last < 2_000, `${last}`);
		const hopeless = asks.filter(({ rung }) => rung === 3).length;
		assert.ok(hopeless >= 64 && hopeless <= last, `given up after ${hopeless} of ${last}`);
	});
}

test("a target that is added when all has come to its end opens it again, for queries that were not asked", () => {
	const { sample, asks } = noting(3_000);
	const [only] = peeking(sample, [0.95], 0.05);
	const alone = asks.at(-1)?.query as number;
	const other = noting(3_000);
	const served = peeking(other.sample, [0.95, 0.97, 0.8], 0.05);
	assert.deepEqual([only?.certified, served[0]?.certified, served[2]?.certified], [2, 2, 6]);
	const queries = other.asks.map(({ query }) => query);
	assert.ok((queries.at(-1) as number) > alone);
	assert.equal(new Set(queries).size, (queries.at(-1) as number) + 1, "none is left out");
});

test("what was measured on the served rung until the certification ended is kept", () => {
	const { sample } = noting(3_000);
	const certification = certify(sample, [0.95], 0.05);
	const own = certification.recalls[2]?.length as number;
	assert.ok(own > 50 && own < 2_000, `${own}`);
});
