import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { moveInPlace, NO_SOURCE } from "./move-in-place.ts";

test("every place gets what was in its source, whatever leads to what, with one spare", () => {
	const plan = fc.integer({ min: 1, max: 40 }).chain((from) =>
		fc.record({
			all: fc.shuffledSubarray(
				Array.from({ length: from }, (_, i) => i),
				{ minLength: from },
			),
			used: fc.array(fc.boolean(), { minLength: from, maxLength: from }),
			places: fc.integer({ min: 1, max: from }),
		}),
	);
	fc.assert(
		fc.property(plan, ({ all, used, places }) => {
			const sources = Uint32Array.from({ length: places }, (_, i) => (used[i] ? (all[i] as number) : NO_SOURCE));
			const spare = all.length;
			const held = Array.from({ length: all.length + 1 }, (_, i) => `row ${i}`);
			const expected = [...sources].map((source) => (source === NO_SOURCE ? undefined : `row ${source}`));
			const told: number[] = [];
			const options = {
				at: (row: number) => ({ payload: 0, row }),
				spare: { payload: 0, row: spare },
				move: (from: { row: number }, to: { row: number }) => {
					held[to.row] = held[from.row] as string;
					return Number((held[from.row] as string).slice(4));
				},
			};
			moveInPlace(sources, options, (place, term) => {
				told.push(place);
				assert.equal(`row ${term}`, expected[place]);
			});
			expected.forEach((row, place) => {
				if (row !== undefined) assert.equal(held[place], row);
			});
			assert.deepEqual(
				told.sort((a, b) => a - b),
				expected.flatMap((row, place) => (row === undefined ? [] : [place])),
			);
			assert.ok(sources.every((source) => source === NO_SOURCE));
		}),
		{ numRuns: 300 },
	);
});
