import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { planReads, scatter } from "./runs.ts";

const MIB = 1 << 20;

/** Segment, first slot, rows and place of each run. */
function planned(slots: number[], starts: number[], rowBytes = 16): unknown[] {
	const { runs } = planReads(Uint32Array.from(slots), starts, rowBytes);
	return runs.map(({ segment, slot, rows, place }) => [segment, slot, rows, place]);
}

test("consecutive slots are joined, those of two segments are not, and what stands as it is read has its place", () => {
	assert.deepEqual(planned([], [0]), []);
	assert.deepEqual(planned([4, 5, 6], [0]), [[0, 4, 3, 0]]);
	assert.deepEqual(planned([9, 4, 5, 7], [0]), [
		[0, 4, 2, 1],
		[0, 7, 1, 3],
		[0, 9, 1, 0],
	]);
	assert.deepEqual(planned([5, 4], [0]), [[0, 4, 2, undefined]]);
	assert.deepEqual(planned([4, 4], [0]), [[0, 4, 1, undefined]]);
	assert.deepEqual(planned([3, 4, 5], [0, 4, 4]), [
		[0, 3, 1, 0],
		[2, 4, 2, 1],
	]);
});

test("a run is at most a MiB, or one row", () => {
	const rows = (rowBytes: number) =>
		planReads(Uint32Array.of(0, 1, 2, 2, 3, 4), [0], rowBytes).runs.map((run) => run.rows);
	assert.deepEqual(rows(MIB / 2), [2, 2, 1]);
	assert.deepEqual(rows(MIB / 2 + 1), [1, 1, 1, 1, 1]);
	assert.deepEqual(rows(3 * MIB), [1, 1, 1, 1, 1]);
});

test("every place gets the row of its slot once the runs are read in turn", () => {
	const slot = fc.oneof(fc.nat(60), fc.nat(2 ** 32 - 1));
	const property = fc.property(fc.array(slot, { maxLength: 80 }), fc.array(fc.nat(50)), (asked, bounds) => {
		const slots = Uint32Array.from(asked);
		const starts = [0, ...bounds].sort((a, b) => a - b);
		const { runs, order } = planReads(slots, starts, 4);
		const into = new Uint32Array(slots.length).fill(7);
		let last = -1;
		for (const run of runs) {
			assert.ok(run.slot > last && (starts[run.segment] as number) <= run.slot);
			last = run.slot + run.rows - 1;
			assert.ok(last < (starts[run.segment + 1] ?? Number.POSITIVE_INFINITY));
			const rows = Uint32Array.from({ length: run.rows }, (_, at) => run.slot + at);
			if (run.place !== undefined) into.set(rows, run.place);
			else scatter(new Uint8Array(rows.buffer), run, order, slots, new Uint8Array(into.buffer));
		}
		assert.deepEqual(into, slots);
	});
	fc.assert(property, { numRuns: 300 });
});
