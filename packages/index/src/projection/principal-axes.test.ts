import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Arena, ArenaFullError } from "@nigh/kernels";
import { putPoints } from "../kmeans/kmeans.test-support.ts";
import { type Parallel, serial } from "../parallel.ts";
import { randomNumbers } from "../vectors.test-support.ts";
import { covariance, eigenvalues, spreadRows, varianceAlong } from "./jacobi.test-support.ts";
import { orthonormalize } from "./orthonormal.ts";
import { type PrincipalAxes, type PrincipalAxesOptions, principalAxes, rowsForAxes } from "./principal-axes.ts";

const arena = new Arena();

async function axesOf(
	rows: readonly Float32Array[],
	options: Partial<PrincipalAxesOptions> = {},
	gap = 0,
): Promise<PrincipalAxes> {
	const points = putPoints(arena, rows, gap);
	const d = points.dimensions;
	try {
		return await principalAxes(arena, points, { energy: 1, least: d, most: d, seed: 42, ...options });
	} finally {
		arena.free(points.address);
		assert.equal(arena.usedBytes, 0);
	}
}

/** How far rows of `d` elements are from orthonormal at most. */
function skewness(axes: Float64Array, d: number): number {
	const m = axes.length / d;
	let most = 0;
	for (let i = 0; i < m; i++) {
		for (let j = 0; j <= i; j++) {
			let dot = 0;
			for (let c = 0; c < d; c++) dot += (axes[i * d + c] as number) * (axes[j * d + c] as number);
			most = Math.max(most, Math.abs(dot - (i === j ? 1 : 0)));
		}
	}
	return most;
}

const sum = (values: Iterable<number>) => [...values].reduce((a, b) => a + b, 0);

type Spectrum = (i: number, d: number) => number;

const SPECTRA: Readonly<Record<string, Spectrum>> = {
	flat: () => 1,
	steep: (i) => 0.7 ** i,
	"falling slowly": (i) => 1 / Math.sqrt(1 + i),
	"in two steps": (i, d) => (i < d / 4 ? 10 : 1),
	"of rank 2": (i) => (i < 2 ? 3 - i : 0),
	tiny: (i) => 1e-12 / (1 + i),
	huge: (i) => 1e12 / (1 + i),
};

describe("principal axes, beside a Jacobi eigen-decomposition in float64", () => {
	for (const d of [1, 2, 33, 300]) {
		const names = d === 300 ? ["falling slowly"] : Object.keys(SPECTRA);
		for (const name of names) {
			test(`d = ${d}, ${name}: orthonormal, falling, and of the first m no more than 1 % of the variance is lost`, async () => {
				const random = randomNumbers(d + name.length);
				const spectrum = SPECTRA[name] as Spectrum;
				const rows = spreadRows(random, d === 300 ? 500 : 400, d, (i) => spectrum(i, d), 5 * spectrum(0, d));
				const matrix = covariance(rows);
				const best = eigenvalues(matrix, d);
				const total = sum(best);
				for (const m of new Set([1, Math.ceil(d / 5), d])) {
					const found = await axesOf(rows, { least: m, most: m });
					assert.equal(found.axes.length, m * d);
					assert.equal(found.variances.length, m);
					assert.ok(skewness(found.axes, d) < 1e-6, `axes are ${skewness(found.axes, d)} from orthonormal`);
					const along = Array.from({ length: m }, (_, i) =>
						varianceAlong(matrix, found.axes.subarray(i * d, (i + 1) * d)),
					);
					const optimum = sum(best.subarray(0, m));
					// Where all directions are alike, which of them are found hardly matters: there it is 3 % of the whole.
					const loss = name === "flat" ? 0.03 * total : 0.01 * optimum;
					assert.ok(sum(along) >= optimum - loss, `${m} axes hold ${sum(along)} of at best ${optimum}`);
					found.variances.forEach((variance, i) => {
						assert.ok(i === 0 || variance <= (found.variances[i - 1] as number));
						assert.ok(Math.abs(variance - (along[i] as number)) <= 1e-4 * total, `the variance of axis ${i}`);
					});
					assert.ok(Math.abs(found.totalVariance - total) <= 1e-4 * total);
				}
			});
		}
	}

	test("it ends with the axis at which the share of the variance that was asked for is reached", async () => {
		const rows = spreadRows(randomNumbers(3), 600, 120, (i) => 0.95 ** i);
		const best = eigenvalues(covariance(rows), 120);
		const total = sum(best);
		for (const energy of [0.3, 0.9, 0.999]) {
			const { variances } = await axesOf(rows, { energy, least: 1, most: 120 });
			const needed = best.findIndex((_, i) => sum(best.subarray(0, i + 1)) >= energy * total) + 1;
			assert.ok(Math.abs(variances.length - needed) <= 2, `${variances.length} axes, ${needed} at best`);
			assert.ok(sum(variances) >= energy * total * (1 - 1e-4));
		}
		assert.equal((await axesOf(rows, { energy: 0.3, least: 40, most: 120 })).variances.length, 40);
		assert.equal((await axesOf(rows, { energy: 0.999, least: 1, most: 3 })).variances.length, 3);
	});

	test("rows that are all equal, fewer rows than dimensions, and one row give axes that are orthonormal too", async () => {
		const random = randomNumbers(8);
		const few = spreadRows(random, 7, 33, () => 1);
		const cases: [string, readonly Float32Array[], number][] = [
			["all equal", Array.from({ length: 50 }, () => Float32Array.from({ length: 33 }, (_, j) => j / 7)), 0],
			["one row", few.slice(0, 1), 0],
			["seven rows", few, 6],
		];
		for (const [name, rows, rank] of cases) {
			const found = await axesOf(rows);
			assert.ok(skewness(found.axes, 33) < 1e-6, name);
			const matrix = covariance(rows);
			const total = sum(eigenvalues(matrix, 33));
			assert.ok(Math.abs(found.totalVariance - total) <= 1e-4 * total + 1e-9, name);
			assert.ok(sum(found.variances.subarray(0, rank)) >= 0.999 * found.totalVariance, name);
			const mean = rows[0]?.map((_, j) => sum(rows.map((row) => row[j] as number)) / rows.length) as Float32Array;
			found.mean.forEach((x, j) => {
				assert.ok(Math.abs(x - (mean[j] as number)) <= 1e-6 * (1 + Math.abs(x)), name);
			});
		}
	});

	test("the same rows give the same bits, on every engine and whatever lies between the rows", async () => {
		const rows = spreadRows(randomNumbers(5), 200, 33, (i) => 1 / (1 + i), 2);
		const first = await axesOf(rows);
		assert.deepEqual(await axesOf(rows), first);
		assert.deepEqual(await axesOf(rows, {}, 48), first);
		for (const engine of ["simd", "scalar"] as const) {
			const other = new Arena({ engine });
			const found = await principalAxes(other, putPoints(other, rows), { energy: 1, least: 33, most: 33, seed: 42 });
			assert.deepEqual(found, first, engine);
		}
	});

	test("another seed finds the same axes where their variances differ, but for the sign", async () => {
		const rows = spreadRows(randomNumbers(6), 400, 12, (i) => 0.5 ** i);
		const [a, b] = [await axesOf(rows), await axesOf(rows, { seed: 7 })];
		for (let i = 0; i < 4; i++) {
			let dot = 0;
			for (let j = 0; j < 12; j++) dot += (a.axes[i * 12 + j] as number) * (b.axes[i * 12 + j] as number);
			assert.ok(Math.abs(dot) > 0.9999, `axis ${i}: ${dot}`);
		}
	});

	test("what was taken is given back where the arena ends", async () => {
		for (const n of [100, 12]) await givenBack(spreadRows(randomNumbers(6), n, 20, () => 1));
	});

	async function givenBack(rows: readonly Float32Array[]): Promise<void> {
		const points = putPoints(arena, rows);
		const used = arena.usedBytes;
		const alloc = arena.alloc;
		for (let allowed = 0; allowed < 3; allowed++) {
			let calls = 0;
			arena.alloc = (bytes) => {
				if (calls++ === allowed) throw new ArenaFullError(bytes, 0);
				return alloc.call(arena, bytes);
			};
			try {
				await assert.rejects(principalAxes(arena, points, { energy: 1, least: 20, most: 20, seed: 1 }), ArenaFullError);
			} finally {
				arena.alloc = alloc;
			}
			assert.equal(arena.usedBytes, used, `after allocation ${allowed}`);
		}
		arena.free(points.address);
	}

	test("of fewer rows than dimensions the axes are those of their covariance", async () => {
		for (const [n, d] of [
			[40, 41],
			[25, 130],
			[90, 100],
		] as const) {
			const rows = spreadRows(randomNumbers(n), n, d, (i) => 0.8 ** i, 3);
			const matrix = covariance(rows);
			const best = eigenvalues(matrix, d);
			const { axes, variances, totalVariance } = await axesOf(rows, { least: 8, most: 8 });
			assert.ok(skewness(axes, d) < 1e-6);
			assert.ok(Math.abs(totalVariance - sum(best)) <= 1e-4 * sum(best));
			for (let i = 0; i < 8; i++) {
				const along = varianceAlong(matrix, axes.subarray(i * d, (i + 1) * d));
				assert.ok(Math.abs(along - (variances[i] as number)) <= 1e-4 * totalVariance, `the variance of axis ${i}`);
			}
			assert.ok(sum(variances) >= 0.99 * sum(best.subarray(0, 8)), `${sum(variances)} of ${sum(best.subarray(0, 8))}`);
		}
	});

	test("no more rows are looked at than matter, and no matrix is larger than 2,048 a side", () => {
		for (let d = 1; d <= 16_384; d = Math.ceil(d * 1.3)) {
			const n = rowsForAxes(d, 16_384);
			const side = Math.min(n, d);
			assert.ok(n >= 600 && n <= 16_384 && side <= 2_048, `${d}: ${n}`);
			assert.ok(side * n * d <= 2_048 * 2_048 * 2_048, `${d}: ${n}`);
			assert.equal(rowsForAxes(d, 5), 5);
		}
	});

	test("threads share the work out, with the same bits, and a check that throws ends it with nothing left in use", async () => {
		const shared = new Arena({ shared: true });
		for (const n of [300, 70]) {
			const rows = spreadRows(randomNumbers(n), n, 200, (i) => 1 / (1 + i));
			const options = { energy: 1, least: 20, most: 20, seed: 42 };
			const points = putPoints(shared, rows);
			const used = shared.usedBytes;
			let checks = 0;
			const first = await principalAxes(shared, points, options, { check: () => checks++ });
			const parallel: Parallel = { ...serial, lanes: 3 };
			assert.deepEqual(await principalAxes(shared, points, options, { parallel }), first);
			assert.ok(checks > 20, `${checks} checks`);
			for (const at of [1, Math.floor(checks / 2), checks]) {
				let left = at;
				const check = () => {
					if (--left === 0) throw new Error("enough");
				};
				await assert.rejects(principalAxes(shared, points, options, { check }), /enough/);
				assert.equal(shared.usedBytes, used);
			}
			shared.free(points.address);
		}
	});
});

test("orthonormalize replaces rows that depend on those before them", () => {
	const rows = Float64Array.of(1, 1, 0, 2, 2, 0, 0, 0, 0);
	orthonormalize(rows, 3, 3);
	assert.ok(skewness(rows, 3) < 1e-12);
	assert.ok(Math.abs((rows[0] as number) - Math.SQRT1_2) < 1e-12);
});
