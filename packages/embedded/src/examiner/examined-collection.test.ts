import assert from "node:assert/strict";
import { test } from "node:test";
import { type Rung, selectivityBand, targetFor, UNFILTERED } from "@nigh/recall";
import { churnOf } from "../memory/generation.ts";
import type { Audit, DrawnQuery } from "../recall/queries.ts";
import type { ServedCell } from "../recall/served.ts";
import type { Owned } from "../workers/next-generation.ts";
import { auditSearch } from "./audit.ts";
import {
	type Examined,
	examined,
	examinersSearcher,
	filterOf,
	HNSW,
	NO_LIMITS,
	type StoredVector,
} from "./examined.test-support.ts";
import { ExaminedCollection } from "./examined-collection.ts";
import { askByHeldOut } from "./held-out.ts";
import { LEAST_QUERIES, MOST_MEASURED, MOST_QUERIES } from "./parameters.ts";
import type { Stratum } from "./stratum.ts";
import { Interrupted, Subject } from "./subject.ts";

const BREACH = { at: 1, audits: 40, mean: 0.5 };

function drawn(vectors: readonly StoredVector[], more: Partial<DrawnQuery> = {}): DrawnQuery[] {
	return vectors.map((vector) => ({
		vector,
		k: 10,
		bands: [10],
		node: undefined,
		share: undefined,
		target: 0.9,
		...more,
	}));
}

/** Does what is due, as the thread does; it must come to an end. */
async function work({ collection }: Pick<Examined, "collection">): Promise<number> {
	for (let rounds = 0; rounds < 40; rounds++) {
		const { due } = collection;
		if (due === undefined) return rounds;
		await collection.certify(due, NO_LIMITS);
	}
	assert.fail("there is something to do for ever");
}

function only(collection: ExaminedCollection): Stratum {
	const [stratum, ...others] = collection.strata.values();
	assert.ok(stratum !== undefined && others.length === 0);
	return stratum;
}

function cellAt(collection: ExaminedCollection, k: number, target = 0.9): ServedCell | undefined {
	return collection.table.cells.find(
		(cell) => cell.k === k && cell.target === target && cell.selectivity === UNFILTERED,
	);
}

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

function auditOf(
	{ collection }: Pick<Examined, "collection">,
	vector: StoredVector,
	distances: readonly number[],
	more: Partial<Audit> = {},
): Audit {
	const { handle, change } = collection.searcher.generation;
	const at = { generation: handle.number, change, band: 10 };
	return { vector, k: 10, node: undefined, share: undefined, target: 0.9, distances, ...at, ...more };
}

test("an audit is compared with the exact answer of its own state", async (t) => {
	const all = await examined(t, { n: 800 });
	const { collection, owned, query } = all;
	const vector = query();
	const { searcher } = collection;
	searcher.search({ vector, k: 10, change: 1, exact: true });
	const distances = [...searcher.distances];
	const nearest = [...searcher.slots];
	const recallOf = async (found: readonly number[], more: Partial<Audit> = {}) =>
		(await auditSearch(collection, auditOf(all, vector, found, more), () => {}))?.recall;
	assert.equal(await recallOf(distances), 1);
	assert.equal(await recallOf(distances.slice(0, 7)), 0.7);
	for (const slot of nearest.slice(0, 5)) owned.generation.kill(slot, 2);
	owned.generation.publish(2);
	// What was deleted later was there to be found.
	assert.equal(await recallOf(distances, { change: 1 }), 1);
	assert.equal(await recallOf(distances.slice(5), { change: 1 }), 0.5);
	assert.equal(await recallOf(distances, { generation: 99 }), undefined);
	// Which records matched at an earlier state, nobody knows.
	const node = filterOf("half");
	all.filters.set(JSON.stringify(node), (slot) => slot % 2 === 0);
	assert.equal(await recallOf(distances, { node, share: 0.5, change: 1 }), undefined);
	assert.ok((await recallOf(distances, { node, share: 0.5 })) !== undefined);
});

async function breached(all: Examined, target = 0.9): Promise<void> {
	const { collection, query } = all;
	for (let i = 0; i < 60; i++) {
		const found = await auditSearch(collection, auditOf(all, query(), [], { target }), () => {});
		if (found?.alarmed) return;
	}
	assert.fail("sixty audits that found nothing are no drop");
}

test("a drop voids every certificate of its cell and all queries from before; the exact search serves until it is certified anew", async (t) => {
	const all = await examined(t, { n: 1_000 });
	const { collection, queries } = all;
	collection.keep([...drawn(queries(500)), ...drawn(queries(500), { bands: [1], k: 1 })]);
	await work(all);
	assert.equal(cellAt(collection, 10)?.state, "certified");
	const { purges } = collection.table;
	await breached(all);
	assert.equal(collection.table.purges, purges + 1);
	const cell = cellAt(collection, 10);
	assert.deepEqual([cell?.state, cell?.rung, cell?.rungs], ["breached", null, []]);
	assert.equal(cellAt(collection, 1)?.state, "certified");
	assert.equal(collection.strata.get(`10/${UNFILTERED}`)?.queries.items.length, 0);
	// Held-out vectors do not make up for it.
	await askByHeldOut(collection, collection.searcher, queries(300), NO_LIMITS);
	assert.equal(cellAt(collection, 10)?.state, "breached");
	collection.keep(drawn(queries(700)));
	await work(all);
	assert.equal(cellAt(collection, 10)?.state, "certified");
	assert.equal(collection.strata.get(`10/${UNFILTERED}`)?.breach, undefined);
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

test("a drop that is found while a certification is under way ends it: queries from before it take nothing of the breach back", async (t) => {
	const all = await examined(t, { n: 1_000, spec: { recall: 0.99 } });
	const { collection, queries } = all;
	collection.keep(drawn(queries(1_400), { target: 0.99 }));
	const stratum = only(collection);
	let groups = 0;
	const between = async () => {
		if (++groups === 5) await breached(all, 0.99);
	};
	await collection.certify(stratum, { ...NO_LIMITS, between });
	assert.equal(groups, 5);
	assert.deepEqual([stratum.byQueries, stratum.queries.items.length], [undefined, 0]);
	assert.ok(stratum.breach !== undefined);
	assert.equal(cellAt(collection, 10, 0.99)?.state, "breached");
	await askByHeldOut(collection, collection.searcher, queries(300), NO_LIMITS);
	assert.equal(cellAt(collection, 10, 0.99)?.state, "breached");
});

test("a target that queries have not certified since the drop stays breached, also where a lower one is; the lower one is watched", async (t) => {
	const all = await examined(t, { n: 1_000 });
	const { collection, queries } = all;
	const stratum = collection.stratum(10, UNFILTERED);
	stratum.addTarget(0.5);
	stratum.addTarget(0.999);
	await breached(all);
	collection.keep(drawn(queries(120)));
	await collection.certify(stratum, NO_LIMITS, { confidence: 0.95 });
	assert.ok((stratum.byQueries?.asked as number) < 500);
	assert.equal(cellAt(collection, 10, 0.5)?.state, "certified");
	assert.equal(cellAt(collection, 10, 0.999)?.state, "breached");
	await askByHeldOut(collection, collection.searcher, queries(300), NO_LIMITS);
	assert.deepEqual([cellAt(collection, 10, 0.999)?.state, cellAt(collection, 10, 0.999)?.rung], ["breached", null]);
	await auditSearch(collection, auditOf(all, all.query(), [], { target: 0.5 }), () => {});
	assert.equal(stratum.detector(0.5).size, 1);
	await auditSearch(collection, auditOf(all, all.query(), [], { target: 0.999 }), () => {});
	assert.equal(stratum.detectors.get(0.999)?.size ?? 0, 0);
});

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
			await askByHeldOut(asked, asked.searcher, held, NO_LIMITS, slots.length);
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
		await askByHeldOut(collection, collection.searcher, vectors.slice(0, 400), NO_LIMITS);
		assert.deepEqual(collection.table.cells, []);
		const mixed = queries(400).flatMap((query, i) => [query, vectors[i] as StoredVector]);
		await askByHeldOut(collection, collection.searcher, mixed, NO_LIMITS);
		const asked = collection.stratum(10, UNFILTERED).byHeldOut?.asked as number;
		assert.ok(asked > 0 && asked <= 400, `${asked}`);
	});
}

test("what is asked of an index that does not serve yet is told when it does, and not before", async (t) => {
	const all = await examined(t, { n: 1_500 });
	const { collection, queries } = all;
	const anew = await all.next(true);
	const searcher = examinersSearcher(anew);
	await askByHeldOut(collection, searcher, queries(400), NO_LIMITS);
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
	await askByHeldOut(collection, collection.searcher, queries(300), NO_LIMITS);
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
