import assert from "node:assert/strict";
import { test } from "node:test";
import { buildRows, checksOf, searchRows, threads } from "./threads.ts";

const build = (count: number, seconds: number, sha256: string) => ({ threads: count, seconds, sha256 });

test("the median of the runs is held against that of the first number of threads", () => {
	const builds = [build(1, 8, "a"), build(2, 5, "a"), build(1, 9, "a"), build(2, 3, "a"), build(1, 20, "a")];
	assert.deepEqual(buildRows([...builds, build(2, 4.5, "b")]), [
		{ work: "build", threads: 1, seconds: [8, 9, 20], medianSeconds: 9, timesOne: 1, sha256: ["a", "a", "a"] },
		{ work: "build", threads: 2, seconds: [5, 3, 4.5], medianSeconds: 4.5, timesOne: 2, sha256: ["a", "a", "b"] },
	]);
	const searches = [
		{ threads: 1, seconds: 3 },
		{ threads: 2, seconds: 4 },
	];
	assert.deepEqual(searchRows(searches), [
		{ work: "search", threads: 1, seconds: [3], medianSeconds: 3, timesOne: 1 },
		{ work: "search", threads: 2, seconds: [4], medianSeconds: 4, timesOne: 0.75 },
	]);
});

test("one build or one answer that differs fails its check, and so does nothing to compare", () => {
	const holds = (hashes: string[], answers: unknown[]) =>
		checksOf(
			hashes.map((sha256) => ({ sha256 })),
			answers,
		).map((check) => check.holds);
	const hits = (label: number, distance: number) => [[{ label, distance }]];
	assert.deepEqual(holds(["a", "a", "a"], [hits(1, 2), hits(1, 2)]), [true, true]);
	assert.deepEqual(holds(["a", "a", "b"], [hits(1, 2), hits(1, 2)]), [false, true]);
	assert.deepEqual(holds(["a", "a"], [hits(1, 2), hits(1, 2.5)]), [true, false]);
	assert.deepEqual(holds([], [hits(1, 2)]), [false, false]);
});

test("one thread and two build the same bytes and find the same", async () => {
	const { rows, checks } = await threads({ scale: 0.01, data: "", onStep() {} });
	assert.deepEqual(
		rows.map(({ work, threads: count, seconds, sha256 }) => [work, count, seconds.length, sha256?.length]),
		[
			["build", 1, 3, 3],
			["build", 2, 3, 3],
			["search", 1, 5, undefined],
			["search", 2, 5, undefined],
		],
	);
	assert.equal(checks.length, 2);
	for (const { promise, holds } of checks) assert.ok(holds, promise);
	assert.match(rows[0]?.sha256?.[0] ?? "", /^[0-9a-f]{64}$/);
});
