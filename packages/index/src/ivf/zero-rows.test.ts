import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Arena } from "@nigh/kernels";
import { randomNumbers, trueNeighbors } from "../vectors.test-support.ts";
import type { IvfOptions } from "./create-file.ts";
import { splitSearch } from "./disk.test-support.ts";
import { built, labelsOf } from "./ivf.test-support.ts";

const arena = new Arena();

const K = 10;
/** Rows that have a direction. As many as default depths take in, and few beside the others. */
const DIRECTED = 55;
const ZEROS = 300;
const ALL = DIRECTED + ZEROS;

type Case = Omit<IvfOptions, "metric" | "arena" | "nlist">;

const PRODUCTS: readonly Case[] = [4, 8].flatMap((bits) =>
	[true, false].flatMap((residual) => [
		{ kind: "ivfpq", dimensions: 24, bits, residual } as const,
		{ kind: "ivfpq", dimensions: 64, bits, residual, M: 16 } as const,
		{ kind: "ivfpq", dimensions: 64, bits, residual, rotation: "opq" } as const,
	]),
);

const CASES: readonly Case[] = [
	{ kind: "ivf", dimensions: 24, codes: "none" },
	{ kind: "ivf", dimensions: 64 },
	{ kind: "ivf", dimensions: 64, codes: "none" },
	...PRODUCTS,
	...[1, 2, 3, 4, 5, 6, 7, 8].map((bits) => ({ kind: "ivfrabitq", dimensions: 64, bits }) as const),
];

/** Zero rows between others that are 0.1 to 0.6 from the query, so that no zero row is among those. */
function rowsAbout(query: Float32Array): Float32Array {
	const d = query.length;
	const random = randomNumbers(d);
	const rows = new Float32Array(ALL * d);
	for (let i = 0; i < DIRECTED; i++) {
		const row = rows.subarray(Math.floor((i * ALL) / DIRECTED) * d).subarray(0, d);
		const strewn = (0.6 + 0.7 * (i / DIRECTED)) * Math.sqrt(3);
		for (let j = 0; j < d; j++) row[j] = (query[j] as number) + strewn * (2 * random() - 1);
	}
	return rows;
}

/** How far an estimate may be off: with the fewest bits, half of what a zero row would be off without its term. */
const OFF = 0.25;

function vectorsOfRows(rows: Float32Array, d: number): Map<number, Float32Array> {
	return new Map(Array.from({ length: ALL }, (_, i) => [i, rows.subarray(i * d, (i + 1) * d)]));
}

describe("zero rows under cosine are 1 from all, also by what codes say", () => {
	for (const shape of CASES) {
		for (const nlist of [1, 3]) {
			const parts = Object.entries(shape).map(([name, value]) => `${name} ${value}`);
			test(`${parts.join(", ")}, ${nlist} cells`, async () => {
				const d = shape.dimensions;
				const query = new Float32Array(d).fill(1);
				const rows = rowsAbout(query);
				const truth = trueNeighbors("cosine", query, vectorsOfRows(rows, d));
				const distances = new Map(truth.map(({ label, distance }) => [label, distance]));
				const nearest = truth.slice(0, K).map(({ label }) => label);
				assert.ok((truth[DIRECTED - 1]?.distance as number) < 0.7 && truth[DIRECTED]?.distance === 1);
				const options = { ...shape, metric: "cosine", arena, nlist } as const;
				const memory = await built(options, rows);
				const disk = shape.codes === "none" ? undefined : await built({ ...options, storage: "disk" }, rows);
				const hasCodes = shape.kind !== "ivf";
				for (const asked of [{}, ...(hasCodes ? [{ rerank: DIRECTED }, { rerank: 2 * DIRECTED }] : [])]) {
					const search = { ...asked, nprobe: nlist };
					assert.deepEqual(labelsOf(memory.search(query, K, search)), nearest);
					if (disk === undefined) continue;
					assert.deepEqual(labelsOf(splitSearch({ memory, disk }, query, K, search)), nearest);
					const zeros = [...disk.probe(query, K, search).labels].filter((label) => distances.get(label) === 1);
					const depth = disk.probe(query, K, search).labels.length;
					assert.equal(zeros.length, Math.max(0, depth - DIRECTED), "no zero row is a candidate before another row");
				}
				const nowhere = new Float32Array(d);
				if (hasCodes) {
					const estimated = memory.search(query, ALL, { rerank: 0, nprobe: nlist });
					assert.equal(estimated.length, ALL);
					for (const { label, distance } of estimated) {
						const exact = distances.get(label) as number;
						assert.ok(Math.abs(distance - exact) <= OFF, `${label} is ${exact} away, not ${distance}`);
					}
					const directed = estimated.slice(0, DIRECTED).map(({ label }) => distances.get(label));
					assert.ok(!directed.includes(1));
					for (const { distance } of memory.search(nowhere, ALL, { rerank: 0, nprobe: nlist })) {
						assert.ok(Math.abs(distance - 1) <= OFF, `${distance} from a zero query`);
					}
				}
				for (const { distance } of memory.search(nowhere, K, { nprobe: nlist })) assert.equal(distance, 1);
				memory.dispose();
				disk?.dispose();
			});
		}
	}
});
