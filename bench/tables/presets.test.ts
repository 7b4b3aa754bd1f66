import assert from "node:assert/strict";
import { test } from "node:test";
import { presets } from "./presets.ts";

test("the four presets are built with their own M, efConstruction and ef, and all searched with one ef as well", async () => {
	const { rows, markdown } = await presets({ scale: 0.002, data: "", onStep() {} });
	assert.deepEqual(
		rows.map(({ preset, M, efConstruction, own, same }) => [preset, M, efConstruction, own.ef, same.ef]),
		[
			["dev", 8, 32, 20, 40],
			["balanced", 16, 64, 40, 40],
			["high", 24, 128, 80, 40],
			["max", 32, 200, 100, 40],
		],
	);
	for (const { buildSeconds, indexBytes, totalBytes, own, same } of rows) {
		assert.ok(buildSeconds > 0);
		assert.equal(totalBytes - indexBytes, 200 * 384 * 4);
		for (const { recall, p95Us } of [own, same]) assert.ok(recall > 0.5 && recall <= 1 && p95Us > 0);
	}
	// More links a vector take more memory.
	const bytes = rows.map(({ indexBytes }) => indexBytes);
	assert.deepEqual(
		bytes,
		bytes.toSorted((a, b) => a - b),
	);
	assert.match(markdown, /^\| max \| 32 \| 200 \|/m);
});
