import assert from "node:assert/strict";
import { test } from "node:test";
import { factLines } from "./facts.ts";

test("values stand below each other, and what there is nothing to say about is left out", () => {
	assert.deepEqual(
		factLines([
			["id", "a"],
			["embedder", undefined],
			["metadata", "{}"],
		]),
		["id        a", "metadata  {}"],
	);
	assert.deepEqual(factLines([]), []);
});
