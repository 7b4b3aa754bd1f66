import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { loadSet } from "./load.ts";
import { MADE_SETS } from "./made.ts";

const OPTIONS = { data: "", n: 40, dimensions: 16, queries: 5, metric: undefined, seed: 2, k: 3 };

for (const [name, { dimensions = 16 }] of Object.entries(MADE_SETS)) {
	describe(name, () => {
		test("is loaded with the shape asked for and its neighbours, and tells its seed", async () => {
			const set = await loadSet({ ...OPTIONS, set: name });
			assert.equal(set.name, `${name}-40x${dimensions}`);
			assert.match(set.about, /seed 2/);
			assert.deepEqual([set.n, set.dimensions, set.queryCount, set.metric], [40, dimensions, 5, "l2"]);
			assert.deepEqual([set.base.length, set.queries.length], [40 * dimensions, 5 * dimensions]);
			assert.deepEqual([set.truth.width, set.truth.ids.length], [3, 15]);
		});
	});
}

test("a made set can be searched by cosine", async () => {
	assert.equal((await loadSet({ ...OPTIONS, set: "palettes", metric: "cosine" })).metric, "cosine");
});
