import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { randomNumbers } from "../vectors.test-support.ts";
import { Complement } from "./complement.ts";
import { dot, orthonormalize } from "./orthonormal.ts";

test("the axes that are added to some are orthonormal to them and to each other, whatever they are", () => {
	const shape = fc.integer({ min: 1, max: 40 }).chain((d) => fc.tuple(fc.constant(d), fc.nat(d)));
	fc.assert(
		fc.property(shape, fc.nat(), fc.boolean(), ([d, known], seed, isPlain) => {
			const random = randomNumbers(seed);
			const axes = Float64Array.from({ length: known * d }, (_, i) =>
				isPlain ? Number(i % (d + 1) === 0) : random() - 0.5,
			);
			orthonormalize(axes, known, d);
			const all = new Complement(axes, d);
			const found = Array.from({ length: d }, (_, i) => all.axis(i));
			assert.deepEqual(Float64Array.from(found.slice(0, known).flatMap((axis) => [...axis])), axes);
			found.forEach((a, i) => {
				for (let j = 0; j <= i; j++) {
					assert.ok(Math.abs(dot(a, found[j] as Float64Array) - (i === j ? 1 : 0)) < 1e-12, `${i} and ${j}`);
				}
			});
		}),
	);
});
