import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { refusal, rejection } from "../refusal.test-support.ts";
import type { CustomMetric, SearchOptions, VectorRows } from "../vector-index.ts";
import { build, checkGraph, create, mixture, recall, rowOf, shuffled, truthOf } from "./graphs.test-support.ts";

const N = 1_500;
const D = 12;
const { rows: ROWS } = mixture(N, D, 81, { latent: 6 });
const { rows: QUERIES } = mixture(60, D, 82, { latent: 6 });

const CANBERRA: CustomMetric = {
	name: "canberra",
	distance(a, b) {
		let sum = 0;
		for (let i = 0; i < a.length; i++) {
			const [x, y] = [a[i] as number, b[i] as number];
			const size = Math.abs(x) + Math.abs(y);
			if (size > 0) sum += Math.abs(x - y) / size;
		}
		return sum;
	},
};

const WEIGHTED_COSINE: CustomMetric = {
	name: "weighted cosine",
	distance(a, b) {
		let [dot, ofA, ofB] = [0, 0, 0];
		for (let i = 0; i < a.length; i++) {
			const [x, y, weight] = [a[i] as number, b[i] as number, 1 + (i % 3)];
			dot += weight * x * y;
			ofA += weight * x * x;
			ofB += weight * y * y;
		}
		return ofA === 0 || ofB === 0 ? 1 : 1 - dot / Math.sqrt(ofA * ofB);
	},
};

describe("a metric of the user's own", () => {
	for (const metric of [CANBERRA, WEIGHTED_COSINE]) {
		test(`${metric.name}: answers agree with a scan by the same function, recall@10 at least 0.95 at ef 80`, async () => {
			const { index, graph } = await build(ROWS, { dimensions: D, metric });
			checkGraph(graph);
			const truth = truthOf(index);
			const search = (query: VectorRows, k: number, options: SearchOptions) => index.search(query, k, options);
			const found = recall(search, truth, QUERIES, { ef: 80 });
			assert.ok(found >= 0.95, `recall ${found}`);
			const query = rowOf(QUERIES, 0, D);
			for (const { label, distance } of index.search(query, 20)) {
				assert.equal(distance, Math.fround(metric.distance(query, rowOf(ROWS, label, D))));
			}
			const scan = index.search(query, 100, { exact: true });
			assert.deepEqual(scan, truth.search(query, 100));
			index.remove(shuffled(N, 1).subarray(0, 500));
			checkGraph(graph);
			const after = recall(search, truthOf(index), QUERIES, { ef: 80 });
			assert.ok(after >= 0.95, `recall ${after} after removing`);
		});
	}

	test("that returns no finite number fails by its name, whatever is called", async () => {
		for (const value of [Number.NaN, Number.POSITIVE_INFINITY, 1e39, undefined]) {
			let broken = false;
			const metric: CustomMetric = {
				name: "broken",
				distance: (a, b) => (broken ? (value as number) : CANBERRA.distance(a, b)),
			};
			const { index, graph } = await build(ROWS.subarray(0, 50 * D), { dimensions: D, metric });
			broken = true;
			const row = rowOf(ROWS, 60, D);
			const calls: (() => unknown)[] = [
				() => index.search(row, 5),
				() => index.search(row, 5, { exact: true }),
				() => index.insert(60, row),
			];
			for (const call of calls) {
				const { message, details } = refusal("INVALID_VECTOR", call);
				assert.match(message, /metric "broken" has returned/);
				assert.equal(details.field, "metric");
			}
			await rejection("INVALID_VECTOR", index.insertMany(row));
			broken = false;
			assert.equal(index.size, 50);
			checkGraph(graph);
			assert.equal(index.search(row, 5).length, 5);
		}
	});

	test("that throws fails with what it threw, and leaves the index whole", async () => {
		let broken = false;
		const boom = new Error("boom");
		const metric: CustomMetric = {
			name: "throwing",
			distance(a, b) {
				if (broken) throw boom;
				return CANBERRA.distance(a, b);
			},
		};
		const { index, graph } = create({ dimensions: D, metric });
		await index.insertMany(ROWS.subarray(0, 50 * D));
		broken = true;
		const isBoom = (error: unknown) => error === boom;
		assert.throws(() => index.insert(60, rowOf(ROWS, 60, D)), isBoom);
		assert.throws(() => index.search(rowOf(ROWS, 60, D), 3), isBoom);
		await assert.rejects(index.insertMany(ROWS.subarray(50 * D, 60 * D)), isBoom);
		broken = false;
		assert.equal(index.size, 50);
		checkGraph(graph);
	});
});
