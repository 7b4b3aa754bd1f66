import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { allocateAxes } from "./allocate.ts";

/** How far the groups' products of variances lie apart, as the difference of logarithms. */
function imbalance(variances: readonly number[], order: ArrayLike<number>, groups: number): number {
	const room = variances.length / groups;
	const logs = Array.from({ length: groups }, (_, group) => {
		let log = 0;
		for (let i = 0; i < room; i++) log += Math.log(variances[order[group * room + i] as number] as number);
		return log;
	});
	return Math.max(...logs) - Math.min(...logs);
}

const SHAPE = fc.record({ groups: fc.integer({ min: 1, max: 12 }), room: fc.integer({ min: 1, max: 8 }) });

describe("allocation of axes to groups", () => {
	test("every axis is in just one group, whatever the variances are", () => {
		fc.assert(
			fc.property(
				SHAPE.chain(({ groups, room }) =>
					fc.record({
						groups: fc.constant(groups),
						variances: fc.array(
							fc.oneof(fc.double({ min: 0, max: 1e300, noNaN: true }), fc.constantFrom(0, 5e-324, 1, 1e300)),
							{ minLength: groups * room, maxLength: groups * room },
						),
					}),
				),
				({ groups, variances }) => {
					const order = allocateAxes(variances, groups);
					assert.deepEqual(
						[...order].sort((a, b) => a - b),
						variances.map((_, i) => i),
					);
					assert.deepEqual(allocateAxes(variances, groups), order);
				},
			),
		);
	});

	test("products of variances are better balanced than in the plain order of falling variances", () => {
		for (const [d, groups] of [
			[16, 8],
			[64, 8],
			[96, 48],
			[128, 16],
		] as const) {
			for (const ratio of [0.99, 0.95, 0.9]) {
				const variances = Array.from({ length: d }, (_, i) => ratio ** i);
				const plain = imbalance(
					variances,
					variances.map((_, i) => i),
					groups,
				);
				const found = imbalance(variances, allocateAxes(variances, groups), groups);
				assert.ok(found < 0.35 * plain, `${d} axes in ${groups} groups, ratio ${ratio}: ${found}, plain ${plain}`);
			}
		}
	});

	test("axes without any variance are spread over the groups too", () => {
		const variances = [4, 3, 2, 1, 0, 0, 0, 0];
		const order = allocateAxes(variances, 4);
		for (let group = 0; group < 4; group++) {
			const pair = [...order.subarray(2 * group, 2 * group + 2)];
			assert.equal(pair.filter((axis) => axis >= 4).length, 1, `${pair}`);
		}
		assert.deepEqual([...allocateAxes([0, 0, 0, 0], 2)].sort(), [0, 1, 2, 3]);
	});

	test("one group keeps the axes in the order of their variances", () => {
		assert.deepEqual([...allocateAxes([1, 3, 2], 1)], [1, 2, 0]);
	});
});
