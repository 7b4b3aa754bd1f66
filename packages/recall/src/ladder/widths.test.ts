import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { dearestWidth, pilotGoal, SPACING, widths } from "./widths.ts";

describe("widths", () => {
	test("fall from the most to the least, at most 1.1 times apart or one", () => {
		for (const [least, most] of [
			[1, 1],
			[1, 2],
			[1, 10_000],
			[10, 64],
			[100, 1_001],
			[4_000, 10_000],
		] as const) {
			const found = widths(least, most);
			assert.equal(found[0], most);
			assert.equal(found.at(-1), least);
			for (const [i, width] of found.slice(1).entries()) {
				const wider = found[i] as number;
				assert.ok(Number.isInteger(width) && width < wider);
				assert.ok(wider <= SPACING * width || wider === width + 1, `${wider} ${width}`);
			}
		}
	});

	test("are no more than they have to be: leaving one out opens a gap", () => {
		const found = widths(1, 10_000);
		for (let i = 1; i + 1 < found.length; i++) {
			const [wider, narrower] = [found[i - 1] as number, found[i + 1] as number];
			// Rounding up to a whole number takes away less than one at each step.
			assert.ok(wider > SPACING * (narrower - 1) || wider - narrower <= 2, `${wider} ${narrower}`);
		}
	});

	test("of one width are this width", () => {
		assert.deepEqual(widths(7, 7), [7]);
	});
});

describe("the dearest width", () => {
	/** Asks for widths, the means of which are given. */
	function pilot(least: number, most: number, goal: number, mean: (width: number) => number) {
		const search = dearestWidth(least, most, goal);
		const asked: number[] = [];
		let step = search.next();
		while (step.done !== true) {
			asked.push(step.value);
			step = search.next(mean(step.value));
		}
		return { ...step.value, asked };
	}

	test("doubles until the goal is reached", () => {
		assert.deepEqual(
			pilot(10, 10_000, 0.99, (width) => 1 - 1 / width),
			{ width: 160, mean: 1 - 1 / 160, asked: [10, 20, 40, 80, 160] },
		);
	});

	test("stops at the most, the mean of which it tells", () => {
		assert.deepEqual(
			pilot(10, 50, 0.99, () => 0.5),
			{ width: 50, mean: 0.5, asked: [10, 20, 40, 50] },
		);
		assert.deepEqual(
			pilot(10, 4, 0.99, () => 0.5),
			{ width: 4, mean: 0.5, asked: [4] },
		);
	});

	test("is to see a fifth of what may be missed", () => {
		assert.equal(pilotGoal(0.95), 0.99);
		assert.equal(pilotGoal(0.999), 0.9998);
	});
});
