import assert from "node:assert/strict";
import { test } from "node:test";
import { settingsAround } from "./settings.ts";

test("settings lie around the index's own, without it, and within its cells", () => {
	assert.deepEqual(settingsAround({ index: "ivfpq", nprobe: 29, rerank: 60 }, 800), [
		{ nprobe: 15, rerank: 60 },
		{ nprobe: 58, rerank: 60 },
		{ nprobe: 29, rerank: 30 },
		{ nprobe: 29, rerank: 120 },
		{ nprobe: 58, rerank: 120 },
	]);
	assert.deepEqual(settingsAround({ index: "ivfrabitq", nprobe: 1, rerank: 12 }, 1), [
		{ nprobe: 1, rerank: 10 },
		{ nprobe: 1, rerank: 24 },
	]);
	assert.deepEqual(settingsAround({ index: "ivf", nprobe: 8, rerank: 60 }, 10), [{ nprobe: 4 }, { nprobe: 10 }]);
});

test("an index without cells has none", () => {
	assert.deepEqual(settingsAround({ index: "hnsw" }, 0), []);
	assert.deepEqual(settingsAround({ index: "flat" }, 0), []);
});
