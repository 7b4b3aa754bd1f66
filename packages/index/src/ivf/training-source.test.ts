import assert from "node:assert/strict";
import { test } from "node:test";
import { rejection } from "../refusal.test-support.ts";
import { randomRows } from "../vectors.test-support.ts";
import { createIvf } from "./ivf.ts";
import { aroundReal, planTraining, trainingRows } from "./training-source.ts";

test("M-3: 0 and 99 stored vectors are synthetic, 100 and 999 hybrid to 1,500, 1,000 real", () => {
	assert.deepEqual(planTraining(0), { source: "synthetic", real: 0, synthetic: 2_000 });
	assert.deepEqual(planTraining(99), { source: "synthetic", real: 0, synthetic: 2_000 });
	assert.deepEqual(planTraining(100), { source: "hybrid", real: 100, synthetic: 1_400 });
	assert.deepEqual(planTraining(999), { source: "hybrid", real: 999, synthetic: 501 });
	assert.deepEqual(planTraining(1_000), { source: "real", real: 1_000, synthetic: 0 });
});

test("rows are those of the plan: stored ones first, then what the generator makes up", async () => {
	const stored = randomRows(1, 150, 6) as Float32Array;
	const asked: number[] = [];
	const { plan, rows } = await trainingRows(stored, 6, async (n, real) => {
		asked.push(n, real.length);
		return new Float32Array(n * 6).fill(7);
	});
	assert.equal(plan.source, "hybrid");
	assert.deepEqual(asked, [1_350, stored.length]);
	assert.deepEqual(rows.subarray(0, stored.length), stored);
	assert.ok(rows.subarray(stored.length).every((x) => x === 7));
	assert.equal(rows.length, 1_500 * 6);
	const many = randomRows(2, 1_000, 6) as Float32Array;
	assert.equal((await trainingRows(many, 6)).rows, many, "enough real ones are taken as they are");
	const few = await trainingRows(stored.subarray(0, 60), 6);
	assert.deepEqual([few.plan.source, few.rows.length], ["synthetic", 2_000 * 6]);
});

test("what is made up lies around the real vectors, and is what its seed says", () => {
	const real = Float32Array.from({ length: 200 * 2 }, (_, i) => (i % 2 === 0 ? 100 + (i % 7) : -5));
	const made = aroundReal(2)(500, real) as Float32Array;
	const mean = (from: number) => made.filter((_, i) => i % 2 === from).reduce((sum, x) => sum + x, 0) / 500;
	assert.ok(Math.abs(mean(0) - 103) < 1, `${mean(0)}`);
	assert.ok(
		made.filter((_, i) => i % 2 === 1).every((x) => x === -5),
		"a dimension that does not spread has no noise",
	);
	assert.deepEqual(aroundReal(2)(500, real), made);
	assert.notDeepEqual(aroundReal(2, 43)(500, real), made);
	assert.ok((aroundReal(3)(50, new Float32Array(0)) as Float32Array).every(Number.isFinite));
});

test("a generator that gives another number of vectors is refused", async () => {
	const error = await rejection(
		"DIMENSION_MISMATCH",
		trainingRows(new Float32Array(0), 4, () => new Float32Array(8)),
	);
	assert.deepEqual([error.details.expected, error.details.actual], [8_000, 8]);
});

test("rows that are no whole vectors are refused", async () => {
	const error = await rejection("DIMENSION_MISMATCH", trainingRows(new Float32Array(4_003), 4));
	assert.deepEqual([error.details.expected, error.details.actual], [4, 4_003]);
});

test("what is trained on made-up rows answers as well as what is trained on real ones", async () => {
	const stored = randomRows(3, 60, 6) as Float32Array;
	const index = createIvf({ kind: "ivf", dimensions: 6, metric: "l2", nlist: 8 });
	await index.train((await trainingRows(stored, 6)).rows);
	await index.insertMany(stored);
	const query = stored.subarray(0, 6);
	assert.deepEqual(index.search(query, 60, { nprobe: 8 }), index.search(query, 60, { exact: true }));
	assert.ok(index.validate(60).found === 60);
	index.dispose();
});
