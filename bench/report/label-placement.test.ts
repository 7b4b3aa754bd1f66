import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { placeLabels } from "./label-placement.ts";

test("labels with room stay where they want to be", () => {
	assert.deepEqual(placeLabels([50, 10, 90], 20, 0, 100), [50, 10, 90]);
});

test("labels that want one place share the way", () => {
	assert.deepEqual(placeLabels([50, 50], 20, 0, 100), [40, 60]);
	assert.deepEqual(placeLabels([50, 50, 50], 20, 0, 100), [30, 50, 70]);
});

test("labels at an end are pushed inside", () => {
	assert.deepEqual(placeLabels([100, 100], 20, 0, 100), [80, 100]);
	assert.deepEqual(placeLabels([0, 0], 20, 0, 100), [0, 20]);
});

test("labels never overlap, keep their order, and stay inside where there is room", () => {
	fc.assert(
		fc.property(fc.array(fc.double({ min: 0, max: 400, noNaN: true }), { maxLength: 12 }), (wanted) => {
			const placed = placeLabels(wanted, 20, 0, 400);
			const order = wanted.map((_, at) => at).sort((a, b) => (placed[a] as number) - (placed[b] as number));
			order.forEach((label, rank) => {
				const y = placed[label] as number;
				assert.ok(y >= 0 && y <= 400);
				if (rank === 0) return;
				const before = order[rank - 1] as number;
				assert.ok(y - (placed[before] as number) >= 20 - 1e-9);
				assert.ok((wanted[before] as number) <= (wanted[label] as number));
			});
		}),
	);
});

test("labels without room run over the bottom and do not overlap", () => {
	assert.deepEqual(placeLabels([5, 5, 5], 20, 0, 30), [0, 20, 40]);
});
