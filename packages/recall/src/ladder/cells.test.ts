import assert from "node:assert/strict";
import { test } from "node:test";
import { CELL_ARMS, cellsLadder } from "./cells.ts";
import { SPACING } from "./widths.ts";

const rows = ({ nprobe, budget = Number.POSITIVE_INFINITY }: { nprobe: number; budget?: number }, perCell: number) =>
	Math.min(nprobe * perCell, budget);

for (const [nlist, vectors, dearest] of [
	[1, 30, 1],
	[3, 100, 3],
	[100, 4_000, 15],
	[256, 10_000, 256],
	[2_000, 10_000_000, 400],
] as const) {
	test(`${nlist} cells of ${vectors} vectors, up to ${dearest}: by the rows that are scanned, at most 1.1 times apart or a cell`, () => {
		const ladder = cellsLadder({ nlist, vectors, dearest });
		const perCell = vectors / nlist;
		assert.equal(ladder[0]?.nprobe, dearest);
		assert.equal(
			rows(ladder.at(-1) as (typeof ladder)[number], perCell),
			Math.min(...ladder.map((rung) => rows(rung, perCell))),
		);
		for (const [i, rung] of ladder.slice(1).entries()) {
			const [wider, narrower] = [rows(ladder[i] as typeof rung, perCell), rows(rung, perCell)];
			assert.ok(wider >= narrower);
			assert.ok(wider <= SPACING * narrower * (1 + 1e-12) || wider <= narrower + perCell, `${wider} ${narrower}`);
		}
		for (const { nprobe } of ladder) assert.ok(nprobe >= 1 && nprobe <= nlist);
		// Each arm that scans no more than the dearest rung stands in it, once, and no other.
		const arms = ladder.flatMap(({ arm, budget }) => (arm === undefined ? [] : [{ arm, budget }]));
		const expected = CELL_ARMS.filter(
			(arm) => rows({ ...arm, nprobe: Math.min(nlist, arm.nprobe) }, perCell) <= dearest * perCell,
		);
		assert.deepEqual(
			arms.sort((a, b) => a.arm.localeCompare(b.arm)),
			expected.map(({ arm, budget }) => ({ arm, budget })).sort((a, b) => a.arm.localeCompare(b.arm)),
		);
	});
}

test("a depth of re-ranking is that of every rung; left out, of none", () => {
	const options = { nlist: 100, vectors: 4_000, dearest: 20 };
	assert.ok(cellsLadder({ ...options, rerank: 80 }).every(({ rerank }) => rerank === 80));
	assert.ok(cellsLadder(options).every((rung) => !("rerank" in rung)));
});

test("an arm comes after the plain rung that scans as much without a limit", () => {
	const ladder = cellsLadder({ nlist: 100, vectors: 4_000, dearest: 20 });
	const at = ladder.findIndex(({ nprobe }) => nprobe === 20);
	assert.deepEqual([ladder[at]?.arm, ladder[at + 1]?.arm], [undefined, "ivf_aggressive"]);
});
