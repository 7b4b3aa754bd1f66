import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Arena } from "@nigh/kernels";
import { isOrdered, randomRows, trueNeighbors } from "../vectors.test-support.ts";
import type { IvfOptions } from "./create-file.ts";
import { createIvf } from "./ivf.ts";

const N = 300;
const D = 36;
const arena = new Arena();

/** Lengths from none to the bound, whose squares are near the end of float32; cells and codes are learnt from vectors of length about 1. */
const LENGTHS: Readonly<Record<string, (row: number) => number>> = {
	"at the bound of the norm": () => 2 ** 62,
	"of all lengths that there can be": (row) => [1, 2 ** 62, 2 ** -60, 0, 2 ** 30][row % 5] as number,
	"whose squares vanish": () => 2 ** -70,
	"all zero": () => 0,
};

const KINDS: readonly (readonly [name: string, options: Pick<IvfOptions, "kind"> & Partial<IvfOptions>])[] = [
	["ivf", { kind: "ivf", codes: "none" }],
	["ivf with codes", { kind: "ivf", codes: "sq7", rotation: "none" }],
	["ivfpq", { kind: "ivfpq" }],
	["ivfpq of 8 bits", { kind: "ivfpq", bits: 8, rotation: "none" }],
	["ivfrabitq", { kind: "ivfrabitq" }],
	["ivfrabitq of 4 bits", { kind: "ivfrabitq", bits: 4 }],
];

/** Random vectors of such lengths, at most. */
function vectors(seed: number, n: number, lengthOf: (row: number) => number): Float32Array {
	const rows = randomRows(seed, n, D) as Float32Array;
	return rows.map((x, i) => (x * lengthOf(Math.floor(i / D))) / Math.sqrt(D));
}

describe("vectors that are nothing like those of the training come back, with their distances", () => {
	for (const [name, options] of KINDS) {
		for (const metric of ["l2", "cosine", "ip"] as const) {
			for (const [lengths, lengthOf] of Object.entries(LENGTHS)) {
				test(`${name}, ${metric}: vectors ${lengths}`, async () => {
					const index = createIvf({ ...options, metric, dimensions: D, arena });
					await index.train(vectors(1, N, () => 1));
					const rows = vectors(2, N, lengthOf);
					await index.insertMany(rows);
					const stored = new Map(Array.from({ length: N }, (_, i) => [i, rows.subarray(i * D, (i + 1) * D)]));
					const nlist = index.effective().nlist as number;
					for (const query of [rows.subarray(7 * D, 8 * D), vectors(3, 1, () => 1), vectors(4, 1, () => 2 ** 62)]) {
						const truth = new Map(trueNeighbors(metric, query, stored).map((one) => [one.label, one]));
						for (const [k, more] of [
							[1, {}],
							[10, { nprobe: 1 }],
							[60, { nprobe: nlist }],
							[N + 5, {}],
						] as const) {
							const hits = index.search(query, k, more);
							assert.equal(hits.length, Math.min(k, N));
							assert.ok(isOrdered(hits));
							for (const { label, distance } of hits) {
								const { distance: expected, tolerance } = truth.get(label) ?? assert.fail();
								assert.ok(Math.abs(distance - expected) <= tolerance, `${label}: ${distance}, in truth ${expected}`);
							}
							if (options.kind === "ivf") continue;
							const estimates = index.search(query, k, { ...more, rerank: 0 });
							assert.equal(estimates.length, Math.min(k, N));
							assert.ok(estimates.every(({ distance }) => Number.isFinite(distance)));
						}
						const all = options.kind === "ivf" ? {} : { rerank: N };
						assert.deepEqual(
							index.search(query, 10, { nprobe: nlist, ...all }),
							index.search(query, 10, { exact: true }),
						);
					}
					index.dispose();
					assert.equal(arena.usedBytes, 0);
				});
			}
		}
	}
});
