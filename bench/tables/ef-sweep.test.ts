import assert from "node:assert/strict";
import { test } from "node:test";
import { checksOf, efSweep, isMonotone, REQUIRED_RECALL } from "./ef-sweep.ts";

test("values are monotone when none is below the one before it", () => {
	assert.equal(isMonotone([0.8, 0.9, 0.9, 1]), true);
	assert.equal(isMonotone([0.8, 0.9, 0.8999, 1]), false);
	assert.equal(isMonotone([1, 0]), false);
	assert.equal(isMonotone([0.5]), true);
	assert.equal(isMonotone([]), true);
});

test("a recall that falls and one that is too low fail a check each", () => {
	const holds = (...rows: { recall: number; meets: boolean }[]) => checksOf(rows).map((check) => check.holds);
	assert.deepEqual(holds({ recall: 0.9, meets: true }, { recall: 0.95, meets: true }), [true, true]);
	assert.deepEqual(holds({ recall: 0.95, meets: true }, { recall: 0.94, meets: true }), [false, true]);
	assert.deepEqual(holds({ recall: 0.8, meets: false }, { recall: 0.99, meets: true }), [true, false]);
});

test("the sweep has a row for each ef of check F-3, marked by the recall that it asks for", async () => {
	const { rows, checks, markdown } = await efSweep({ scale: 0.002, data: "", onStep() {} });
	assert.deepEqual(
		rows.map(({ ef, required }) => ({ ef, required })),
		REQUIRED_RECALL,
	);
	for (const { recall, required, meets, p50Us, p95Us } of rows) {
		assert.equal(meets, recall >= required);
		assert.ok(p50Us > 0 && p95Us >= p50Us);
	}
	// With ef as large as the index, which has 200 vectors, the search looks at all that can be reached.
	assert.equal(rows.at(-1)?.recall, 1);
	assert.deepEqual(checks, checksOf(rows));
	assert.match(markdown, /^\| 200 \|.* 1\.0000 \| 0\.99 \| yes \|$/m);
	assert.match(markdown, /200 generated vectors of 384 dimensions under cosine.*M 16, efConstruction 64/);
});
