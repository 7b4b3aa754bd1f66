import assert from "node:assert/strict";
import { test } from "node:test";
import { checksOf, SIZES, sizes } from "./sizes.ts";

test("the check is about 100,000 x 128 alone, and fails below 0.95 and where the row is missing", () => {
	const row = (fullN: number, dimensions: number, recall: number) => ({ n: fullN / 10, fullN, dimensions, recall });
	const holds = (...rows: ReturnType<typeof row>[]) => checksOf(rows).map((check) => check.holds);
	assert.deepEqual(holds(row(100_000, 128, 0.95), row(10_000, 128, 0.1)), [true]);
	assert.deepEqual(holds(row(100_000, 128, 0.9499), row(10_000, 128, 1)), [false]);
	assert.deepEqual(holds(row(100_000, 768, 1)), [false]);
	assert.equal(checksOf([row(100_000, 128, 1)])[0]?.promise, "recall@10 is at least 0.95 at 10,000 x 128");
});

test("each size of check H-8 has a row with what was measured, of the vectors that the scale has left", async () => {
	const { rows, checks } = await sizes({ scale: 0.0001, data: "", onStep() {} });
	assert.deepEqual(
		rows.map(({ fullN, dimensions }) => ({ n: fullN, dimensions })),
		SIZES,
	);
	for (const row of rows) {
		assert.equal(row.n, 200);
		assert.equal(row.totalBytesPerVector - row.indexBytesPerVector, Math.ceil(row.dimensions / 4) * 16);
		assert.ok(row.insertUs > 0 && row.p50Us > 0 && row.p95Us >= row.p50Us);
		assert.ok(row.recall > 0.95 && row.recall <= 1);
	}
	assert.deepEqual(checks, checksOf(rows));
});
