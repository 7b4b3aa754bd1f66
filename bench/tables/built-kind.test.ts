import assert from "node:assert/strict";
import { test } from "node:test";
import { seeded } from "../sets/random.ts";
import { buildKind, CONTENDERS, profileM } from "./built-kind.ts";

test("a profile gets the next M that divides the dimensions", () => {
	assert.deepEqual([profileM("memory", 1_152), profileM("accuracy", 784), profileM("speed", 300)], [8, 16, 4]);
	assert.deepEqual([profileM("memory", 300), profileM("accuracy", 300)], [10, 20]);
});

test("every contender is built over all rows, and its memory is near the estimate that knows its axes", async () => {
	const random = seeded(2);
	const [n, dimensions] = [1_200, 36];
	const base = Float32Array.from({ length: n * dimensions }, () => random.gaussian());
	for (const contender of Object.values(CONTENDERS)) {
		const built = await buildKind(contender, { base, n, dimensions, metric: "l2" });
		assert.equal(built.index.size, n);
		assert.equal(built.index.kind, contender.options.kind);
		assert.ok(Math.abs(built.estimatedAfter / built.memory.total - 1) <= 0.05, contender.name);
		assert.equal(built.trainSeconds > 0, built.index.kind.startsWith("ivf"));
		assert.ok(built.buildSeconds >= built.trainSeconds);
		built.index.dispose();
	}
});
