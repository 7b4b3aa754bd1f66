import assert from "node:assert/strict";
import { test } from "node:test";
import { createFlat, createHnsw, createIvf, type VectorIndex } from "@nigh/index";
import { seeded } from "../sets/random.ts";
import { type Asked, askedText, OperatingPoints, usualText } from "./operating-points.ts";

const DIMENSIONS = 8;

function rows(n: number): Float32Array {
	const random = seeded(4);
	return Float32Array.from({ length: n * DIMENSIONS }, () => random.gaussian());
}

/** An index that notes what it is asked with, and whose recall is what a function of that says. */
function watched(index: VectorIndex, recall: (asked: Asked) => number) {
	const asked: Asked[] = [];
	const search = index.search.bind(index);
	index.search = (query, k, options = {}) => {
		asked.push(options as Asked);
		return search(query, k, options);
	};
	const points = new OperatingPoints(index, [new Float32Array(DIMENSIONS)], 10, () => recall(asked.at(-1) ?? {}));
	return { points, asked };
}

test("of a graph the least ef that has the recall is found by bisection, and none is asked twice", async () => {
	const index = createHnsw({ dimensions: DIMENSIONS, metric: "l2" });
	await index.insertMany(rows(100));
	const { points, asked } = watched(index, ({ ef = 0 }) => (ef >= 56 ? 0.96 : 0.9));
	assert.deepEqual(points.quickestAt(0.95)?.asked, { ef: 56 });
	assert.ok(asked.length <= 5, `${asked.length} passes`);
	assert.equal(points.quickestAt(0.99), undefined);
	const efs = asked.map(({ ef }) => ef);
	assert.equal(new Set(efs).size, efs.length);
	index.dispose();
});

test("of coded cells every depth of re-ranking is tried, as far as it can have the recall", async () => {
	const index = createIvf({ kind: "ivfpq", dimensions: DIMENSIONS, metric: "l2", nlist: 8 });
	await index.train(rows(400));
	await index.insertMany(rows(400));
	const { points, asked } = watched(index, ({ nprobe = 0, rerank = 0 }) => (nprobe === 8 && rerank >= 100 ? 1 : 0.5));
	assert.deepEqual(points.quickestAt(0.95)?.asked, { nprobe: 8, rerank: 100 });
	assert.deepEqual([...new Set(asked.map(({ rerank }) => rerank))], [undefined, 50, 100]);
	index.dispose();
});

test("a flat index has nothing to turn", async () => {
	const index = createFlat({ dimensions: DIMENSIONS, metric: "l2" });
	await index.insertMany(rows(20));
	const { points } = watched(index, () => 1);
	assert.deepEqual(points.quickestAt(0.99)?.asked, {});
	assert.deepEqual([askedText({}), askedText({ nprobe: 8, rerank: 50 })], ["as it is", "nprobe 8, rerank 50"]);
	assert.equal(usualText(index), "all");
	index.dispose();
});
