import assert from "node:assert/strict";
import { test } from "node:test";
import { type GraphRung, type Rung, selectivityBand, targetFor, UNFILTERED } from "@nigh/recall";
import { churnOf } from "../memory/generation.ts";
import type { ServedCell } from "../recall/served.ts";
import {
	cellAt,
	drawn,
	examined,
	examinersSearcher,
	filterOf,
	HNSW,
	NO_LIMITS,
	only,
	work,
} from "./examined.test-support.ts";
import { LEAST_QUERIES, MOST_MEASURED, MOST_QUERIES } from "./parameters.ts";
import type { Process } from "./process.ts";
import { Interrupted, Subject } from "./subject.ts";

const BREACH = { at: 1, audits: 40, mean: 0.5 };

test("what queries certify keeps the target in queries that come later", async (t) => {
	const all = await examined(t, { n: 2_000 });
	const { collection, queries } = all;
	collection.keep(drawn(queries(700)));
	await work(all);
	const cell = cellAt(collection, 10) as ServedCell;
	assert.equal(cell.state, "certified");
	assert.equal(cell.basis, "queries");
	assert.equal(cell.confidence, 0.95);
	assert.deepEqual([cell.churn, cell.vectors, cell.changeNumber], [2_000, 2_000, 1]);
	// Drawn with a seed: the certificate is right for this one.
	const subject = new Subject(collection.searcher, () => {});
	const later = queries(400);
	const truths = await subject.truths(later, 10);
	let sum = 0;
	for (const [i, vector] of later.entries())
		sum += (await subject.recallAt(cell.rung as Rung, vector, 10, truths[i] as never)) ?? Number.NaN;
	assert.ok(sum / 400 >= 0.9, `${sum / 400}`);
});

test("each query is asked once, and no pilot certifies", async (t) => {
	const all = await examined(t, { n: 800 });
	const { collection, queries } = all;
	collection.keep(drawn(queries(400)));
	await work(all);
	const stratum = only(collection);
	const pilots = stratum.queries.items.filter(({ isPilot }) => isPilot);
	assert.ok(pilots.every(({ usedBy }) => usedBy === undefined));
	const asked = stratum.byQueries?.asked as number;
	assert.ok(asked <= 400 - pilots.length);
	await collection.certify(stratum, NO_LIMITS);
	await collection.certify(stratum, NO_LIMITS, { confidence: 0.95 });
	assert.equal(stratum.byQueries?.asked, asked);
	collection.give(
		stratum,
		queries(100).map((vector) => ({ vector, node: undefined })),
	);
	await collection.certify(stratum, NO_LIMITS, { confidence: 0.95 });
	const used = stratum.queries.items.filter(({ usedBy }) => usedBy === stratum.byQueries).length;
	assert.equal(stratum.byQueries?.asked, used);
});

test("to give the same queries again and again certifies no more than to give them once", async (t) => {
	const { collection, queries } = await examined(t, { n: 800 });
	const stratum = collection.stratum(10, UNFILTERED);
	const given = queries(60).map((vector) => ({ vector, node: undefined }));
	for (let i = 0; i < 6; i++) {
		collection.give(stratum, given);
		await collection.certify(stratum, NO_LIMITS, { confidence: 0.95 });
	}
	assert.ok((stratum.byQueries?.asked as number) <= 60);
	assert.equal(stratum.queries.items.length, 60);
});

test("a pilot that has none of the hard queries does not put the ladder too low for them", async (t) => {
	const all = await examined(t, { n: 2_000, spec: { recall: 0.97 } });
	const { collection, queries, random } = all;
	collection.keep(drawn(queries(1_500), { target: 0.97 }));
	const stratum = only(collection);
	const { items } = stratum.queries;
	for (const [i, query] of items.entries()) {
		if (query.isPilot || i % 10 > 0) continue;
		items[i] = { ...query, vector: Float32Array.from(query.vector, () => 6 * random() - 3) };
	}
	await work(all);
	const { ladder, certification } = stratum.byQueries as Process;
	// Where the pilot has found enough, they do not.
	const placed = ladder.findIndex((rung) => rung.kind === "graph" && rung.ef <= (ladder[0] as GraphRung).ef / 8);
	assert.ok(certification.meanOf(placed) < 0.97, `${certification.meanOf(placed)}`);
	assert.equal(cellAt(collection, 10, 0.97)?.state, "certified");
});

test("fewer queries than can tell anything begin nothing", async (t) => {
	const { collection, queries } = await examined(t, { n: 600 });
	collection.keep(drawn(queries(LEAST_QUERIES)));
	// An eighth of them are the pilot's.
	assert.equal(collection.due, undefined);
	collection.keep(drawn(queries(LEAST_QUERIES)));
	assert.equal(collection.due, only(collection));
});

test("without a log queries are asked as they come, and none is kept once nothing asks it", async (t) => {
	const all = await examined(t, { n: 600, spec: { logQueries: false } });
	const { collection, queries } = all;
	let came = 0;
	for (const n of [3, 1, 150, 40, 200, 200, 200]) {
		collection.keep(drawn(queries(n)));
		came += n;
		await work(all);
		assert.equal(only(collection).queries.items.length, 0);
	}
	const process = only(collection).byQueries;
	assert.ok(process !== undefined && process.asked > 10 && process.asked <= came);
	// Nothing more can pass, or enough were measured: those that come are not kept at all.
	process.asked = MOST_MEASURED;
	collection.keep(drawn(queries(50)));
	assert.equal(only(collection).queries.items.length, 0);
	assert.equal(collection.due, undefined);
});

test("without a log what an interruption left is measured later, and then gone", async (t) => {
	const all = await examined(t, { n: 600, spec: { logQueries: false } });
	const { collection, queries } = all;
	collection.keep(drawn(queries(80)));
	const stratum = only(collection);
	const onQuery = (done: number) => {
		if (done === 10) throw new Interrupted("something else");
	};
	await assert.rejects(collection.certify(stratum, { ...NO_LIMITS, onQuery }), Interrupted);
	assert.equal(stratum.byQueries?.asked, 10);
	assert.equal(stratum.queries.items.length, 70);
	await work(all);
	assert.equal(stratum.queries.items.length, 0);
	assert.ok((stratum.byQueries?.asked as number) <= 80);
});

test("where only the exact search will do, searches that want less are certified all the same", async (t) => {
	for (const logQueries of [true, false]) {
		const all = await examined(t, { n: 600, spec: { recall: 1, logQueries } });
		const { collection, queries } = all;
		collection.keep(drawn(queries(300), { target: 1 }));
		await work(all);
		assert.deepEqual(collection.table.cells, []);
		if (!logQueries) assert.equal(only(collection).queries.items.length, 0);
		collection.keep(drawn(queries(300), { target: targetFor(0.8) }));
		await work(all);
		assert.equal(cellAt(collection, 10, 0.8)?.state, "certified");
		assert.deepEqual([...only(collection).targets], [0.8]);
	}
});

test("an index that has changed by more than a tenth is certified anew", async (t) => {
	const all = await examined(t, { n: 1_000 });
	const { collection, owned, queries } = all;
	collection.keep(drawn(queries(400)));
	await work(all);
	const stratum = only(collection);
	const first = stratum.byQueries;
	for (let slot = 0; slot < 100; slot++) owned.generation.kill(slot, 2);
	assert.equal(collection.due, undefined);
	owned.generation.kill(100, 2);
	owned.generation.publish(2);
	assert.equal(collection.due, stratum);
	await work(all);
	assert.notEqual(stratum.byQueries, first);
	assert.equal(cellAt(collection, 10)?.churn, 1_101);
});

test("an index that is built anew begins without a certificate; a copy keeps what is known", async (t) => {
	const all = await examined(t, { n: 800 });
	const { collection, owned, queries } = all;
	collection.keep(drawn(queries(400)));
	await work(all);
	for (const vector of queries(30)) all.append(vector);
	owned.generation.kill(5, 2);
	owned.generation.publish(2);
	const before = { cell: cellAt(collection, 10), churn: churnOf(owned.generation) };
	const copy = await all.next(false);
	collection.follow(examinersSearcher(copy));
	assert.ok(collection.isOutdated);
	assert.ok(collection.settle());
	assert.deepEqual(cellAt(collection, 10), before.cell);
	// As if its tail had been taken in.
	assert.equal(churnOf(copy.generation), before.churn + 30);
	const anew = await all.next(true);
	collection.follow(examinersSearcher(anew));
	collection.settle();
	assert.deepEqual(collection.table.cells, []);
	assert.notEqual(collection.identity, owned.generation.handle.identity?.id);
	// The queries are there still.
	await work(all);
	assert.equal(cellAt(collection, 10)?.state, "certified");
});

test("a generation that takes over in the middle ends the work, and what was measured stays with its index", async (t) => {
	const all = await examined(t, { n: 800 });
	const { collection, queries } = all;
	collection.keep(drawn(queries(400)));
	const anew = examinersSearcher(await all.next(true));
	const check = () => {
		if (collection.isOutdated) throw new Interrupted("another");
	};
	const onQuery = (done: number) => {
		if (done === 40) collection.follow(anew);
	};
	const stratum = only(collection);
	await assert.rejects(collection.certify(stratum, { ...NO_LIMITS, check, onQuery }), Interrupted);
	const first = stratum.byQueries;
	assert.ok((first?.asked as number) >= 40);
	collection.settle();
	assert.equal(stratum.byQueries, undefined);
	await work(all);
	const second = collection.stratum(10, UNFILTERED).byQueries;
	assert.equal(second?.place.identity, collection.identity);
	assert.notEqual(second, first);
});

test("with a filter its own searches are asked, at the state of its matches", async (t) => {
	const all = await examined(t, { n: 1_500 });
	const { collection, queries, filters } = all;
	const node = filterOf("third");
	filters.set(JSON.stringify(node), (slot) => slot % 3 === 0);
	collection.keep(drawn(queries(400), { node, share: 1 / 3 }));
	await work(all);
	const cell = collection.table.cells.find(({ selectivity }) => selectivity === selectivityBand(1 / 3));
	assert.equal(cell?.state, "certified");
	assert.ok(cell.queries > 30);
});

test("queries whose matches cannot be had wait until something has changed", async (t) => {
	const { collection, queries } = await examined(t, { n: 600 });
	const node = filterOf("unknown");
	collection.keep(drawn(queries(400), { node, share: 1 / 3 }));
	const stratum = only(collection);
	await assert.rejects(collection.certify(stratum, NO_LIMITS), Interrupted);
	stratum.isPostponed = true;
	assert.equal(collection.due, undefined);
	collection.keep(drawn(queries(1), { node, share: 1 / 3 }));
	assert.equal(collection.due, stratum);
});

test("the bands of all keep no more than so many queries together", async (t) => {
	const { collection, query } = await examined(t, { n: 300 });
	const vector = query();
	const all = (n: number, bands: readonly number[]) => drawn(Array(n).fill(vector), { bands });
	collection.keep(all(3_900, [1, 10, 100]));
	collection.keep(all(500, [1_000]));
	const kept = [...collection.strata.values()].map(({ queries }) => queries.items.length);
	assert.ok(kept.reduce((sum, each) => sum + each, 0) <= MOST_QUERIES);
	// The smallest has lost nothing.
	assert.equal(kept.at(-1), 500);
});

test("a stale certificate serves until the certification after it has come to an end, which has a budget of its own", async (t) => {
	const all = await examined(t, { n: 1_000 });
	const { collection, owned, queries } = all;
	collection.keep(drawn(queries(900)));
	await work(all);
	const before = cellAt(collection, 10);
	assert.equal(before?.state, "certified");
	const stratum = only(collection);
	const known = stratum.byQueries;
	assert.ok(known !== undefined);
	known.asked = MOST_MEASURED;
	for (let slot = 0; slot < 200; slot++) owned.generation.kill(slot, 2);
	owned.generation.publish(2);
	assert.equal(collection.due, stratum);
	const onQuery = (done: number) => {
		if (done === 3) throw new Interrupted("enough");
	};
	await assert.rejects(collection.certify(stratum, { ...NO_LIMITS, onQuery }), Interrupted);
	assert.deepEqual([stratum.byQueries === known, stratum.byQueries?.asked], [false, 3]);
	const { certifiedAt, ...stale } = cellAt(collection, 10) as ServedCell;
	assert.deepEqual({ ...stale, certifiedAt }, before);
	await work(all);
	assert.equal(cellAt(collection, 10)?.state, "certified");
	assert.notEqual(cellAt(collection, 10)?.churn, before.churn);
	assert.equal(stratum.earlier, undefined);
});

test("other wishes: another recall is one more target, and without a log what was kept goes", async (t) => {
	const all = await examined(t, { n: 600 });
	const { collection, queries } = all;
	collection.keep(drawn(queries(300)));
	await work(all);
	collection.isChanged = false;
	collection.respec({ recall: 0.8, logQueries: false });
	const stratum = only(collection);
	assert.deepEqual([...stratum.targets].sort(), [0.8, 0.9]);
	assert.equal(stratum.queries.items.length, 0);
	assert.ok(collection.isChanged);
	assert.deepEqual(collection.sample(10), []);
	collection.respec({ recall: 1, logQueries: false });
	assert.deepEqual([...stratum.targets].sort(), [0.8, 0.9]);
});

for (const [wanted, metric] of [
	[{ kind: "ivf", storage: "memory" }, "l2"],
	[{ kind: "ivfpq", storage: "disk" }, "l2"],
	[{ kind: "ivfrabitq", storage: "memory" }, "cosine"],
	[{ kind: "ivfrabitq", storage: "disk" }, "l2"],
	[HNSW, "hamming"],
	[HNSW, "l1"],
] as const) {
	const storage = wanted.kind === "hnsw" ? "" : ` (${wanted.storage})`;
	test(`${wanted.kind}${storage} by ${metric} is certified by a ladder of its own`, async (t) => {
		const all = await examined(t, { wanted, metric, dimensions: 64, n: 1_100, spec: { recall: 0.8 } });
		const { collection, queries } = all;
		collection.keep(drawn(queries(350), { target: 0.8 }));
		await work(all);
		const process = only(collection).byQueries;
		const cell = cellAt(collection, 10, 0.8) as ServedCell;
		assert.ok(process !== undefined && process.asked > 10);
		const kind = wanted.kind === "hnsw" ? "graph" : "cells";
		assert.ok(process.ladder.length > 0 && process.ladder.every((rung) => rung.kind === kind));
		if (metric !== "hamming") assert.equal(cell.state, "certified");
		assert.ok(cell.rung === null || cell.estimate >= 0.8);
	});
}

test("breaches are told as they were found", async (t) => {
	const { collection } = await examined(t, { n: 300 });
	collection.stratum(10, UNFILTERED).voidAll(BREACH);
	assert.deepEqual(cellAt(collection, 10)?.breach, BREACH);
});
