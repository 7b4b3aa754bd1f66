import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Arena } from "@nigh/kernels";
import { putPoints, rowsOf, squaredDistance } from "../kmeans/kmeans.test-support.ts";
import { randomNumbers } from "../vectors.test-support.ts";
import { spreadRows } from "./jacobi.test-support.ts";
import { principalAxes } from "./principal-axes.ts";
import { Projection, projectRow, projectRows } from "./projection.ts";

const arena = new Arena();

/** Rows in the arena, projected to `width` of their principal axes. */
async function scene(d: number, width: number, offset: number) {
	const points = putPoints(
		arena,
		spreadRows(randomNumbers(d), 60, d, (i) => 1 / (1 + i), offset),
	);
	const { axes, mean } = await principalAxes(arena, points, { energy: 1, least: width, most: width, seed: 1 });
	const projection = new Projection(arena, d, width);
	for (let i = 0; i < width; i++) projection.setAxis(i, axes.subarray(i * d, (i + 1) * d));
	projection.centre(mean);
	const out = arena.alloc(projection.bytes * points.n);
	arena.u8(out, projection.bytes * points.n).fill(255);
	const close = () => {
		projection.dispose();
		arena.free(out);
		arena.free(points.address);
		assert.equal(arena.usedBytes, 0);
	};
	return { points, axes, mean, projection, out, close };
}

const SHAPES = [
	[1, 1],
	[2, 2],
	[33, 33],
	[33, 5],
	[64, 16],
	[300, 48],
] as const;

describe("a projection", () => {
	for (const [d, width] of SHAPES) {
		for (const offset of [0, 3]) {
			test(`${d} dimensions to ${width}, ${offset} off the origin: coordinates are those along the axes, from the mean`, async () => {
				const { points, axes, mean, projection, out, close } = await scene(d, width, offset);
				projectRows(arena, projection, points.address, points.stride, points.n, out);
				const words = projection.bytes / 4;
				const all = arena.f32(out, words * points.n).slice();
				rowsOf(arena, points).forEach((row, i) => {
					for (let axis = 0; axis < words; axis++) {
						let along = 0;
						if (axis < width) {
							for (let j = 0; j < d; j++)
								along += (axes[axis * d + j] as number) * ((row[j] as number) - (mean[j] as number));
						}
						const found = all[i * words + axis] as number;
						// Padding is zero to the bit; coordinates are sums of float32.
						const tolerance = axis < width ? 2e-6 * (1 + offset * Math.sqrt(d)) : 0;
						assert.ok(Math.abs(found - along) <= tolerance, `row ${i}, axis ${axis}: ${found}, ${along}`);
					}
				});
				close();
			});
		}

		test(`${d} dimensions to ${width}: a row by itself gives the same bits as many, centred; without, the mean is left in`, async () => {
			const { points, projection, out, close } = await scene(d, width, 2);
			projectRows(arena, projection, points.address, points.stride, points.n, out);
			const words = projection.bytes / 4;
			const all = arena.f32(out, words * points.n).slice();
			const means = arena.f32(projection.offset, width).slice();
			const one = arena.alloc(projection.bytes);
			for (let i = 0; i < points.n; i++) {
				arena.u8(one, projection.bytes).fill(255);
				const row = points.address + i * points.stride;
				assert.equal(projectRow(arena, projection, row, one, true), one);
				const centred = arena.f32(one, words).slice();
				assert.deepEqual(centred, all.subarray(i * words, (i + 1) * words));
				projectRow(arena, projection, row, one, false);
				const plain = arena.f32(one, words).slice();
				assert.deepEqual(
					plain.map((x, axis) => (axis < width ? x - (means[axis] as number) : x)),
					centred,
				);
			}
			arena.free(one);
			close();
		});
	}

	test("of full width keeps every distance; of less it makes none larger", async () => {
		for (const [d, width] of SHAPES) {
			const { points, projection, out, close } = await scene(d, width, 1);
			projectRows(arena, projection, points.address, points.stride, points.n, out);
			const rows = rowsOf(arena, points);
			const words = projection.bytes / 4;
			const seen = rows.map((_, i) => arena.f32(out + i * projection.bytes, words).slice());
			for (let i = 0; i < rows.length; i++) {
				const other = (7 * i + 3) % rows.length;
				const truth = squaredDistance(rows[i] as Float32Array, rows[other] as Float32Array);
				const found = squaredDistance(seen[i] as Float32Array, seen[other] as Float32Array);
				assert.ok(found <= truth * (1 + 1e-4) + 1e-6, `${d} to ${width}: ${found}, in truth ${truth}`);
				if (width === d) assert.ok(found >= truth * (1 - 1e-4) - 1e-6, `${d}: ${found}, in truth ${truth}`);
			}
			close();
		}
	});

	test("of width 0 leaves rows where and as they are, and takes no memory", async () => {
		const projection = new Projection(arena, 33, 0);
		assert.equal(arena.usedBytes, 0);
		assert.equal(projection.memoryBytes, 0);
		assert.equal(projection.width, 33);
		assert.equal(projection.bytes, projection.rowBytes);
		assert.equal(projectRow(arena, projection, 4_096, 8_192, true), 4_096);
		projection.dispose();
	});

	test("its memory is what it takes", async () => {
		const before = arena.usedBytes;
		const projection = new Projection(arena, 64, 16);
		assert.equal(arena.usedBytes - before, projection.memoryBytes);
		projection.dispose();
		assert.equal(arena.usedBytes, before);
	});
});
