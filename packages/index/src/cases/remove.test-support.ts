import assert from "node:assert/strict";
import type { Run } from "./bench.test-support.ts";

/** Replacing and removing. */
export function removeCases(run: Run): void {
	run("a label that is given again has the new vector, once", async (bench) => {
		const index = await bench.filled(30, 1);
		const rows = bench.rows(30, 1);
		const [first, second] = [bench.vector(50), bench.vector(51)];
		index.insert(7, first);
		await index.insertMany(second, { labels: Uint32Array.of(8) });
		const vectorOf = (label: number) => (label === 7 ? first : label === 8 ? second : bench.row(rows, label));
		assert.equal(index.size, 30);
		for (const query of [first, second, bench.row(rows, 7)]) {
			bench.checkHits(index.search(query, 100), query, 30, vectorOf);
		}
		assert.deepEqual(
			[...index.labels()].sort((a, b) => a - b),
			Array.from({ length: 30 }, (_, i) => i),
		);
	});

	run("removed labels never come back, and count once", async (bench) => {
		const index = await bench.filled(60, 2);
		const rows = bench.rows(60, 2);
		assert.equal(index.remove([3, 4, 3, 59, 1_000, 4_294_967_294]), 3);
		assert.equal(index.remove([3, 4, 59]), 0);
		assert.equal(index.remove([]), 0);
		assert.equal(index.size, 57);
		for (const label of [3, 4, 59]) {
			assert.equal(index.has(label), false);
			assert.equal(index.vector(label), undefined);
			const hits = index.search(bench.row(rows, label), 100);
			bench.checkHits(hits, bench.row(rows, label), 57, (other) => bench.row(rows, other));
			assert.ok(hits.every((hit) => hit.label !== label));
		}
		assert.ok([...index.labels()].every((label) => ![3, 4, 59].includes(label)));
	});

	run("removing one by one leaves the rest to be found, whichever goes", async (bench) => {
		const index = await bench.filled(30, 3);
		const rows = bench.rows(30, 3);
		const left = new Set(Array.from({ length: 30 }, (_, i) => i));
		for (let i = 0; i < 30; i++) {
			const label = (i * 7) % 30;
			assert.equal(index.remove([label]), 1);
			left.delete(label);
			const query = bench.row(rows, label);
			const hits = index.search(query, 30);
			bench.checkHits(hits, query, left.size, (other) => bench.row(rows, other));
			assert.ok(hits.every((hit) => left.has(hit.label)));
		}
		assert.equal(index.size, 0);
	});

	run("an index that was emptied takes vectors in again, and gives out new labels", async (bench) => {
		const index = await bench.filled(20, 4);
		assert.equal(index.remove(index.labels()), 20);
		assert.equal(index.size, 0);
		assert.deepEqual(index.search(bench.vector(1), 5), []);
		const rows = bench.rows(25, 5);
		await index.insertMany(rows);
		assert.deepEqual(
			[...index.labels()].sort((a, b) => a - b),
			Array.from({ length: 25 }, (_, i) => 20 + i),
		);
		const query = bench.vector(6);
		bench.checkHits(index.search(query, 100), query, 25, (label) => bench.row(rows, label - 20));
	});

	run("a removed label that is given again is found", async (bench) => {
		const index = await bench.filled(40, 6);
		const rows = bench.rows(40, 6);
		index.remove([0, 1, 2, 3, 4]);
		const again = bench.vector(60);
		index.insert(2, again);
		bench.checkHits(index.search(again, 100), again, 36, (label) => (label === 2 ? again : bench.row(rows, label)));
		assert.ok(index.search(again, 100).some(({ label }) => label === 2));
	});

	run("labels may lie as far apart as labels can", async (bench) => {
		const labels = Uint32Array.of(4_294_967_294, 0, 5, 1_000_000);
		const index = await bench.create();
		const rows = bench.rows(4, 7);
		await index.insertMany(rows, { labels });
		const query = bench.vector(8);
		const vectorOf = (label: number) => bench.row(rows, labels.indexOf(label));
		bench.checkHits(index.search(query, 10), query, 4, vectorOf);
		assert.deepEqual(new Set(index.labels()), new Set(labels));
		for (const label of labels) assert.ok(index.has(label) && index.vector(label) !== undefined);
		for (const label of [1, 4_294_967_293, 999_999]) assert.ok(!index.has(label));
		assert.equal(index.remove([4_294_967_294]), 1);
		bench.checkHits(index.search(query, 10), query, 3, vectorOf);
	});

	run("many rounds of removing and inserting agree with a map", async (bench) => {
		const index = await bench.filled(80, 8);
		const first = bench.rows(80, 8);
		const model = new Map(Array.from({ length: 80 }, (_, i) => [i, bench.row(first, i)]));
		for (let round = 0; round < 12; round++) {
			const gone = [...model.keys()].filter((label) => (label * 13 + round) % 3 === 0);
			assert.equal(index.remove(gone), gone.length);
			for (const label of gone) model.delete(label);
			const rows = bench.rows(20, 100 + round);
			const labels = Uint32Array.from({ length: 20 }, (_, i) => (round * 17 + i * 3) % 120);
			await index.insertMany(rows, { labels });
			labels.forEach((label, i) => {
				model.set(label, bench.row(rows, i));
			});
			if (round % 4 === 3) index.compact();
			const query = bench.vector(500 + round);
			assert.equal(index.size, model.size);
			assert.deepEqual(new Set(index.labels()), new Set(model.keys()));
			bench.checkHits(index.search(query, 200), query, model.size, (label) => {
				const vector = model.get(label);
				assert.ok(vector !== undefined, `${label} is not there`);
				return vector;
			});
		}
	});
}
