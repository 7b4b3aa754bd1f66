import assert from "node:assert/strict";
import { test } from "node:test";
import { Arena } from "@nigh/kernels";
import { type EstimateOptions, estimateMemory } from "./estimate.ts";
import { createFlat } from "./flat/flat.ts";
import { createHnsw } from "./hnsw/hnsw.ts";
import { cellBytesPerVector } from "./ivf/estimate.ts";
import { built, clustered } from "./ivf/ivf.test-support.ts";
import { createIvf } from "./ivf/ivf.ts";
import { NLIST_RULES } from "./ivf/nlist.ts";
import type { MemoryReport, VectorIndex } from "./vector-index.ts";

type CellOptions = Extract<EstimateOptions, { kind: "ivf" | "ivfpq" | "ivfrabitq" }>;

function rows(n: number, d: number): Float32Array {
	return clustered(7, { n, d, centers: 40, spread: 0.6 });
}

function isWithin(estimated: number, measured: number, what: string, share = 0.05): void {
	assert.ok(Math.abs(estimated / measured - 1) <= share, `${what}: ${estimated} estimated, ${measured} measured`);
}

async function measured(index: VectorIndex, n: number, d: number): Promise<MemoryReport> {
	await index.insertMany(rows(n, d));
	if ("optimize" in index) (index as { optimize(): void }).optimize();
	else index.compact();
	const memory = index.memory();
	index.dispose();
	return memory;
}

for (const [n, dimensions] of [
	[2_000, 16],
	[3_000, 96],
	[1_500, 250],
] as const) {
	test(`flat, ${n} x ${dimensions}: codes and vectors to the byte, all within 5 %`, async () => {
		for (const metric of ["l2", "l1"] as const) {
			const memory = await measured(createFlat({ dimensions, metric }), n, dimensions);
			const estimate = estimateMemory({ kind: "flat", n, dimensions, metric });
			assert.deepEqual([estimate.codes, estimate.vectors], [memory.codes, memory.vectors]);
			assert.equal(estimate.total, memory.formula);
			isWithin(estimate.total, memory.total, metric);
		}
	});

	test(`hnsw, ${n} x ${dimensions}: codes and vectors to the byte, all within 5 %`, async () => {
		for (const options of [{ M: 8 }, { M: 24, codes: "none" }] as const) {
			const shape = { dimensions, metric: "cosine", efConstruction: 48, ...options } as const;
			const memory = await measured(createHnsw(shape), n, dimensions);
			const estimate = estimateMemory({ kind: "hnsw", n, ...shape });
			assert.deepEqual([estimate.codes, estimate.vectors], [memory.codes, memory.vectors]);
			isWithin(estimate.total, memory.total, JSON.stringify(options));
		}
	});

	const cells: readonly Partial<CellOptions>[] = [
		{ kind: "ivf" },
		{ kind: "ivf", metric: "l1", nlist: 20 },
		{ kind: "ivf", codes: "none" },
		{ kind: "ivfpq", bits: 4 },
		{ kind: "ivfpq", M: 2, bits: 5, metric: "ip", nlist: 30 },
		{ kind: "ivfpq", M: 2, bits: 4, rotation: "opq", residual: false },
		{ kind: "ivfrabitq" },
		{ kind: "ivfrabitq", bits: 3, metric: "cosine" },
		{ kind: "ivf", storage: "disk" },
		{ kind: "ivfpq", bits: 4, storage: "disk" },
		{ kind: "ivfrabitq", storage: "disk", metric: "ip" },
	];
	for (const some of cells) {
		// What cells leave empty, which is guessed, weighs more beside no vectors.
		const tolerance = some.storage === "disk" ? 0.1 : 0.05;
		test(`${JSON.stringify(some)}, ${n} x ${dimensions}: every part to the byte but what cells leave empty, all within ${100 * tolerance} %`, async () => {
			const options = { dimensions, metric: "l2", ...some } as CellOptions & { dimensions: number; metric: "l2" };
			const index = await built(options, rows(n, dimensions));
			index.compact();
			const memory = index.memory();
			const { width, nlist, nprobe } = index.effective() as { width: number; nlist: number; nprobe: number };
			const estimate = estimateMemory({ ...options, n, ...(options.kind !== "ivfrabitq" && { width }) });
			assert.equal(estimate.codeBytesPerVector, memory.codeBytesPerVector);
			assert.deepEqual([estimate.settings.nlist, estimate.settings.nprobe], [nlist, nprobe]);
			assert.equal(estimate.settings.storage, options.storage ?? "memory");
			assert.deepEqual(
				[estimate.centroids, estimate.codebooks, estimate.vectors, estimate.onDisk],
				[memory.centroids, memory.codebooks, memory.vectors, memory.onDisk],
			);
			assert.equal(Math.ceil(estimate.total - estimate.slack), memory.formula);
			isWithin(estimate.total, memory.total, "total", tolerance);
			index.dispose();
		});
	}
}

test("cells that are full to the last place take what is estimated without slack", async () => {
	// Far apart, 32 rows to each: k-means finds them whatever it starts from, or the test says so.
	const [n, dimensions, nlist] = [640, 8, 20];
	const far = Float32Array.from({ length: n * dimensions }, (_, i) => {
		const [row, j] = [Math.floor(i / dimensions), i % dimensions];
		const center = row % nlist;
		return (j === center % dimensions ? 100 * (1 + Math.floor(center / dimensions)) : 0) + 0.01 * Math.sin(i);
	});
	const options = { kind: "ivfrabitq", dimensions, metric: "l2", nlist } as const;
	const index = await built(options, far);
	index.compact();
	const { size } = index.analyze();
	assert.deepEqual([size.min, size.max], [32, 32]);
	const { total, slack } = estimateMemory({ n, ...options });
	isWithin(total - slack, index.memory().total, "full cells");
	index.dispose();
});

test("C-3: 1,152 dimensions in 8 codes of 8 bits are 576 times smaller by codes only, and not at all with what stands beside them", () => {
	const options = { kind: "ivfpq", n: 1_000_000, dimensions: 1_152, metric: "l2", M: 8, bits: 8 } as const;
	const estimate = estimateMemory({ ...options, nlist: 100 });
	assert.equal(estimate.codeBytesPerVector, 8);
	assert.equal(estimate.codeBytesPerVector * options.n, 8_000_000);
	assert.equal(estimate.ratio.codes, 576);
	assert.equal(estimate.codebooks, 8 * 256 * 144 * 4);
	assert.equal(estimate.vectors, 4_608_000_000);
	assert.ok(estimate.index > 3 * 8_000_000, `${estimate.index} bytes of index`);
	assert.ok(estimate.ratio.index < 576 / 3 && estimate.ratio.total < 1);
	// With ids of 8 bytes, as other engines keep them.
	assert.equal(estimateMemory({ ...options, nlist: 100, idBytes: 8 }).ids, estimate.ids + 8_000_000);
});

test("it says what fits into one memory of 4 GiB, and the most vectors that do", () => {
	for (const kind of ["flat", "hnsw", "ivf", "ivfpq", "ivfrabitq"] as const) {
		const shape = { kind, dimensions: 1_152, metric: "l2" } as const;
		const { fits, mostVectors } = estimateMemory({ ...shape, n: 1_000_000 });
		assert.equal(fits, false, kind);
		assert.ok(mostVectors > 500_000 && mostVectors < 1_000_000, `${kind}: ${mostVectors}`);
		assert.equal(estimateMemory({ ...shape, n: mostVectors }).fits, true);
		assert.equal(estimateMemory({ ...shape, n: mostVectors + 1 }).fits, false);
	}
});

test("vectors on disk are counted apart, and far more of them fit", () => {
	for (const kind of ["ivf", "ivfpq", "ivfrabitq"] as const) {
		const shape = { kind, n: 100_000, dimensions: 130, metric: "l2" } as const;
		const memory = estimateMemory(shape);
		const disk = estimateMemory({ ...shape, storage: "disk" });
		assert.deepEqual([memory.vectors, memory.onDisk], [100_000 * 528, 0]);
		assert.deepEqual([disk.vectors, disk.onDisk], [0, 100_000 * 528]);
		assert.equal(disk.total, memory.total - memory.vectors);
		assert.equal(disk.total, disk.index);
		assert.equal(disk.bytesPerVector, disk.total / 100_000);
		assert.ok(disk.mostVectors > 3 * memory.mostVectors, `${disk.mostVectors} and ${memory.mostVectors}`);
		assert.equal(estimateMemory({ ...shape, storage: "disk", n: disk.mostVectors }).fits, true);
		assert.equal(estimateMemory({ ...shape, storage: "disk", n: disk.mostVectors + 1 }).fits, false);
	}
	assert.equal(estimateMemory({ kind: "flat", n: 10, dimensions: 4, metric: "l2" }).onDisk, 0);
	assert.equal(estimateMemory({ kind: "hnsw", n: 10, dimensions: 4, metric: "l2" }).onDisk, 0);
	// Codes are there whatever the dimensions.
	const few = estimateMemory({ kind: "ivf", n: 1_000, dimensions: 3, metric: "ip", storage: "disk" });
	assert.deepEqual([few.codeBytesPerVector, few.settings.codes], [16, "sq7"]);
});

test("bits are counted as bits", () => {
	const { vectors, codes, ratio } = estimateMemory({ kind: "hnsw", n: 1_000, dimensions: 1_024, metric: "hamming" });
	assert.deepEqual([vectors, codes, ratio.codes], [128_000, 0, undefined]);
});

test("bytes for one vector are the codes and ids of the estimate", () => {
	for (const kind of ["ivf", "ivfpq", "ivfrabitq"] as const) {
		const options = { kind, dimensions: 128, metric: "l2" } as const;
		const { codes, ids } = estimateMemory({ ...options, n: 1_000 });
		assert.equal(1_000 * cellBytesPerVector(options), codes + ids, kind);
	}
});

test("a rule chooses the cells as it does in training", () => {
	const options = { kind: "ivf", n: 50_000, dimensions: 16, metric: "l2" } as const;
	for (const nlist of Object.keys(NLIST_RULES) as (keyof typeof NLIST_RULES)[]) {
		assert.equal(estimateMemory({ ...options, nlist }).settings.nlist, NLIST_RULES[nlist](50_000, 50_000), nlist);
	}
	assert.equal(estimateMemory({ ...options, nlist: "adaptive", capacity: 4_000_000 }).settings.nlist, 1_282);
});

test("what the index would refuse is refused, and so is what it does not know", () => {
	const ok = { kind: "ivfpq", n: 1_000, dimensions: 64, metric: "l2" } as const;
	const cases: readonly (readonly [options: object, code: string, message: RegExp])[] = [
		[{ ...ok, kind: "lsh" }, "INVALID_OPTION", /kind is one of flat, hnsw/],
		[{ ...ok, kind: "toString" }, "INVALID_OPTION", /kind is one of/],
		[{ ...ok, n: 0 }, "INVALID_OPTION", /^n is 0/],
		[{ ...ok, dimensions: 16_385 }, "INVALID_OPTION", /^dimensions is 16385/],
		[{ ...ok, metric: "l3" }, "INVALID_OPTION", /^metric is one of/],
		[{ ...ok, metric: { name: "own", distance: () => 0 } }, "UNSUPPORTED", /named metric/],
		[{ ...ok, metric: "hamming" }, "UNSUPPORTED", /ivfpq cannot compare by "hamming"/],
		[{ ...ok, M: 7 }, "INVALID_OPTION", /M is 7; it must divide/],
		[{ ...ok, width: 65 }, "INVALID_OPTION", /^width is 65/],
		[{ ...ok, width: 10, rotation: "none" }, "INVALID_OPTION", /^width is 10, but vectors are not turned: all 64/],
		[{ ...ok, kind: "ivf", metric: "l1", width: 32 }, "INVALID_OPTION", /^width is 32, but vectors are not turned/],
		[{ ...ok, kind: "ivfrabitq", width: 32 }, "INVALID_OPTION", /width/],
		[{ ...ok, width: 32, M: 8, rotation: "opq" }, "INVALID_OPTION", /^width is 32, but M sub-quantisers/],
		[{ ...ok, idBytes: -1 }, "INVALID_OPTION", /^idBytes is -1/],
		[{ ...ok, capacity: 0.5 }, "INVALID_OPTION", /^capacity is 0\.5/],
		[{ ...ok, epsilon: 2 }, "INVALID_OPTION", /epsilon is an option of ivfrabitq/],
		[{ ...ok, codes: "sq7" }, "INVALID_OPTION", /codes is an option of ivf/],
		[{ ...ok, storage: "tape" }, "INVALID_OPTION", /storage is one of memory, disk/],
		[{ ...ok, kind: "ivf", metric: "l1", storage: "disk" }, "UNSUPPORTED", /nothing in memory to scan/],
		[{ ...ok, kind: "ivf", codes: "none", storage: "disk" }, "INVALID_OPTION", /nothing in memory to scan/],
		[{ ...ok, kind: "flat", storage: "disk" }, "INVALID_OPTION", /storage/],
		[{ ...ok, efConstruction: 2 }, "INVALID_OPTION", /efConstruction/],
		[{ ...ok, kind: "flat", M: 8 }, "INVALID_OPTION", /M/],
		[{ ...ok, kind: "hnsw", M: 1 }, "INVALID_OPTION", /^M is 1/],
		[{ ...ok, kind: "flat", metric: "l1", codes: "sq7" }, "UNSUPPORTED", /codes "sq7"/],
	];
	for (const [options, code, message] of cases) {
		assert.throws(() => estimateMemory(options as EstimateOptions), { code, message }, JSON.stringify(options));
	}
});

for (const nlist of [40, 64, 300]) {
	test(`centroids of ${nlist} cells, in all their forms, are all that a first training takes`, async () => {
		const arena = new Arena();
		const shape = { dimensions: 48, metric: "l2", nlist, rotation: "none", codes: "none" } as const;
		const index = createIvf({ kind: "ivf", ...shape, arena });
		const [used, counted] = [arena.usedBytes, index.memory().total];
		await index.train(rows(4 * nlist, 48));
		const memory = index.memory();
		// Each piece is rounded up to a cache line.
		const taken = arena.usedBytes - used;
		assert.ok(
			Math.abs(taken - (memory.total - counted)) <= 16 * 64,
			`${taken} bytes taken, ${memory.total - counted} told`,
		);
		const estimate = estimateMemory({ kind: "ivf", ...shape, n: 10_000 });
		assert.equal(estimate.centroids, memory.centroids);
		index.dispose();
	});
}
