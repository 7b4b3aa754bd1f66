import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { randomNumbers } from "../../kernels.test-support.ts";
import { CELL_SEARCH } from "../../layout.ts";
import { type CellsOptions, type SearchOptions, TestCells } from "./cells.test-support.ts";

const OPTIONS: CellsOptions = {
	cells: 6,
	mostRows: 100,
	subs: 1,
	entries: 1,
	termBytes: 0,
	codeBytes: 16,
	termOf: () => 0,
	putCode: () => {},
};

/** Places and labels of all calls until the end. */
function listAll(cells: TestCells, search: number, room: number): { place: number; label: number }[] {
	const { bench } = cells;
	const [places, labels] = [bench.room(4 * room), bench.room(4 * room)];
	const listed: { place: number; label: number }[] = [];
	for (;;) {
		const n = bench.run("listCells", cells.cells, search, places, labels, room);
		assert.ok(n >= 0 && n <= room);
		if (n === 0) return listed;
		const labelsOf = bench.u32(labels, n);
		listed.push(...Array.from(bench.u32(places, n), (place, i) => ({ place, label: labelsOf[i] as number })));
	}
}

test("the rows that are left in the probed cells are listed in order, in calls of any room", () => {
	fc.assert(
		fc.property(
			fc.nat(2 ** 30),
			fc.constantFrom(32, 33, 64, 100, 1_000),
			fc.constantFrom(0, 1, 90, 1_000),
			(seed, room, budget) => {
				const cells = new TestCells(randomNumbers(seed), OPTIONS);
				const asked: SearchOptions = { probes: cells.probes(() => 0), room: 0, budget };
				const search = cells.search(asked);
				const expected = cells
					.reached(asked)
					.flatMap(({ cell }) => cells.live(cell))
					.map(({ place }) => ({ place, label: cells.labels[place] }));
				assert.deepEqual(listAll(cells, search, room), expected);
				cells.checkCounts(search, asked);
			},
		),
		{ numRuns: 60 },
	);
});

test("an abort word that is raised between two calls ends a listing once the cell is done", () => {
	const cells = new TestCells(randomNumbers(2), { ...OPTIONS, cells: 3, mostRows: 300 });
	const { bench } = cells;
	const abort = bench.room(4);
	const search = cells.search({ probes: cells.probes(() => 0), room: 0, abort });
	const [places, labels] = [bench.room(128), bench.room(128)];
	assert.ok(bench.run("listCells", cells.cells, search, places, labels, 32) > 0);
	assert.notEqual(bench.u32(search + CELL_SEARCH.listing, 1)[0], 0);
	bench.write(abort, Int32Array.of(1));
	let calls = 0;
	while (bench.run("listCells", cells.cells, search, places, labels, 32) !== -1) calls++;
	assert.ok(calls < 10);
	assert.equal(bench.u32(search + CELL_SEARCH.next, 1)[0], 1);
});
