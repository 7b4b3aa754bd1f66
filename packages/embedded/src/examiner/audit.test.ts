import assert from "node:assert/strict";
import { test } from "node:test";
import { UNFILTERED } from "@nigh/recall";
import type { Audit } from "../recall/queries.ts";
import { auditSearch } from "./audit.ts";
import {
	cellAt,
	drawn,
	type Examined,
	examined,
	filterOf,
	NO_LIMITS,
	only,
	type StoredVector,
	work,
} from "./examined.test-support.ts";
import { askByHeldOut } from "./held-out.ts";
import { Interrupted } from "./subject.ts";

function auditOf(
	{ collection }: Pick<Examined, "collection">,
	vector: StoredVector,
	distances: readonly number[],
	more: Partial<Audit> = {},
): Audit {
	const { handle, change } = collection.searcher.generation;
	const { target = 0.9 } = more;
	const process = cellAt(collection, 10, target)?.process ?? "";
	const at = { generation: handle.number, change, band: 10, process };
	return { vector, k: 10, node: undefined, share: undefined, target, distances, ...at, ...more };
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
	await askByHeldOut(collection, collection.searcher, queries(300), NO_LIMITS.check);
	assert.equal(cellAt(collection, 10)?.state, "breached");
	collection.keep(drawn(queries(700)));
	await work(all);
	assert.equal(cellAt(collection, 10)?.state, "certified");
	assert.equal(collection.strata.get(`10/${UNFILTERED}`)?.breach, undefined);
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
	await askByHeldOut(collection, collection.searcher, queries(300), NO_LIMITS.check);
	assert.equal(cellAt(collection, 10, 0.99)?.state, "breached");
});

test("a target that queries have not certified since the drop stays breached, also where a lower one is; the lower one is watched", async (t) => {
	const all = await examined(t, { n: 1_000 });
	const { collection, queries } = all;
	const stratum = collection.stratum(10, UNFILTERED);
	stratum.addTarget(0.5);
	stratum.addTarget(0.999);
	collection.keep(drawn(queries(400)));
	await work(all);
	await breached(all);
	collection.keep(drawn(queries(120)));
	await collection.certify(stratum, NO_LIMITS, { confidence: 0.95 });
	assert.ok((stratum.byQueries?.asked as number) < 500);
	assert.equal(cellAt(collection, 10, 0.5)?.state, "certified");
	assert.equal(cellAt(collection, 10, 0.999)?.state, "breached");
	await askByHeldOut(collection, collection.searcher, queries(300), NO_LIMITS.check);
	assert.deepEqual([cellAt(collection, 10, 0.999)?.state, cellAt(collection, 10, 0.999)?.rung], ["breached", null]);
	await auditSearch(collection, auditOf(all, all.query(), [], { target: 0.5 }), () => {});
	assert.equal(stratum.byQueries?.detectors.get(0.5)?.size, 1);
	await auditSearch(collection, auditOf(all, all.query(), [], { target: 0.999 }), () => {});
	assert.equal(stratum.byQueries?.detectors.has(0.999), false);
});

test("what a certificate has served says nothing of the one that is made after it", async (t) => {
	const all = await examined(t, { n: 1_000 });
	const { collection, owned, query, queries } = all;
	collection.keep(drawn(queries(500)));
	await work(all);
	const stratum = only(collection);
	const before = stratum.byQueries;
	const audit = (process: string | undefined) =>
		auditSearch(collection, auditOf(all, query(), [], { ...(process !== undefined && { process }) }), () => {});
	for (let i = 0; i < 5; i++) assert.equal((await audit(before?.id))?.alarmed, false);
	assert.equal(before?.detectors.get(0.9)?.size, 5);
	for (let slot = 0; slot < 200; slot++) owned.generation.kill(slot, 2);
	owned.generation.publish(2);
	// It goes on being watched as long as it serves.
	const onQuery = (done: number) => {
		if (done === 3) throw new Interrupted("enough");
	};
	await assert.rejects(collection.certify(stratum, { ...NO_LIMITS, onQuery }), Interrupted);
	assert.equal(cellAt(collection, 10)?.process, before?.id);
	await audit(before?.id);
	assert.equal(before?.detectors.get(0.9)?.size, 6);
	await work(all);
	const after = stratum.byQueries;
	assert.notEqual(after, before);
	assert.equal(cellAt(collection, 10)?.state, "certified");
	for (let i = 0; i < 100; i++) {
		assert.deepEqual(await audit(before?.id), { recall: 0, alarmed: false });
		assert.deepEqual(await audit("another"), { recall: 0, alarmed: false });
	}
	assert.equal(stratum.breach, undefined);
	assert.equal(after?.detectors.size, 0);
	await audit(after?.id);
	assert.equal(after?.detectors.get(0.9)?.size, 1);
});
