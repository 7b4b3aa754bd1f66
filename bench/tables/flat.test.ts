import assert from "node:assert/strict";
import { test } from "node:test";
import { flat, readingRate } from "./flat.ts";

test("rates are of the medians, the share that of neighbouring pairs", () => {
	// 8 MB in 2 ms are 4 GB/s. The pairs read in 1/2, 2/2 and 1/4 of the time of their scan.
	assert.deepEqual(readingRate(8e6, [1, 2, 2], [2, 2, 8]), {
		gigabytesPerSecond: 4,
		readGigabytesPerSecond: 4,
		share: 0.5,
	});
});

test("both made sets are measured with and without codes, with the same answers, and a missing set is named", async () => {
	const { rows, checks, about } = await flat({ scale: 0.005, data: "no-such-folder", onStep() {} });
	assert.deepEqual(
		rows.map(({ set, n, codes }) => [set, n, codes]),
		[
			["generated-500x128", 500, "none"],
			["generated-500x128", 500, "sq7"],
			["uniform-500x128", 500, "none"],
			["uniform-500x128", 500, "sq7"],
		],
	);
	for (const { codes, reading, timesScan, timesSingles } of rows) {
		assert.equal(reading !== undefined, codes === "none");
		if (codes === "none") assert.equal(timesScan, 1);
		assert.ok(timesScan > 0 && timesSingles > 0);
	}
	assert.equal(checks.length, 4);
	for (const { promise, holds } of checks) assert.ok(holds, promise);
	assert.match(about.at(-1) ?? "", /^fashion-mnist-784 is left out/);
});
