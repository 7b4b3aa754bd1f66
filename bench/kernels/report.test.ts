import assert from "node:assert/strict";
import { test } from "node:test";
import { KERNEL_CASES } from "./cases.ts";
import { kernelReport } from "./report.ts";

test("every case is measured in every place, and the figures of a line agree with one another", async () => {
	const dimensions = [24, 100];
	const { rows, markdown } = await kernelReport({ dimensions, seconds: 0.001, memoryBytes: 1 << 20 });
	const withoutDimensions = new Set<string>(["topk", "checksum", "fastScan", "productScan"]);
	const once = KERNEL_CASES.filter(({ kernel }) => withoutDimensions.has(kernel));
	const places = (cases: typeof KERNEL_CASES) => cases.reduce((sum, each) => sum + each.places.length, 0);
	assert.equal(rows.length, 2 * places(KERNEL_CASES) - places(once));
	for (const row of rows) {
		const name = `${row.kernel} ${row.variant} ${row.dimensions} ${row.place}`;
		for (const figure of [row.nanoseconds, row.gigabytesPerSecond, row.readGigabytesPerSecond, row.share]) {
			assert.ok(Number.isFinite(figure) && figure > 0, name);
		}
		assert.equal(row.workingSetBytes, row.place === "cache" ? 256 * 1024 : 1 << 20, name);
	}
	const block = rows.filter(({ kernel, variant }) => kernel === "distanceBlock" && variant === "l2");
	for (const row of block) {
		const bytes = 4 * (row.dimensions as number);
		assert.ok(Math.abs(row.nanoseconds * row.gigabytesPerSecond - bytes) < 1e-6 * bytes);
	}
	for (const { kernel } of KERNEL_CASES) assert.ok(markdown.includes(`| \`${kernel}\``), kernel);
	const table = markdown.split("\n").filter((line) => line.startsWith("|"));
	assert.deepEqual(
		table.filter((line) => line.split("|").length !== 11),
		[],
	);
});
