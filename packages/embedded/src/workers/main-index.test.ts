import assert from "node:assert/strict";
import { test } from "node:test";
import { mainIndexFor } from "./main-index.ts";
import { GRAPH_FROM, LEAST_GRAPH } from "./parameters.ts";

test("which index so many records have is what was chosen", () => {
	assert.equal(mainIndexFor({ kind: "flat" }, 10 ** 6), null);
	assert.equal(mainIndexFor({ kind: "auto" }, GRAPH_FROM - 1), null);
	assert.deepEqual(mainIndexFor({ kind: "auto" }, GRAPH_FROM), {});
	assert.deepEqual(mainIndexFor({ kind: "auto", M: 7 }, GRAPH_FROM), { M: 7 });
	assert.equal(mainIndexFor({ kind: "hnsw", M: 4 }, LEAST_GRAPH - 1), null);
	assert.deepEqual(mainIndexFor({ kind: "hnsw", M: 4, efConstruction: 50 }, LEAST_GRAPH), { M: 4, efConstruction: 50 });
});
