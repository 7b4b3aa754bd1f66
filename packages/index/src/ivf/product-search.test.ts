import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Arena, rowBytes } from "@nigh/kernels";
import { projectRow } from "../projection/projection.ts";
import { randomNumbers } from "../vectors.test-support.ts";
import { createFile, type IvfOptions } from "./create-file.ts";
import type { InvertedFile } from "./inverted-file.ts";
import { clustered, leavingNothing, rowAt } from "./ivf.test-support.ts";
import { IvfIndex } from "./ivf.ts";
import type { Learnt } from "./learnt.ts";
import type { ProductCodes } from "./product-codes.ts";

const arena = new Arena();

const square = (a: ArrayLike<number>, b?: ArrayLike<number>) =>
	Array.from(a).reduce((sum, x, i) => sum + (x - (b?.[i] ?? 0)) ** 2, 0);

/** A row as cells see it, in the plain floats of its own array. */
function projected(file: InvertedFile, row: number, centred: boolean): Float32Array {
	const { projection } = (file.learnt as Learnt).coarse;
	const out = arena.alloc(projection.bytes);
	const at = projectRow(arena, projection, row, out, centred);
	const floats = arena.f32(at, projection.width).slice();
	arena.free(out);
	return floats;
}

/** What each label's code stands for, found by decoding: estimates of the distance to a query, added up in float64. */
function estimates(file: InvertedFile, query: Float32Array): Map<number, number> {
	const { coarse, product } = file.learnt as Learnt & { product: ProductCodes };
	const { metric, bytes } = file.rows;
	const { subs, width, entries, books } = product;
	const { projection } = coarse;
	const queryRow = arena.alloc(bytes);
	const coded = arena.alloc(rowBytes(4 * projection.width) + subs);
	const code = coded + rowBytes(4 * projection.width);
	file.rows.write(query, queryRow);
	const isDot = metric === "ip";
	const q = projected(file, queryRow, !isDot);
	const full = arena.f32(queryRow, file.rows.dimensions).slice();
	const isTurned = projection.matrix !== 0;
	const mean = isTurned ? arena.f32(projection.mean, file.rows.dimensions).slice() : new Float32Array(full.length);
	/** What lies along axes that are left out. */
	const beyond = (row: Float32Array, seen: Float32Array) =>
		isTurned ? Math.max(0, square(row, mean) - square(seen)) : 0;
	const atMean = isDot ? full.reduce((sum, x, i) => sum + x * (mean[i] as number), 0) : 0;
	const found = new Map<number, number>();
	for (let cell = 0; cell < coarse.nlist; cell++) {
		const centroid = product.residual
			? arena.f32(coarse.centroidOf(cell), projection.width).slice()
			: new Float32Array(projection.width);
		for (const place of file.cells.placesOf(cell)) {
			const seen = projected(file, file.vectorOf(place), true);
			const left = seen.map((x, i) => x - (centroid[i] as number));
			arena.f32(coded, projection.width).set(left);
			arena.kernels.productEncode(coded, books, subs, width, entries, code);
			const decoded = Float64Array.from(left, (_, i) => {
				const sub = Math.floor(i / width);
				const entry = arena.u8(code, subs)[sub] as number;
				return arena.f32(books + 4 * ((sub * width + (i % width)) * entries + entry), 1)[0] as number;
			});
			const stands = decoded.map((x, i) => x + (centroid[i] as number));
			let distance: number;
			if (isDot) distance = -atMean - q.reduce((sum, x, i) => sum + x * (stands[i] as number), 0);
			else {
				const vector = arena.f32(file.vectorOf(place), full.length).slice();
				const key = square(q, stands) + square(left, decoded) + beyond(vector, seen) + beyond(full, q);
				distance = metric === "cosine" ? Math.max(0, key) / 2 : Math.sqrt(Math.max(0, key));
			}
			found.set(file.labelOf(place), distance);
		}
	}
	arena.free(queryRow);
	arena.free(coded);
	return found;
}

/** How far a key may be from what its code stands for: the tables of 4 bits are looked up as 127 steps. */
function stepsOff(file: InvertedFile, query: Float32Array): number {
	const { coarse, product } = file.learnt as Learnt & { product: ProductCodes };
	if (product.bits !== 4) return 0;
	const row = arena.alloc(file.rows.bytes);
	file.rows.write(query, row);
	const q = projected(file, row, file.rows.metric !== "ip");
	arena.free(row);
	let [widest, all] = [0, 0];
	for (let sub = 0; sub < product.subs; sub++) {
		const dots = Array.from({ length: 16 }, (_, entry) => {
			let dot = 0;
			for (let j = 0; j < product.width; j++) {
				const at = product.books + 4 * ((sub * product.width + j) * 16 + entry);
				dot += (q[sub * product.width + j] as number) * (arena.f32(at, 1)[0] as number);
			}
			return (file.rows.metric === "ip" ? 1 : 2) * dot;
		});
		const spread = Math.max(...dots) - Math.min(...dots);
		widest = Math.max(widest, spread);
		all += spread;
	}
	assert.ok(coarse.nlist > 0);
	// Half a step a table, one for the term; cells as far as eight times the spread of all tables are told apart.
	return (product.subs / 2 + 1) * Math.max(widest / 127, (9 * all) / 60_000);
}

const CASES: readonly (Omit<IvfOptions, "metric" | "arena" | "kind"> & { readonly offset?: number })[] = [
	{ dimensions: 12, bits: 4 },
	{ dimensions: 12, bits: 4, residual: false },
	{ dimensions: 33, bits: 4, M: 33, rotation: "none" },
	{ dimensions: 33, bits: 4, M: 11, rotation: "opq", offset: 1 },
	{ dimensions: 40, bits: 4, offset: 2 },
	{ dimensions: 40, bits: 8 },
	{ dimensions: 40, bits: 6, residual: false, offset: 1 },
	{ dimensions: 12, bits: 5, M: 3, rotation: "opq" },
	{ dimensions: 12, bits: 6, M: 1 },
	{ dimensions: 9, bits: 7 },
	{ dimensions: 16, bits: 8, M: 4, residual: false },
];

describe("C-6: product codes without re-ranking, all cells: what decoding every row and adding up gives", () => {
	for (const { offset = 0, ...shape } of CASES) {
		for (const metric of ["l2", "cosine", "ip"] as const) {
			const parts = Object.entries({ ...shape, offset }).map(([name, value]) => `${name} ${value}`);
			test(`${metric}, ${parts.join(", ")}`, () =>
				leavingNothing(arena, async () => {
					const d = shape.dimensions;
					const rows = clustered(d, { n: 700, d, centers: 25, spread: 0.6, offset });
					const file = createFile({ ...shape, kind: "ivfpq", metric, arena, nlist: 14 });
					const index = new IvfIndex(file);
					await index.train(rows);
					await index.insertMany(rows);
					index.remove([5, 6, 7]);
					const random = randomNumbers(d);
					for (const i of [0, 100, 333]) {
						const query = rowAt(rows, d, i).map((x) => x + 0.3 * (2 * random() - 1));
						const truth = estimates(file, query);
						assert.equal(truth.size, 697);
						const hits = index.search(query, 50, { nprobe: 14, rerank: 0 });
						assert.equal(hits.length, 50);
						const steps = stepsOff(file, query);
						// What a key may be off is a square under l2, half of one under cosine.
						const size = Math.max(...[...truth.values()].map(Math.abs));
						const keyOf = (x: number) => (metric === "l2" ? x * x : metric === "cosine" ? 2 * x : x);
						const off = steps + 1e-5 * (1 + keyOf(size)) + 1e-5 * square(query);
						for (const { label, distance } of hits) {
							const expected = truth.get(label) as number;
							assert.ok(
								Math.abs(keyOf(distance) - keyOf(expected)) <= off,
								`${label}: ${distance}, decoded ${expected}, ${off}`,
							);
						}
						const last = [...truth.values()].sort((a, b) => a - b)[49] as number;
						for (const { label } of hits) {
							assert.ok(
								keyOf(truth.get(label) as number) <= keyOf(last) + 2 * off,
								`${label} is not among the nearest by codes`,
							);
						}
						// The rest is not nearer than what was found.
						const found = new Set(hits.map(({ label }) => label));
						const worst = Math.max(...hits.map(({ label }) => keyOf(truth.get(label) as number)));
						for (const [label, distance] of truth) {
							if (!found.has(label)) assert.ok(keyOf(distance) >= worst - 2 * off, `${label} was left out`);
						}
					}
					index.dispose();
				}));
		}
	}
});
