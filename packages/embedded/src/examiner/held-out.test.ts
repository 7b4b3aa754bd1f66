import assert from "node:assert/strict";
import { test } from "node:test";
import { UNFILTERED } from "@nigh/recall";
import { churnOf } from "../memory/generation.ts";
import type { ServedCell } from "../recall/served.ts";
import type { Owned } from "../workers/next-generation.ts";
import {
	cellAt,
	drawn,
	examined,
	examinersSearcher,
	NO_LIMITS,
	type StoredVector,
	work,
} from "./examined.test-support.ts";
import { ExaminedCollection } from "./examined-collection.ts";
import { askByHeldOut } from "./held-out.ts";

test("held-out vectors certify provisionally, never more, and what is taken in of them is a change since", async (t) => {
	let asked: ExaminedCollection | undefined;
	const all = await examined(t, {
		n: 3_200,
		onHeldOut: async (index: Owned, slots, vectors) => {
			const held = [...slots].map((slot) => vectors[slot] as StoredVector);
			asked = new ExaminedCollection(7, "notes", { recall: 0.9, logQueries: true }, examinersSearcher(index), {
				random: () => 0.5,
				now: () => 1,
				matchesOf: async () => undefined,
			});
			await askByHeldOut(asked, asked.searcher, held, NO_LIMITS.check, slots.length);
		},
	});
	assert.ok(asked !== undefined);
	const cell = cellAt(asked, 10) as ServedCell;
	assert.deepEqual([cell.state, cell.basis], ["provisional", "heldout"]);
	const held = Math.floor(3_200 / 12);
	assert.deepEqual([cell.churn, cell.vectors], [3_200 - held, 3_200 - held]);
	assert.equal(churnOf(all.owned.generation), 3_200);
	// 100 answers of so few would be many of those that were held out.
	assert.equal(cellAt(asked, 100), undefined);
	asked.close();
});

for (const metric of ["l2", "cosine", "hamming"] as const) {
	test(`of held-out vectors under ${metric}, those that the index has all the same do not ask`, async (t) => {
		const all = await examined(t, { n: 1_500, metric, dimensions: metric === "hamming" ? 64 : 16 });
		const { collection, queries, vectors } = all;
		await askByHeldOut(collection, collection.searcher, vectors.slice(0, 400), NO_LIMITS.check);
		assert.deepEqual(collection.table.cells, []);
		const mixed = queries(400).flatMap((query, i) => [query, vectors[i] as StoredVector]);
		await askByHeldOut(collection, collection.searcher, mixed, NO_LIMITS.check);
		const asked = collection.stratum(10, UNFILTERED).byHeldOut?.asked as number;
		assert.ok(asked > 0 && asked <= 400, `${asked}`);
	});
}

test("what is asked of an index that does not serve yet is told when it does, and not before", async (t) => {
	const all = await examined(t, { n: 1_500 });
	const { collection, queries } = all;
	const anew = await all.next(true);
	const searcher = examinersSearcher(anew);
	await askByHeldOut(collection, searcher, queries(400), NO_LIMITS.check);
	assert.deepEqual(collection.table.cells, []);
	collection.isChanged = false;
	collection.follow(searcher);
	collection.settle();
	assert.equal(cellAt(collection, 10)?.state, "provisional");
	// It is to be written down by then.
	assert.ok(collection.isChanged);
});

test("an index that follows one which kept no target is held to a smaller delta", async (t) => {
	const all = await examined(t, { n: 1_500 });
	const { collection, queries } = all;
	const stratum = collection.stratum(10, UNFILTERED);
	stratum.rebuilds = 2;
	await askByHeldOut(collection, collection.searcher, queries(300), NO_LIMITS.check);
	const isQuarter = (delta: number | undefined) => Math.abs((delta as number) - 0.05 / 4) < 1e-12;
	assert.ok(isQuarter(stratum.byHeldOut?.delta));
	collection.keep(drawn(queries(400)));
	await work(all);
	assert.ok(isQuarter(stratum.byQueries?.delta));
	assert.ok(isQuarter(1 - (cellAt(collection, 10)?.confidence as number)));
	// What is asked for over a family is split further.
	await collection.certify(stratum, NO_LIMITS, { confidence: 0.9, cells: 5 });
	assert.ok(Math.abs((stratum.byQueries?.delta as number) - 0.1 / 5 / 4) < 1e-12);
});
