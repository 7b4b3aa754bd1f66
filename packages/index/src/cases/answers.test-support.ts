import assert from "node:assert/strict";
import { trueNeighbors } from "../vectors.test-support.ts";
import type { Run, Variant } from "./bench.test-support.ts";

/** What a search answers. */
export function answerCases(run: Run, { metric }: Variant): void {
	run("an empty index answers with an empty list, and each of many queries with one", async (bench) => {
		const index = await bench.create();
		assert.deepEqual(index.search(bench.vector(1), 10), []);
		assert.deepEqual(index.searchMany(bench.rows(3, 1), 10), [[], [], []]);
		assert.deepEqual(index.searchMany(bench.rows(0, 1), 10), []);
		assert.equal(index.size, 0);
		assert.deepEqual([...index.labels()], []);
	});

	run(
		"a search gives exactly min(k, size) hits, ascending, with the distances of the vectors that were given",
		async (bench) => {
			for (const n of [1, 2, 7, 40, 600]) {
				const index = await bench.filled(n, n);
				const rows = bench.rows(n, n);
				for (const k of [1, 2, 10, n, n + 1, 10_000]) {
					const query = bench.vector(1_000 + k);
					bench.checkHits(index.search(query, k), query, Math.min(k, n), (label) => bench.row(rows, label));
				}
				index.dispose();
			}
		},
	);

	run("an exact search has at every rank the distance that a scan in float64 has", async (bench) => {
		const index = await bench.filled(300, 5);
		const rows = bench.rows(300, 5);
		const vectors = new Map(Array.from({ length: 300 }, (_, i) => [i, bench.row(rows, i)]));
		for (let seed = 0; seed < 10; seed++) {
			const query = bench.vector(900 + seed);
			const truth = trueNeighbors(metric, query, vectors);
			const hits = index.search(query, 300, { exact: true });
			hits.forEach(({ distance }, rank) => {
				const expected = truth[rank] as (typeof truth)[number];
				assert.ok(Math.abs(distance - expected.distance) <= expected.tolerance, `rank ${rank}`);
			});
			bench.checkHits(hits, query, 300, (label) => bench.row(rows, label));
		}
	});

	run("many queries are answered in their order, as single ones are", async (bench) => {
		const index = await bench.filled(500, 3);
		for (const n of [1, 2, 16, 17, 40]) {
			const queries = bench.rows(n, 77);
			for (const [k, options] of [
				[1, {}],
				[10, {}],
				[10, { exact: true }],
				[500, {}],
			] as const) {
				const single = Array.from({ length: n }, (_, i) => index.search(bench.row(queries, i), k, options));
				assert.deepEqual(index.searchMany(queries, k, options), single);
			}
		}
	});

	run("every duplicate comes back, in the order of labels", async (bench) => {
		const index = await bench.create();
		const vector = bench.vector(1);
		const rows = bench.rows(20, 1);
		for (let i = 0; i < 20; i++) rows.set(vector, i * bench.length);
		await index.insertMany(rows);
		for (const label of [30, 29, 21]) index.insert(label, vector);
		const hits = index.search(vector, 100);
		assert.deepEqual(
			hits.map(({ label }) => label),
			[...Array.from({ length: 20 }, (_, i) => i), 21, 29, 30],
		);
		bench.checkHits(hits, vector, 23, () => vector);
	});

	run("zero vectors are taken in, found, and compared by the definition", async (bench) => {
		const index = await bench.filled(20, 4);
		const rows = bench.rows(20, 4);
		index.insert(20, bench.zero());
		index.insert(21, bench.zero());
		const vectorOf = (label: number) => (label >= 20 ? bench.zero() : bench.row(rows, label));
		for (const query of [bench.zero(), bench.vector(9)]) {
			const hits = index.search(query, 22);
			bench.checkHits(hits, query, 22, vectorOf);
			if (metric !== "cosine") continue;
			for (const { label, distance } of hits) {
				if (label >= 20 || query.every((x) => x === 0)) assert.equal(distance, 1);
			}
		}
		assert.deepEqual(index.vector(20), bench.zero());
	});

	run("a distance is never the negative zero", async (bench) => {
		const index = await bench.filled(5, 4);
		index.insert(5, bench.zero());
		for (const query of [bench.zero(), bench.vector(1)]) {
			for (const { distance } of index.search(query, 6)) assert.ok(!Object.is(distance, -0));
		}
	});

	if (metric === "l2" || metric === "cosine" || metric === "ip" || metric === "l1") {
		run("distances to (1, 0) are the textbook's", async (bench) => {
			const index = await bench.create({ dimensions: 2 });
			await index.insertMany(Float32Array.of(1, 0, 0, 1, 2, 0, -1, 0));
			const byLabel = index.search([1, 0], 4).sort((a, b) => a.label - b.label);
			const expected = {
				l2: [0, Math.SQRT2, 1, 2],
				cosine: [0, 1, 0, 2],
				ip: [-1, 0, -2, 1],
				l1: [0, 2, 1, 2],
			}[metric];
			byLabel.forEach(({ distance }, i) => {
				assert.ok(Math.abs(distance - (expected[i] as number)) < 1e-6, `${i}: ${distance}`);
			});
		});

		run("components of 1e-10 and 1e10 beside each other give numbers, and no distance below zero", async (bench) => {
			const index = await bench.create({ dimensions: 2 });
			await index.insertMany(Float32Array.of(1e-10, 1e10, 1e10, 1e-10, 1e-10, 1e-10, -1e10, 1e10, 0, 0));
			for (const query of [
				[1e-10, 1e10],
				[1e10, 1e10],
				[1e-10, -1e-10],
				[0, 0],
			]) {
				const hits = index.search(query, 5);
				assert.equal(hits.length, 5);
				for (const { distance } of hits) {
					assert.ok(Number.isFinite(distance));
					if (metric !== "ip") assert.ok(distance >= 0);
				}
			}
		});

		run("vectors at the bound of the norm are compared without overflow", async (bench) => {
			const index = await bench.create({ dimensions: 2 });
			await index.insertMany(Float32Array.of(2 ** 62, 0, -(2 ** 62), 0, 0, 2 ** 62));
			for (const { distance } of index.search([2 ** 62, 0], 3)) assert.ok(Number.isFinite(distance));
		});
	}
}
