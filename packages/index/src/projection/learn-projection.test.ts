import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Arena, ArenaFullError } from "@nigh/kernels";
import { putPoints } from "../kmeans/kmeans.test-support.ts";
import { randomNumbers } from "../vectors.test-support.ts";
import { covariance, eigenvalues, spreadRows, varianceAlong } from "./jacobi.test-support.ts";
import { type LearnOptions, learnProjection } from "./learn-projection.ts";

const arena = new Arena();

async function learnt(rows: readonly Float32Array[], options: Omit<LearnOptions, "seed">) {
	const points = putPoints(arena, rows);
	const { projection, energy } = await learnProjection(arena, points, { ...options, seed: 42 });
	const d = points.dimensions;
	const axes = Array.from({ length: projection.width }, (_, i) =>
		arena.f32(projection.matrix + i * projection.rowBytes, d).map((x) => -x),
	);
	projection.dispose();
	arena.free(points.address);
	assert.equal(arena.usedBytes, 0);
	return { width: axes.length, axes, energy };
}

describe("learning a projection", () => {
	test("as many axes are kept as hold most of the variance, in whole steps", async () => {
		for (const [ratio, d] of [
			[0.9, 64],
			[0.97, 64],
			[0.5, 40],
		] as const) {
			const rows = spreadRows(randomNumbers(d), 500, d, (i) => ratio ** i, 3);
			const { width, axes, energy } = await learnt(rows, { width: undefined, multipleOf: 8, groupOf: 2 });
			assert.equal(width % 8, 0);
			const matrix = covariance(rows);
			const values = eigenvalues(matrix, d);
			const total = values.reduce((sum, x) => sum + x, 0);
			const held = axes.reduce((sum, axis) => sum + varianceAlong(matrix, axis), 0) / total;
			assert.ok(Math.abs(held - energy) < 0.001, `it says ${energy} and holds ${held}`);
			assert.ok(energy >= 0.925);
			const fewer = values.subarray(0, width - 8).reduce((sum, x) => sum + x, 0) / total;
			assert.ok(width === 8 || fewer < 0.935, `${width - 8} axes would hold ${fewer}`);
		}
	});

	test("a width that is given is kept, in groups among which variance is spread", async () => {
		const d = 48;
		const rows = spreadRows(randomNumbers(1), 500, d, (i) => 0.9 ** i);
		const { width, axes, energy } = await learnt(rows, { width: d, multipleOf: 6, groupOf: 8 });
		assert.equal(width, d);
		assert.ok(Math.abs(energy - 1) < 1e-4);
		const matrix = covariance(rows);
		const logs = Array.from({ length: 6 }, (_, group) =>
			axes
				.slice(8 * group, 8 * group + 8)
				.reduce((sum, axis) => sum + Math.log(Math.max(1e-30, varianceAlong(matrix, axis))), 0),
		);
		const [least, most] = [Math.min(...logs), Math.max(...logs)];
		// In plain order the groups would be 8 x 8 x 5 x 2 ln 0.9 apart, which is 67.
		assert.ok(most - least < 7, `${logs}`);
	});

	test("a width beyond the principal axes that are looked for is made up to it, at right angles", async () => {
		// 2^19 elements are 682 axes of 768 dimensions.
		const d = 768;
		const rows = spreadRows(randomNumbers(4), 60, d, (i) => 0.9 ** i);
		const { width, axes, energy } = await learnt(rows, { width: d, multipleOf: 8, groupOf: 96 });
		assert.deepEqual([width, energy], [d, 1]);
		for (let i = 0; i < d; i += 7) {
			for (let j = 0; j <= i; j += 5) {
				const dot = axes[i]?.reduce((sum, x, at) => sum + x * (axes[j]?.[at] as number), 0) as number;
				assert.ok(Math.abs(dot - (i === j ? 1 : 0)) < 1e-5, `axes ${i} and ${j}: ${dot}`);
			}
		}
		// Nothing is lost of a row.
		const row = rows[3] as Float32Array;
		const seen = axes.reduce((sum, axis) => sum + axis.reduce((dot, x, j) => dot + x * (row[j] as number), 0) ** 2, 0);
		const whole = row.reduce((sum, x) => sum + x * x, 0);
		assert.ok(Math.abs(seen - whole) <= 1e-4 * whole);
	});

	test("rows without any variance, one row and one dimension give a projection too", async () => {
		const equal = Array.from({ length: 10 }, () => Float32Array.from({ length: 20 }, (_, j) => j));
		for (const rows of [equal, equal.slice(0, 1)]) {
			const { width, energy } = await learnt(rows, { width: undefined, multipleOf: 4, groupOf: 2 });
			assert.equal(width, 4);
			assert.equal(energy, 1);
		}
		const single = [Float32Array.of(1), Float32Array.of(3)];
		const { width, axes, energy } = await learnt(single, { width: undefined, multipleOf: 1, groupOf: 1 });
		assert.deepEqual([width, energy, Math.abs(axes[0]?.[0] as number)], [1, 1, 1]);
	});

	test("what was taken is given back where the arena ends", async () => {
		const points = putPoints(
			arena,
			spreadRows(randomNumbers(2), 100, 40, (i) => 0.9 ** i),
		);
		const used = arena.usedBytes;
		const alloc = arena.alloc;
		let refused = 0;
		for (let allowed = 0; ; allowed++) {
			let calls = 0;
			arena.alloc = (bytes) => {
				if (calls++ === allowed) throw new ArenaFullError(bytes, 0);
				return alloc.call(arena, bytes);
			};
			try {
				const options = { width: undefined, multipleOf: 8, groupOf: 2, seed: 1 };
				(await learnProjection(arena, points, options)).projection.dispose();
				break;
			} catch (error) {
				assert.ok(error instanceof ArenaFullError);
				refused++;
			} finally {
				arena.alloc = alloc;
			}
			assert.equal(arena.usedBytes, used, `after allocation ${allowed}`);
		}
		assert.ok(refused > 3);
		arena.free(points.address);
		assert.equal(arena.usedBytes, 0);
	});
});
