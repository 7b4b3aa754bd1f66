import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Arena, LabelSet } from "@nigh/kernels";
import { loadIndex, restoreIvf } from "../load.ts";
import { refusal, rejection } from "../refusal.test-support.ts";
import { createIvf, IvfIndex } from "./ivf.ts";
import { built, DIMENSIONS, imageOf, REMOVED, rows, SHAPES, saved, VECTORS } from "./saved.test-support.ts";

const QUERIES = rows(3, 100);

/** All that a search can tell of the hundred queries, each in every way in which it can be searched. */
function answers(index: IvfIndex) {
	const allow = new LabelSet(
		index.arena,
		Array.from({ length: 400 }, (_, i) => i + 50).filter((label) => label % 11 !== 0),
	);
	const nlist = index.effective().nlist as number;
	if (index.storage === "disk") {
		const probes = Array.from({ length: 100 }, (_, i) => {
			const query = QUERIES.subarray(i * DIMENSIONS, (i + 1) * DIMENSIONS);
			return [{}, { nprobe: 1 }, { nprobe: nlist }, { allow }].map((options) => index.probe(query, 10, options));
		});
		const estimates = index.kind === "ivf" ? [] : index.searchMany(QUERIES, 10, { rerank: 0 });
		allow.dispose();
		return { probes, estimates };
	}
	const ways = [{}, { nprobe: 1 }, { nprobe: nlist }, { budget: 100 }, { exact: true }];
	const all = ways.map((options) => index.searchMany(QUERIES, 10, options));
	const reports = Array.from({ length: 100 }, (_, i) => {
		const query = QUERIES.subarray(i * DIMENSIONS, (i + 1) * DIMENSIONS);
		return [index.explain(query, 3), index.explain(query, 70, i % 5 === 0 ? { allow } : {})];
	});
	const estimates = index.kind === "ivfpq" ? index.searchMany(QUERIES, 10, { rerank: 0 }) : [];
	allow.dispose();
	return { all, reports, estimates };
}

for (const [name, options] of SHAPES) {
	describe(`an index that was loaded is the one that was saved: ${name}`, () => {
		for (const shared of [false, true]) {
			test(`the same bytes and the same answers to 100 queries, ${shared ? "shared" : "unshared"}`, async () => {
				const index = await built(options);
				const arena = new Arena({ shared });
				const loaded = loadIndex(index.serialize(), { arena });
				assert.ok(loaded instanceof IvfIndex);
				assert.ok(imageOf(loaded).equals(imageOf(index)));
				assert.deepEqual(loaded.effective(), { ...index.effective(), shared });
				assert.deepEqual([loaded.size, loaded.nextLabel], [VECTORS - REMOVED.length, VECTORS]);
				assert.deepEqual(answers(loaded), answers(index));
				assert.deepEqual(loaded.validate(50), index.validate(50));
				assert.deepEqual([loaded.hasDrifted(), loaded.fill()], [index.hasDrifted(), index.fill()]);
				loaded.dispose();
				assert.equal(arena.usedBytes, 0);
			});
		}

		test("it goes on as the saved one does: inserting, replacing, removing, compacting, training", async () => {
			const index = await built(options);
			index.compact();
			const restored = restoreIvf(saved(index).source);
			for (const one of [index, restored]) {
				await one.insertMany(rows(4, 90));
				one.insert(7, rows(5, 1));
				one.remove([7, 8, 9]);
			}
			assert.ok(imageOf(restored).equals(imageOf(index)));
			for (const one of [index, restored]) one.compact();
			assert.ok(imageOf(restored).equals(imageOf(index)));
			for (const one of [index, restored]) {
				// What is on disk cannot be put into other cells.
				if (one.storage === "disk") one.remove(one.labels());
				await one.train(rows(6, 300));
				if (one.storage === "disk") await one.insertMany(rows(7, 300));
			}
			assert.ok(imageOf(restored).equals(imageOf(index)));
			assert.deepEqual(answers(restored), answers(index));
		});
	});
}

test("an index that was not trained can be saved, and trained after loading", async () => {
	for (const kind of ["ivf", "ivfpq", "ivfrabitq"] as const) {
		const index = createIvf({ kind, dimensions: DIMENSIONS, metric: "l2" });
		const loaded = loadIndex(index.serialize()) as IvfIndex;
		assert.deepEqual([loaded.kind, loaded.isTrained, loaded.size], [kind, false, 0]);
		assert.deepEqual(loaded.effective(), index.effective());
		assert.ok(imageOf(loaded).equals(imageOf(index)));
		refusal("NOT_TRAINED", () => loaded.insert(1, rows(1, 1)));
		await loaded.train(rows(1, 400));
		await loaded.insertMany(rows(2, 100));
		assert.equal(loaded.search(rows(3, 1), 200).length, 100);
	}
});

test("why there are as many cells is not forgotten", async () => {
	const index = createIvf({ kind: "ivf", dimensions: DIMENSIONS, metric: "l2", nlist: 200 });
	await index.train(rows(1, 120));
	const { nlist } = index.trainingReport ?? assert.fail();
	assert.equal(nlist.asked, 200);
	const { state } = restoreIvf(saved(index).source).parts();
	assert.deepEqual([state.rule, state.trainedFor, state.asked, state.cells], ["given", 120, 200, nlist.nlist]);
});

test("nothing is saved beside an insertMany that is still running", async () => {
	const index = await built({ kind: "ivf" });
	const running = index.insertMany(rows(4, 10));
	for (const call of [() => index.serialize(), () => index.parts()]) refusal("LOCKED", call);
	await running;
	assert.equal(loadIndex(index.serialize()).size, index.size);
	const training = index.train();
	refusal("LOCKED", () => index.parts());
	await rejection("LOCKED", index.insertMany(rows(4, 10)));
	await training;
	index.dispose();
	for (const call of [() => index.serialize(), () => index.parts(), () => index.nextLabel]) refusal("CLOSED", call);
});
