import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Arena } from "@nigh/kernels";
import { inOrder, takingTurns } from "../hnsw/graphs.test-support.ts";
import { rejection } from "../refusal.test-support.ts";
import { assignPoints } from "./assign.ts";
import { blobs, pointsOf, putPoints, rowsOf, squaredDistance } from "./kmeans.test-support.ts";
import { packCentroids } from "./panels.ts";
import type { KMeansOptions } from "./parameters.ts";
import { trainKMeans } from "./train.ts";

const BLOBS = blobs(11, { n: 1_200, dimensions: 10, centers: 24, apart: 10 });

/** Trains on rows; returns the centroids and cells as plain arrays, with the memory given back. */
async function train(rows: readonly ArrayLike<number>[], options: KMeansOptions, gap = 0) {
	const { arena, points } = pointsOf(rows, gap);
	const before = arena.usedBytes;
	const { centroids, assign, report } = await trainKMeans(arena, points, options);
	const result = {
		centroids: rowsOf(arena, centroids),
		cells: assign === undefined ? undefined : [...arena.u32(assign, points.n)],
		report,
	};
	arena.free(centroids.address);
	if (assign !== undefined) arena.free(assign);
	assert.equal(arena.usedBytes, before, "memory is left over");
	return result;
}

for (const [name, options] of Object.entries({
	"Lloyd from k-means++": {},
	"Lloyd from a sample": { init: "sample" },
	"mini-batches": { batch: 200 },
	"mini-batches that do not divide the rows": { batch: 701, init: "sample" },
} satisfies Record<string, Partial<KMeansOptions>>)) {
	describe(name, () => {
		test("rows are in the cell of their nearest centroid, and the report adds up", async () => {
			const { centroids, cells, report } = await train(BLOBS, { k: 30, ...options }, 32);
			assert.equal(centroids.length, 30);
			let inertia = 0;
			const sizes = new Array<number>(30).fill(0);
			BLOBS.forEach((row, i) => {
				const truth = centroids.map((centroid) => squaredDistance(row, centroid));
				const cell = cells?.[i] as number;
				assert.ok((truth[cell] as number) <= Math.min(...truth) + 1e-3, `row ${i}`);
				inertia += truth[cell] as number;
				(sizes[cell] as number)++;
			});
			assert.ok(Math.abs(report.inertia - inertia) <= 1e-9 * inertia);
			const { min, mean, max, imbalance, empty } = report.occupancy;
			assert.deepEqual(
				[min, max, empty],
				[Math.min(...sizes), Math.max(...sizes), sizes.filter((size) => size === 0).length],
			);
			assert.deepEqual([mean, imbalance, report.pointsPerCentroid], [40, max / 40, 40]);
			assert.deepEqual([report.k, report.points, report.trainedOn, report.distinctCentroids], [30, 1_200, 1_200, 30]);
			assert.equal(report.inertias.length, report.iterations);
		});

		test("a seed gives the same bits on any number of lanes, another one others", async () => {
			const one = await train(BLOBS, { k: 16, seed: 5, ...options });
			assert.deepEqual(await train(BLOBS, { k: 16, seed: 5, ...options }), one);
			for (const parallel of [inOrder([2, 0, 1]), takingTurns(3)]) {
				assert.deepEqual(await train(BLOBS, { k: 16, seed: 5, ...options, parallel }), one);
			}
			assert.notDeepEqual((await train(BLOBS, { k: 16, seed: 6, ...options })).centroids, one.centroids);
		});
	});
}

describe("Lloyd's iterations", () => {
	test("never make the inertia larger, and end where centroids are the means of their cells", async () => {
		for (const seed of [1, 2, 3]) {
			const { centroids, cells, report } = await train(BLOBS, {
				k: 20,
				seed,
				iterations: 200,
				init: "sample",
				tolerance: 0,
			});
			assert.ok(report.converged, `seed ${seed}: ${report.iterations} iterations`);
			for (const [i, inertia] of report.inertias.slice(1).entries()) {
				assert.ok(inertia <= (report.inertias[i] as number) * (1 + 1e-6), `seed ${seed}, iteration ${i + 2}`);
			}
			assert.equal(report.inertia, report.inertias.at(-1));
			centroids.forEach((centroid, cell) => {
				const members = BLOBS.filter((_, i) => cells?.[i] === cell);
				centroid.forEach((x, j) => {
					assert.equal(x, Math.fround(members.reduce((sum, row) => sum + (row[j] as number), 0) / members.length));
				});
			});
		}
	});

	test("stop when centroids move less than the tolerance, and at the bound", async () => {
		const free = await train(BLOBS, { k: 20, tolerance: 0, iterations: 200, init: "sample" });
		const loose = await train(BLOBS, { k: 20, tolerance: 0.5, iterations: 200, init: "sample" });
		assert.ok(loose.report.converged && loose.report.iterations < free.report.iterations);
		const bound = await train(BLOBS, { k: 20, tolerance: 0, iterations: 2, init: "sample" });
		assert.deepEqual([bound.report.converged, bound.report.iterations], [false, 2]);
	});

	test("k-means++ finds blobs that lie far apart", async () => {
		const far = blobs(12, { n: 800, dimensions: 4, centers: 8, apart: 1_000 });
		const { report } = await train(far, { k: 8 });
		// Two uniform numbers added have a variance of 1/6 in each dimension.
		assert.ok(report.inertia < 800 * 4 * (1 / 6) * 1.2, `${report.inertia}`);
	});
});

test("mini-batches come close to iterations over everything", async () => {
	const rows = blobs(13, { n: 4_000, dimensions: 8, centers: 12, apart: 6 });
	const full = await train(rows, { k: 24 });
	const batches = await train(rows, { k: 24, batch: 256 });
	assert.ok(batches.report.inertia < 1.1 * full.report.inertia);
	assert.ok(batches.report.inertia < 0.9 * (full.report.inertias[0] as number));
});

describe("empty cells", () => {
	// All rows but ten are equal: a sample starts with many equal centroids, of which all but the first get nothing.
	const rows = [...Array.from({ length: 10 }, (_, i) => [10 * (i + 1), 5]), ...new Array(90).fill([0, 0])];

	test("get half of the largest cell that can be divided, until every different row has a cell", async () => {
		const { report, centroids } = await train(rows, { k: 11, init: "sample", iterations: 100, seed: 3 });
		assert.equal(report.distinctCentroids, 11);
		assert.equal(report.occupancy.empty, 0);
		assert.equal(report.inertia, 0);
		assert.deepEqual(
			centroids.map((row) => [...row]).sort((a, b) => (a[0] as number) - (b[0] as number)),
			[[0, 0], ...rows.slice(0, 10)],
		);
	});

	test("stay where no cell can be divided, and that ends too", async () => {
		for (const batch of [undefined, 30]) {
			const { report } = await train(rows, { k: 40, iterations: 100, ...(batch !== undefined && { batch }) });
			assert.equal(report.distinctCentroids, 11);
			assert.equal(report.occupancy.empty, 29);
			assert.ok(report.converged);
			assert.ok(report.warnings.some(({ code }) => code === "fewDistinct"));
		}
	});

	test("are repaired between mini-batches as well", async () => {
		const { report } = await train(rows, { k: 11, init: "sample", iterations: 100, batch: 25, seed: 3 });
		assert.equal(report.occupancy.empty, 0);
	});

	test("move to a random row where that is asked for", async () => {
		const options = { k: 11, init: "sample", iterations: 30, seed: 3 } as const;
		const random = await train(rows, { ...options, repair: "random" });
		const asThey = new Set(rows.map(String));
		assert.ok(random.report.distinctCentroids > 1);
		assert.notDeepEqual(random.centroids, (await train(rows, options)).centroids);
		const moved = random.centroids.filter((row) => asThey.has(String([...row])));
		assert.ok(moved.length > 0);
	});
});

test("spherical centroids have length 1, and rows go to the one with the least angle", async () => {
	const unit = BLOBS.map((row) => row.map((x) => x / Math.hypot(...row)));
	for (const batch of [undefined, 100]) {
		const options = { k: 12, spherical: true, ...(batch !== undefined && { batch }) };
		const { centroids, cells } = await train(unit, options);
		for (const centroid of centroids) assert.ok(Math.abs(Math.hypot(...centroid) - 1) < 1e-6);
		unit.forEach((row, i) => {
			const cosines = centroids.map((centroid) => centroid.reduce((sum, x, j) => sum + x * (row[j] as number), 0));
			assert.ok((cosines[cells?.[i] as number] as number) >= Math.max(...cosines) - 1e-5);
		});
	}
});

describe("more rows than are wanted", () => {
	test("are sampled; cells of all are then asked for", async () => {
		const { report, cells } = await train(BLOBS, { k: 10, maxPointsPerCentroid: 50 });
		assert.deepEqual([report.points, report.trainedOn, report.pointsPerCentroid], [1_200, 500, 50]);
		assert.equal(cells, undefined);
		assert.equal((await train(BLOBS, { k: 10, maxPoints: 70 })).report.trainedOn, 70);
		assert.equal((await train(BLOBS, { k: 10, maxPoints: 1_200 })).report.trainedOn, 1_200);
	});

	test("the cells of the training are those that assignPoints finds", async () => {
		const { arena, points } = pointsOf(BLOBS);
		const { centroids, assign } = await trainKMeans(arena, points, { k: 25, iterations: 3 });
		const panels = packCentroids(arena, centroids);
		const { labels } = await assignPoints(arena, panels, points);
		assert.deepEqual(arena.u32(labels, 1_200), arena.u32(assign ?? 0, 1_200));
	});

	test("the nanoindex preset takes 10,000 of them and ends after at most 10 iterations", async () => {
		const many = blobs(14, { n: 10_500, dimensions: 2, centers: 50 });
		const { report } = await train(many, { k: 20, preset: "nanoindex" });
		assert.equal(report.trainedOn, 10_000);
		assert.ok(report.iterations <= 10);
		assert.deepEqual(report.warnings, []);
	});
});

describe("an end before the end", () => {
	test("a signal ends it between iterations, and no memory stays taken", async () => {
		for (const batch of [undefined, 100]) {
			const { arena, points } = pointsOf(BLOBS);
			const before = arena.usedBytes;
			const controller = new AbortController();
			const seen: number[] = [];
			const training = trainKMeans(arena, points, {
				...{ k: 20, iterations: 50, tolerance: 0, signal: controller.signal, ...(batch !== undefined && { batch }) },
				onProgress(iteration, iterations) {
					seen.push(iteration, iterations);
					if (iteration === 2) controller.abort("enough");
				},
			});
			const error = await rejection("ABORTED", training);
			assert.equal(error.details.iterations, 2);
			assert.equal(error.cause, "enough");
			assert.deepEqual(seen, [1, 50, 2, 50]);
			assert.equal(arena.usedBytes, before);
			await rejection("ABORTED", trainKMeans(arena, points, { k: 2, signal: AbortSignal.abort() }));
		}
	});

	test("a signal is heeded between two mini-batches", async () => {
		const { arena, points } = pointsOf(BLOBS);
		const before = arena.usedBytes;
		const controller = new AbortController();
		const one = inOrder([0]);
		let calls = 0;
		const parallel: typeof one = {
			lanes: 1,
			run(...args) {
				// Two calls for each batch, twelve batches for each pass: this is in the second pass.
				if (++calls === 31) controller.abort();
				return one.run(...args);
			},
		};
		const training = trainKMeans(arena, points, {
			k: 5,
			batch: 100,
			parallel,
			tolerance: 0,
			signal: controller.signal,
		});
		assert.equal((await rejection("ABORTED", training)).details.iterations, 1);
		assert.equal(calls, 32);
		assert.equal(arena.usedBytes, before);
	});

	test("a thread that fails, a listener that throws, and an arena that is full give everything back", async () => {
		const { arena, points } = pointsOf(BLOBS);
		const before = arena.usedBytes;
		let calls = 0;
		const parallel = {
			lanes: 1,
			run: (...args: Parameters<ReturnType<typeof inOrder>["run"]>) =>
				++calls === 4 ? Promise.reject(new Error("a thread ended")) : inOrder([0]).run(...args),
		};
		await assert.rejects(trainKMeans(arena, points, { k: 20, parallel }), /a thread ended/);
		const onProgress = () => {
			throw new Error("not interested");
		};
		await assert.rejects(trainKMeans(arena, points, { k: 20, onProgress }), /not interested/);
		assert.equal(arena.usedBytes, before);

		const small = new Arena({ maxBytes: 65_536 });
		const rows = putPoints(small, BLOBS.slice(0, 1_000));
		const used = small.usedBytes;
		const error = await rejection("MEMORY_LIMIT", trainKMeans(small, rows, { k: 300 }));
		assert.match(error.message, /training 300 centroids on 1000 points/);
		assert.equal(small.usedBytes, used);
	});

	test("what cannot be is refused before anything is done", async () => {
		const { arena, points } = pointsOf(BLOBS);
		const field = async (rows: object, options: object) =>
			(await rejection("INVALID_OPTION", trainKMeans(arena, { ...points, ...rows }, { k: 2, ...options }))).details
				.field;
		assert.equal(await field({ n: 0 }, {}), "points.n");
		assert.equal(await field({ stride: 8 }, {}), "points.stride");
		assert.equal(await field({}, { k: 0 }), "k");
		assert.equal(await field({}, { batches: 10 }), "batches");
	});
});
