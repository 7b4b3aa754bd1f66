import assert from "node:assert/strict";
import { test } from "node:test";
import { Arena } from "@nigh/kernels";
import { createFlat, createRows, FlatIndex } from "../flat/flat.ts";
import { randomRows } from "../vectors.test-support.ts";
import type { ScalarCodes } from "./scalar-codes.ts";

const D = 32;
const TRAINED = 400;

/** An index over codes that has been trained on random rows, with its codes, so that rows can be made which are hard for them. */
async function trained(metric: "l2" | "ip"): Promise<{ index: FlatIndex; codes: ScalarCodes; origin: Float32Array }> {
	const rows = createRows({ dimensions: D, metric, codes: "sq7", arena: new Arena() });
	const index = new FlatIndex(rows);
	const random = randomRows(1, TRAINED, D) as Float32Array;
	await index.insertMany(random.map((x) => 1_000 * x));
	const { codes } = rows;
	assert.ok(codes !== undefined);
	return { index, codes, origin: index.arena.f32(codes.origin, D).slice() };
}

/** Puts rows in place of those it was trained on, and asserts that the answer to a query is that without codes. */
async function checkAnswer(
	index: FlatIndex,
	metric: "l2" | "ip",
	rows: readonly Float32Array[],
	query: Float32Array,
	first: number,
) {
	index.remove(index.labels());
	const packed = Float32Array.from(rows.flatMap((row) => [...row]));
	const labels = Uint32Array.from(rows, (_, i) => i);
	await index.insertMany(packed, { labels });
	const plain = createFlat({ dimensions: D, metric, codes: "none" });
	await plain.insertMany(packed, { labels });
	const expected = plain.search(query, 1);
	assert.equal(expected[0]?.label, first, "the rows are as they are meant to be");
	assert.deepEqual(index.search(query, 1), expected);
	index.dispose();
	plain.dispose();
}

test("a row is kept whose code errs against it as far as a code can, beside rows whose codes err in their favour", async () => {
	for (const metric of ["ip", "l2"] as const) {
		const { index, codes, origin } = await trained(metric);
		// In units of the code: 50.49 is coded as 50, 50.51 as 51, in all dimensions alike; and the query asks for the largest sum.
		const at = (fraction: number, more: number) =>
			origin.map((zero, i) => zero + codes.unit * (50 + fraction + (i === 0 ? more : 0)));
		const rows = Array.from({ length: 100 }, (_, i) => (i === 70 ? at(0.49, 1) : at(0.51, 0)));
		const query = metric === "ip" ? new Float32Array(D).fill(1) : at(0, 0).map((x) => x + 20_000);
		await checkAnswer(index, metric, rows, query, 70);
	}
});

test("a row is kept that the query's own code errs against", async () => {
	const { index, codes, origin } = await trained("ip");
	// The query in 128ths of its unit: half of its dimensions lie just above what can be coded and half just below. Dimension 0 is the
	// largest, which sets the unit; dimension 1 makes the difference.
	const query = Float32Array.from({ length: D }, (_, i) => {
		if (i === 0) return 127 * 128;
		if (i === 1) return 100;
		return 8_000 + (i % 2 === 0 ? 0.49 : -0.49);
	});
	const at = (even: number, odd: number, second: number) =>
		origin.map((zero, i) => zero + codes.unit * (i === 0 ? 60 : i === 1 ? second : i % 2 === 0 ? even : odd));
	const rows = Array.from({ length: 100 }, (_, i) => (i === 70 ? at(100, 0, 0) : at(0, 100, 10)));
	await checkAnswer(index, "ip", rows, query, 70);
});
