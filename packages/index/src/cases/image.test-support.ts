import assert from "node:assert/strict";
import { loadIndex } from "../load.ts";
import { refusal } from "../refusal.test-support.ts";
import type { AnyIndex, Bench, Run, Variant } from "./bench.test-support.ts";

/** Saving and loading. */
export function imageCases(run: Run, { metric }: Variant): void {
	const answers = (bench: Bench, index: AnyIndex) =>
		[1, 2, 3].map((seed) => [
			index.search(bench.vector(seed), 10),
			index.search(bench.vector(seed), 1_000),
			index.search(bench.vector(seed), 20, { exact: true }),
		]);

	for (const n of [0, 1, 2, 150]) {
		run(`an index of ${n} vectors answers after loading as before`, async (bench) => {
			const index = await bench.filled(n, 1);
			const loaded = bench.load(index.serialize());
			assert.equal(loaded.size, n);
			assert.equal(loaded.kind, index.kind);
			assert.deepEqual(loaded.metric, index.metric);
			assert.deepEqual(loaded.effective(), index.effective());
			assert.deepEqual([...loaded.labels()].sort(), [...index.labels()].sort());
			for (const label of index.labels()) assert.deepEqual(loaded.vector(label), index.vector(label));
			assert.deepEqual(answers(bench, loaded), answers(bench, index));
		});
	}

	run("a loaded index goes on: search, insert, replace, remove, save again", async (bench) => {
		const index = await bench.filled(60, 2);
		index.remove([5, 6, 59]);
		const rows = bench.rows(60, 2);
		const model = new Map(Array.from({ length: 60 }, (_, i) => [i, bench.row(rows, i)]));
		for (const label of [5, 6, 59]) model.delete(label);
		let loaded = bench.load([...index.serialize()]);
		for (let round = 0; round < 3; round++) {
			const more = bench.rows(10, 30 + round);
			await loaded.insertMany(more);
			for (let i = 0; i < 10; i++) model.set(60 + 10 * round + i, bench.row(more, i));
			const again = bench.vector(40 + round);
			loaded.insert(round, again);
			model.set(round, again);
			assert.equal(loaded.remove([10 + round, 10 + round]), 1);
			model.delete(10 + round);
			assert.deepEqual(new Set(loaded.labels()), new Set(model.keys()));
			const query = bench.vector(90 + round);
			bench.checkHits(loaded.search(query, 500), query, model.size, (label) => {
				const vector = model.get(label);
				assert.ok(vector !== undefined, `${label} is not there`);
				return vector;
			});
			loaded = bench.load([...loaded.serialize()]);
		}
	});

	run("an index that was emptied can be saved, loaded and filled", async (bench) => {
		const index = await bench.filled(10, 3);
		index.remove(index.labels());
		const loaded = bench.load(index.serialize());
		assert.equal(loaded.size, 0);
		assert.deepEqual(loaded.search(bench.vector(1), 3), []);
		await loaded.insertMany(bench.rows(3, 4));
		assert.deepEqual(
			[...loaded.labels()].sort((a, b) => a - b),
			[10, 11, 12],
		);
	});

	run("the same index gives the same bytes twice, and so does what was loaded from them", async (bench) => {
		const index = await bench.filled(50, 4);
		const bytes = Buffer.concat([...index.serialize()]);
		assert.ok(bytes.equals(Buffer.concat([...index.serialize()])));
		assert.ok(bytes.equals(Buffer.concat([...bench.load([bytes]).serialize()])));
	});

	run("sparse labels survive saving", async (bench) => {
		const index = await bench.create();
		const labels = Uint32Array.of(0, 5, 4_294_967_294);
		await index.insertMany(bench.rows(3, 5), { labels });
		const loaded = bench.load(index.serialize());
		assert.deepEqual(new Set(loaded.labels()), new Set(labels));
		assert.deepEqual(answers(bench, loaded), answers(bench, index));
	});

	run("what may be told on loading is what the image leaves open", async (bench) => {
		const image = [...(await bench.filled(5, 6)).serialize()];
		const before = bench.arena.usedBytes;
		if (typeof metric === "string") {
			const other = { name: "other", distance: () => 0 };
			refusal("SPEC_CONFLICT", () => loadIndex(image, { metric: other }));
			refusal("INVALID_OPTION", () => loadIndex(image, { arena: bench.arena, shared: true }));
		} else {
			refusal("SPEC_CONFLICT", () => loadIndex(image));
			refusal("SPEC_CONFLICT", () => loadIndex(image, { metric: { ...metric, name: "other" } }));
			refusal("INVALID_OPTION", () => loadIndex(image, { metric, arena: bench.arena }));
			refusal("INVALID_OPTION", () => loadIndex(image, { metric, shared: true }));
		}
		assert.equal(bench.arena.usedBytes, before);
	});
}
