import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { Point } from "../run/interleave.ts";
import { frontier, median, qpsAt } from "./operating-points.ts";
import { point, result } from "./report.test-support.ts";

const at = (recall: number, qps: number) => point("x", 1, recall, qps);
const qpsOf = (points: readonly Point[], recall: number) => qpsAt(result("x", points), recall);

/** Recalls as they are measured: shares of some thousand neighbours. */
const anyPoints = fc.array(fc.tuple(fc.integer({ min: 0, max: 10_000 }), fc.integer({ min: 1, max: 1_000_000 })), {
	minLength: 1,
	maxLength: 12,
});
const pointsOf = (pairs: readonly (readonly [number, number])[]) => pairs.map(([r, q]) => at(r / 10_000, q));

describe("median", () => {
	test("is the middle one of an odd number of values, in whatever order", () => {
		assert.equal(median([5, 1, 9]), 5);
		assert.equal(median([10, 9, 8, 7, 100]), 9);
	});
	test("lies halfway between the middle two of an even number", () => assert.equal(median([4, 1, 3, 100]), 3.5));
	test("leaves its argument as it is", () => {
		const values = [3, 1, 2];
		median(values);
		assert.deepEqual(values, [3, 1, 2]);
	});
});

describe("frontier", () => {
	test("leaves out what another point beats in both", () => {
		const [fast, beaten, sure] = [at(0.9, 100), at(0.85, 90), at(0.95, 50)];
		assert.deepEqual(frontier([sure, beaten, fast]), [fast, sure]);
	});
	test("keeps the faster of two with equal recall, and the surer of two with equal speed", () => {
		assert.deepEqual(frontier([at(0.9, 10), at(0.9, 20)]), [at(0.9, 20)]);
		assert.deepEqual(frontier([at(0.9, 10), at(0.95, 10)]), [at(0.95, 10)]);
	});
	test("goes by the median of the passes", () => {
		const lucky = point("x", 1, 0.8, [10, 10, 1_000]);
		assert.deepEqual(frontier([lucky, at(0.9, 20)]), [at(0.9, 20)]);
	});
	test("holds exactly the points that none beats", () => {
		fc.assert(
			fc.property(anyPoints, (pairs) => {
				const points = pointsOf(pairs);
				const q = (p: Point) => median(p.qps);
				const beats = (a: Point, b: Point) =>
					a.recall >= b.recall && q(a) >= q(b) && (a.recall > b.recall || q(a) > q(b));
				const pairsOf = (list: readonly Point[]) => new Set(list.map((p) => `${p.recall} ${q(p)}`));
				const unbeaten = points.filter((p) => !points.some((other) => beats(other, p)));
				const edge = frontier(points);
				assert.deepEqual(pairsOf(edge), pairsOf(unbeaten));
				for (let i = 1; i < edge.length; i++) {
					assert.ok((edge[i] as Point).recall > (edge[i - 1] as Point).recall);
					assert.ok(q(edge[i] as Point) < q(edge[i - 1] as Point));
				}
			}),
		);
	});
});

describe("qpsAt", () => {
	test("is the point's own at its recall", () => {
		const points = [at(0.9, 1_000), at(0.99, 100)];
		assert.deepEqual(qpsOf(points, 0.9), { qps: 1_000, atLeast: false });
		assert.deepEqual(qpsOf(points, 0.99), { qps: 100, atLeast: false });
	});
	test("halfway in log(1 - recall) is halfway in log(queries/s)", () => {
		// Between 0.9 and 0.99, one miss in 10 and one in 100, one in sqrt(1000) lies halfway; so does 316.2 between 1,000 and 100.
		const { qps, atLeast } = qpsOf([at(0.9, 1_000), at(0.99, 100)], 1 - 1 / Math.sqrt(1_000));
		assert.ok(Math.abs((qps as number) - Math.sqrt(1_000 * 100)) < 1e-6);
		assert.equal(atLeast, false);
	});
	test("a third of the way, worked by hand", () => {
		// From 1 - 0.8 = 0.2 to 0.025 are three halvings; 0.9 is one of them. From 8,000 to 1,000 too: 4,000.
		const { qps } = qpsOf([at(0.8, 8_000), at(0.975, 1_000)], 0.9);
		assert.ok(Math.abs((qps as number) - 4_000) < 1e-6);
	});
	test("is a lower limit where the cheapest setting has more recall", () => {
		assert.deepEqual(qpsOf([at(0.97, 700), at(0.99, 100)], 0.9), { qps: 700, atLeast: true });
	});
	test("is unknown where the recall is not reached", () => {
		assert.deepEqual(qpsOf([at(0.9, 1_000), at(0.949, 10)], 0.95), { qps: undefined, atLeast: false });
	});
	test("is finite up to a recall of 1", () => {
		const { qps } = qpsOf([at(0.9, 1_000), at(1, 10)], 0.99);
		assert.ok((qps as number) > 10 && (qps as number) < 1_000);
		assert.deepEqual(qpsOf([at(0.9, 1_000), at(1, 10)], 1), { qps: 10, atLeast: false });
	});
	test("lies between the neighbouring points of the frontier", () => {
		fc.assert(
			fc.property(anyPoints, fc.integer({ min: 1, max: 9_999 }), (pairs, wanted) => {
				const points = pointsOf(pairs);
				const recall = wanted / 10_000;
				const { qps, atLeast } = qpsOf(points, recall);
				const edge = frontier(points);
				const above = edge.find((p) => p.recall >= recall);
				const below = edge.findLast((p) => p.recall < recall);
				if (above === undefined) return assert.equal(qps, undefined);
				const slow = median(above.qps);
				const fast = below === undefined ? slow : median(below.qps);
				assert.ok((qps as number) >= slow * (1 - 1e-9) && (qps as number) <= fast * (1 + 1e-9));
				assert.equal(atLeast, below === undefined && above.recall > recall);
			}),
		);
	});
});
