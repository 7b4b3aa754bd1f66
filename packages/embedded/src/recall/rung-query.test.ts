import assert from "node:assert/strict";
import { test } from "node:test";
import { widthsOf } from "./rung-query.ts";

test("a search of a rung is never narrower than what it looks for", () => {
	assert.deepEqual(widthsOf({ kind: "graph", ef: 40 }, 10), { ef: 40, patience: undefined });
	assert.deepEqual(widthsOf({ kind: "graph", ef: 40, patience: 13 }, 60), { ef: 60, patience: 13 });
	const cells = { kind: "cells", nprobe: 8 } as const;
	assert.deepEqual(widthsOf(cells, 10), { nprobe: 8, rerank: undefined, budget: undefined });
	const arm = { ...cells, rerank: 200, budget: 10_000, arm: "ivf_conservative" };
	assert.deepEqual(widthsOf(arm, 300), { nprobe: 8, rerank: 300, budget: 10_000 });
	assert.deepEqual(widthsOf(arm, 30), { nprobe: 8, rerank: 200, budget: 10_000 });
});
