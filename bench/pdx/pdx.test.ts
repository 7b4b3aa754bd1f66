import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { createFile } from "../../packages/index/src/ivf/create-file.ts";
import type { InvertedFile } from "../../packages/index/src/ivf/inverted-file.ts";
import { IvfIndex } from "../../packages/index/src/ivf/ivf.ts";
import { seeded } from "../sets/random.ts";
import { exactNeighbors } from "../sets/truth.ts";
import { compileVerticalKernels, startVerticalKernels, type VerticalKernels } from "./kernels.ts";
import { byVariance, type RowTransform, randomRotation } from "./transforms.ts";
import { divide, layOutCells } from "./vertical-cells.ts";
import { Bench, stepsOf } from "./ways.ts";

const N = 700;
const K = 10;
let module: WebAssembly.Module;

before(async () => {
	module = await compileVerticalKernels();
});

/** Small whole numbers: sums of squares are exact in any order. Few cells of many sizes, so that blocks are whole, and in part. */
async function trained(dimensions: number): Promise<{ base: Float32Array; file: InvertedFile; index: IvfIndex }> {
	const { uniform } = seeded(dimensions);
	const base = Float32Array.from({ length: N * dimensions }, () => Math.floor(uniform() ** 2 * 16));
	const file = createFile({ kind: "ivf", metric: "l2", dimensions, nlist: 7, codes: "sq7", rotation: "none" });
	const index = new IvfIndex(file);
	await index.train(base);
	await index.insertMany(base);
	index.compact();
	return { base, file, index };
}

function identity({ arena }: InvertedFile, width: number): RowTransform {
	return { width, write: (row, out) => arena.f32(out, width).set(arena.f32(row, width)), dispose() {} };
}

function keysAndLabels(file: InvertedFile, bench: Bench, found: number) {
	const keys = file.arena.f32(bench.answer, 2 * found);
	const labels = file.arena.u32(bench.answer, 2 * found);
	return Array.from({ length: found }, (_, i) => [keys[2 * i] as number, labels[2 * i + 1] as number]);
}

describe("the scan of cells stored dimension-major", () => {
	for (const dimensions of [3, 64, 70, 128, 300]) {
		test(`plain abandoning over all cells finds the nearest, ${dimensions} dimensions`, async () => {
			const { base, file, index } = await trained(dimensions);
			const kernels: VerticalKernels = startVerticalKernels(module, file.arena);
			const bench = new Bench(file, kernels, K);
			const cells = layOutCells(file, identity(file, dimensions));
			const [plain, sampled] = [undefined, 1e9].map((epsilon) => bench.vertical("", cells, epsilon));
			const queries = base.subarray(0, 40 * dimensions).map((x, i) => (i % 3 === 0 ? 15 - x : x));
			const { ids } = await exactNeighbors({ base, queries, dimensions, metric: "l2" }, K);
			for (let at = 0; at < 40; at++) {
				const query = queries.subarray(at * dimensions, (at + 1) * dimensions);
				for (const way of [plain, sampled]) {
					const found = keysAndLabels(file, bench, way?.search(query, bench.nlist) ?? 0);
					const exact = [...ids.subarray(at * K, (at + 1) * K)];
					assert.deepEqual(
						found.map(([, label]) => label),
						exact,
					);
					for (const [key, label] of found) {
						const row = base.subarray((label as number) * dimensions, ((label as number) + 1) * dimensions);
						assert.equal(
							key,
							row.reduce((sum, x, d) => sum + (x - (query[d] as number)) ** 2, 0),
						);
					}
					assert.ok((way?.elements() ?? 0) > 0);
				}
			}
			const used = file.arena.usedBytes;
			cells.dispose();
			assert.ok(file.arena.usedBytes < used);
			bench.dispose();
			index.dispose();
		});
	}

	test("what is given up is not looked at, and ADSampling gives up more the smaller its epsilon", async () => {
		const { base, file, index } = await trained(300);
		const bench = new Bench(file, startVerticalKernels(module, file.arena), K);
		const cells = layOutCells(file, randomRotation(file.arena, 300, file.rows.bytes, 1));
		const shares = [undefined, 2.1, 0.5].map((epsilon) => {
			const way = bench.vertical("", cells, epsilon);
			let sum = 0;
			for (let at = 0; at < 20; at++) {
				assert.equal(way.search(base.subarray(at * 300, (at + 1) * 300), bench.nlist), K);
				sum += way.elements();
			}
			return sum / 20;
		}) as [number, number, number];
		assert.ok(shares[0] < 1 && shares[1] < shares[0] && shares[2] < shares[1], `${shares}`);
		index.dispose();
	});
});

test("rotation and order by variance keep distances", async () => {
	for (const dimensions of [70, 128]) {
		const { file, index } = await trained(dimensions);
		const { arena, rows } = file;
		const forms = [randomRotation(arena, dimensions, rows.bytes, 3), byVariance(file)];
		for (const { width, write, dispose } of forms) {
			const [a, b] = [arena.alloc(4 * width), arena.alloc(4 * width)];
			for (let place = 0; place + 1 < 50; place++) {
				write(file.vectorOf(place), a);
				write(file.vectorOf(place + 1), b);
				const between = (x: Float32Array, y: Float32Array) =>
					x.reduce((sum, value, d) => sum + (value - (y[d] as number)) ** 2, 0);
				const before = between(
					arena.f32(file.vectorOf(place), dimensions),
					arena.f32(file.vectorOf(place + 1), dimensions),
				);
				const after = between(arena.f32(a, width), arena.f32(b, width));
				assert.ok(Math.abs(after - before) <= 1e-4 * before, `${after} for ${before}`);
			}
			dispose();
		}
		index.dispose();
	}
});

test("the dimensions by variance fall in variance", async () => {
	const { file, index } = await trained(70);
	for (let place = 0; place < file.slots; place++) {
		const row = file.arena.f32(file.vectorOf(place), 70);
		row.forEach((x, d) => {
			row[d] = x * (1 + d);
		});
	}
	const form = byVariance(file);
	const out = file.arena.alloc(4 * 70);
	form.write(file.vectorOf(0), out);
	const row = file.arena.f32(file.vectorOf(0), 70);
	assert.deepEqual([...file.arena.f32(out, 70)].sort(), [...row].sort());
	assert.ok([...row.subarray(60)].includes(file.arena.f32(out, 1)[0] as number));
	index.dispose();
});

test("about a quarter of the elements is dimension-major, the rest whole chunks", () => {
	assert.deepEqual(
		[1, 64, 65, 128, 304, 768, 784].map((width) => divide(width)),
		[
			{ vertical: 1, chunks: 0 },
			{ vertical: 64, chunks: 0 },
			{ vertical: 1, chunks: 1 },
			{ vertical: 64, chunks: 1 },
			{ vertical: 48, chunks: 4 },
			{ vertical: 192, chunks: 9 },
			{ vertical: 208, chunks: 9 },
		],
	);
});

test("steps end where the first part ends and then with each chunk; factors grow to 1, which is all there is without sampling", () => {
	const transform = { width: 784 } as RowTransform;
	const steps = stepsOf({ vertical: 208, chunks: 9, transform }, 2.1);
	assert.deepEqual(
		steps.map(({ elements }) => elements),
		[24, 48, 80, 112, 144, 176, 208, 272, 336, 400, 464, 528, 592, 656, 720, 784],
	);
	for (const [i, { elements, factor }] of steps.entries()) {
		const expected = elements === 784 ? 1 : Math.min(1, (elements / 784) * (1 + 2.1 / Math.sqrt(elements)) ** 2);
		assert.ok(Math.abs(factor - expected) < 1e-12);
		assert.ok(i === 0 || factor >= (steps[i - 1]?.factor as number));
	}
	assert.ok(stepsOf({ vertical: 208, chunks: 9, transform }, undefined).every(({ factor }) => factor === 1));
});
