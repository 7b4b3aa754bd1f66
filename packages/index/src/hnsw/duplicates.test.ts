import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { SearchOptions, VectorRows } from "../vector-index.ts";
import { randomRows } from "../vectors.test-support.ts";
import {
	type Built,
	build,
	checkGraph,
	join,
	mixture,
	range,
	recall,
	rowOf,
	shuffled,
	truthOf,
} from "./graphs.test-support.ts";

const D = 32;
const HALF = 2_000;
const { rows: OTHERS } = mixture(HALF, D, 71);
const { rows: QUERIES } = mixture(150, D, 72);

const searching =
	({ index }: Built) =>
	(query: VectorRows, k: number, options: SearchOptions) =>
		index.search(query, k, options);

const repeated = (vector: Float32Array, times: number) => join(...Array.from({ length: times }, () => vector));

describe("2,000 equal vectors among 2,000 others", () => {
	for (const codes of ["none", "sq7"] as const) {
		for (const metric of ["l2", "cosine"] as const) {
			// The equal ones have the labels 0 to 1,999.
			const both = () => build(join(repeated(rowOf(OTHERS, 5, D), HALF), OTHERS), { dimensions: D, metric, codes });
			const isDouble = (label: number) => label < HALF || label === HALF + 5;

			test(`are found, all 50 nearest of them, and hide none of the others: ${metric}, codes ${codes}`, async () => {
				const built = await both();
				checkGraph(built.graph);
				const hits = built.index.search(rowOf(OTHERS, 5, D), 50);
				assert.equal(hits.length, 50);
				assert.ok(hits.every(({ label }) => isDouble(label)));
				assert.ok(recall(searching(built), truthOf(built.index), QUERIES, { ef: 80 }) >= 0.95);
				// From one of the others, so that the walk has to come through or past the equal ones.
				const found = [...shuffled(HALF, 1).subarray(0, 200)].filter((i) => {
					const [nearest] = built.index.search(rowOf(OTHERS, i, D), 1, { ef: 40 });
					return nearest?.label === HALF + i || (i === 5 && isDouble(nearest?.label as number));
				});
				assert.ok(found.length >= 190, `${found.length} of 200 found themselves`);
			});

			test(`may go and come back, and none of the others is lost: ${metric}, codes ${codes}`, async () => {
				const built = await both();
				for (const share of [0.5, 0.9]) {
					const gone = shuffled(HALF, 2).slice(0, share * HALF);
					assert.equal(built.index.remove(gone), gone.length);
					checkGraph(built.graph);
					assert.ok(built.index.search(rowOf(OTHERS, 5, D), 50).every(({ label }) => isDouble(label)));
					assert.ok(recall(searching(built), truthOf(built.index), QUERIES, { ef: 80 }) >= 0.95);
					await built.index.insertMany(repeated(rowOf(OTHERS, 5, D), gone.length), { labels: gone });
					checkGraph(built.graph);
				}
				built.index.remove(range(0, HALF));
				checkGraph(built.graph);
				assert.ok(recall(searching(built), truthOf(built.index), QUERIES, { ef: 80 }) >= 0.95);
			});
		}
	}
});

test("an index of nothing but equal vectors is connected and answers with as many as asked for", async () => {
	for (const M of [2, 16]) {
		const { index, graph } = await build(repeated(rowOf(OTHERS, 0, D), 1_500), { dimensions: D, metric: "l2", M });
		checkGraph(graph);
		for (const k of [1, 10, 700, 1_500]) {
			const hits = index.search(rowOf(OTHERS, 0, D), k);
			assert.equal(new Set(hits.map(({ label }) => label)).size, k);
			assert.ok(hits.every(({ distance }) => distance === 0));
		}
		index.remove(range(0, 1_400));
		checkGraph(graph);
	}
});

test("pairs and triples of equal vectors are all found", async () => {
	const rows = randomRows(3, 500, 8) as Float32Array;
	const { index, graph } = await build(join(rows, rows, rows), { dimensions: 8, metric: "l2" });
	checkGraph(graph);
	let found = 0;
	for (let i = 0; i < 500; i++) {
		const hits = index.search(rowOf(rows, i, 8), 3, { ef: 80 });
		if (hits.every(({ label, distance }) => label % 500 === i && distance === 0)) found++;
	}
	assert.ok(found >= 495, `${found} of 500`);
});

test("a thousand zero vectors under cosine do not spoil the recall of the others", async () => {
	for (const codes of ["none", "sq7"] as const) {
		const rows = join(new Float32Array(500 * D), OTHERS, new Float32Array(500 * D));
		const built = await build(rows, { dimensions: D, metric: "cosine", codes });
		checkGraph(built.graph);
		const plain = await build(OTHERS, { dimensions: D, metric: "cosine", codes }, range(500, 500 + HALF));
		const truth = truthOf(built.index);
		for (const ef of [20, 80]) {
			const [among, alone] = [
				recall(searching(built), truth, QUERIES, { ef }),
				recall(searching(plain), truthOf(plain.index), QUERIES, { ef }),
			];
			assert.ok(among >= alone - 0.01, `ef ${ef}, codes ${codes}: ${among} among zero vectors, ${alone} without`);
		}
		const hits = built.index.search(rowOf(OTHERS, 0, D), 10, { ef: 80 });
		assert.ok(hits.every(({ label }) => label >= 500 && label < 500 + HALF));
		const ofZero = built.index.search(new Float32Array(D), 10);
		assert.ok(ofZero.length === 10 && ofZero.every(({ distance }) => distance === 1));
	}
});
