import assert from "node:assert/strict";
import { test } from "node:test";
import { checksOf, kmeans } from "./kmeans.ts";

test("one iteration that finds something else fails the check, and so does nothing to compare", () => {
	const holds = (inertias: number[][]) => checksOf(inertias).map((check) => check.holds);
	assert.deepEqual(
		holds([
			[3, 2],
			[3, 2],
		]),
		[true],
	);
	assert.deepEqual(
		holds([
			[3, 2],
			[3, 2.5],
		]),
		[false],
	);
	assert.deepEqual(holds([[3, 2]]), [false]);
});

test("one thread and two find the same; Faiss has a row, or it is said why not", async () => {
	const { rows, checks, about } = await kmeans({ scale: 0.02, data: "", onStep() {} });
	assert.deepEqual(
		rows.slice(0, 2).map(({ engine, threads }) => [engine, threads]),
		[
			["nigh", 1],
			["nigh", 2],
		],
	);
	for (const { iterationSeconds, gigaflops } of rows) assert.ok(iterationSeconds > 0 && gigaflops > 0);
	for (const { promise, holds } of checks) assert.ok(holds, promise);
	assert.match(about[1] ?? "", rows.length === 3 ? /^Faiss [\d.]+ is Debian's/ : /^Faiss is left out/);
});
