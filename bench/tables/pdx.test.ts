import assert from "node:assert/strict";
import { test } from "node:test";
import { leastReaching, pdx } from "./pdx.ts";

test("the least number is found, also the first and the last", () => {
	for (const least of [1, 2, 6, 7])
		assert.equal(
			leastReaching(7, (n) => n >= least),
			least,
		);
});

test("both made sets are measured by all ways over the same cells, and missing sets are named", async () => {
	const { rows, checks, about } = await pdx({ scale: 0.004, data: "no-such-folder", onStep() {} });
	const sets = ["generated-400x128", "generated-200x768"];
	assert.deepEqual([...new Set(rows.map(({ set }) => set))], sets);
	for (const set of sets) {
		const ways = rows.filter((row) => row.set === set);
		assert.equal(ways.length % 5, 0);
		for (let from = 0; from < ways.length; from += 5) {
			const together = ways.slice(from, from + 5);
			assert.equal(new Set(together.map(({ way }) => way)).size, 5);
			assert.equal(new Set(together.map(({ nprobe }) => nprobe)).size, 1);
			const recallOf = (name: string) => together.find(({ way }) => way === name)?.recall as number;
			assert.equal(recallOf("sq7"), recallOf("rows"));
			for (const { recall, us, elements } of together) {
				assert.ok(recall <= recallOf("rows") + 0.001 && us > 0 && elements > 0 && elements <= 1.2);
			}
		}
		assert.ok((ways.at(-5)?.recall as number) >= 0.99);
	}
	assert.deepEqual(
		checks.map(({ holds }) => holds),
		[true, true, true, true],
	);
	assert.deepEqual(about.slice(1), [
		"fashion-mnist-784 is left out: the data folder does not have it.",
		"squad-sif-300d is left out: the data folder does not have it.",
	]);
});
