import assert from "node:assert/strict";
import { test } from "node:test";
import { refusal } from "../refusal.test-support.ts";
import { KMEANS_BOUNDS, type KMeansOptions, resolveKMeans } from "./parameters.ts";

const field = (options: unknown) =>
	refusal("INVALID_OPTION", () => resolveKMeans(options as KMeansOptions)).details.field;

test("what is left out has its default, and a preset is beaten by what stands beside it", () => {
	assert.deepEqual(resolveKMeans({ k: 8 }), {
		...{ k: 8, seed: 42, init: "kmeans++", iterations: 10, tolerance: 1e-4, maxPointsPerCentroid: 256 },
		...{ maxPoints: undefined, batch: undefined, spherical: false, repair: "split" },
	});
	assert.deepEqual(resolveKMeans({ k: 100, preset: "nanoindex", seed: 7, iterations: 3 }), {
		...{ k: 100, seed: 7, init: "sample", iterations: 3, tolerance: 1e-4, maxPointsPerCentroid: 0x7fffffff },
		...{ maxPoints: 10_000, batch: undefined, spherical: false, repair: "random" },
	});
	assert.equal(resolveKMeans({ k: 100, preset: "nanoindex" }).iterations, 10);
});

test("both ends of every bound are taken, and what lies beyond is refused by name", () => {
	for (const name of Object.keys(KMEANS_BOUNDS) as (keyof typeof KMEANS_BOUNDS)[]) {
		const { min, max } = KMEANS_BOUNDS[name];
		for (const value of [min, max]) assert.equal(resolveKMeans({ k: 1, [name]: value })[name], value);
		const wrong: unknown[] = [min - 1, Number.NaN, Number.POSITIVE_INFINITY, "1", null];
		if (name !== "tolerance") wrong.push(max + 1, min + 0.5);
		for (const value of wrong) assert.equal(field({ k: 1, [name]: value }), name, `${name}: ${value}`);
	}
});

test("names that do not exist are refused by name", () => {
	assert.equal(field({}), "k");
	assert.equal(field({ k: 1, iteration: 3 }), "iteration");
	assert.equal(field({ k: 1, init: "random" }), "init");
	assert.equal(field({ k: 1, repair: "drop" }), "repair");
	assert.equal(field({ k: 1, preset: "toString" }), "preset");
	assert.equal(field({ k: 1, spherical: "yes" }), "spherical");
});
