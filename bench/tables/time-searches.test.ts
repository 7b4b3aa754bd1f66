import assert from "node:assert/strict";
import { test } from "node:test";
import type { Neighbor } from "@nigh/index";
import { eachRow, labelsOf, timeSearches } from "./time-searches.ts";

const hits = (...labels: number[]) => labels.map((label): Neighbor => ({ label, distance: label as never }));

test("settings are asked in turns, and each is told by its median pass, the first not counted", () => {
	let now = 0;
	const asked: string[] = [];
	// Milliseconds of both queries, by setting and pass: the warm-up, then three.
	const costs: Record<string, number[][]> = {
		a: [
			[900, 900],
			[1, 1],
			[9, 9],
			[2, 4],
		],
		b: [
			[900, 900],
			[30, 10],
			[70, 70],
			[5, 5],
		],
	};
	const passes: Record<string, number> = { a: 0, b: 0 };
	const queries = [Float32Array.of(0), Float32Array.of(1)];
	const [a, b] = timeSearches({
		settings: ["a", "b"],
		queries,
		search(query, setting) {
			const at = query[0] as number;
			const pass = passes[setting] as number;
			now += costs[setting]?.[pass]?.[at] as number;
			if (at === 0) asked.push(setting);
			else passes[setting] = pass + 1;
			return hits(10 * pass + at);
		},
		passes: 3,
		clock: () => now,
	});
	assert.deepEqual(asked, ["a", "b", "a", "b", "a", "b", "a", "b"]);
	assert.deepEqual(a, { answers: [hits(0), hits(1)], seconds: 0.006, p50Us: 2_000, p95Us: 4_000 });
	assert.deepEqual(b, { answers: [hits(0), hits(1)], seconds: 0.04, p50Us: 10_000, p95Us: 30_000 });
});

test("the 95th percentile is the value at the nearest rank", () => {
	let now = 0;
	const queries = Array.from({ length: 100 }, (_, at) => Float32Array.of(at + 1));
	const [times] = timeSearches({
		settings: [0],
		queries,
		search(query) {
			now += query[0] as number;
			return [];
		},
		passes: 1,
		clock: () => now,
	});
	assert.equal(times?.p50Us, 50_000);
	assert.equal(times?.p95Us, 95_000);
});

test("labels take the first k hits and -1 for those that are missing", () => {
	assert.deepEqual(labelsOf([hits(4, 7, 9), hits(3), []], 2), Int32Array.of(4, 7, 3, -1, -1, -1));
});

test("each row is a view of its own", () => {
	const rows = Float32Array.of(1, 2, 3, 4);
	assert.deepEqual(eachRow(rows, 2), [Float32Array.of(1, 2), Float32Array.of(3, 4)]);
	assert.equal(eachRow(rows, 2)[1]?.buffer, rows.buffer);
});
