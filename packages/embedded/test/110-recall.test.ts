// The promise: once searches are certified, the mean recall of those that come after is what was asked for; until then, answers say what they are.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { CollectionSpec, RecallStatement } from "@nigh/contract";
import { holdOut } from "../src/workers/hold-out.ts";
import {
	assertKept,
	clustered,
	clusteredBits,
	Examined,
	measured,
	type Source,
	states,
	untilTold,
	type Vector,
} from "./recall.test-support.ts";

const TARGET = 0.95;

interface Case {
	readonly name: string;
	readonly spec: CollectionSpec;
	readonly source: Source;
}

const L2 = { dimensions: 32, metric: "l2", recall: TARGET } as const;
const GRAPH: CollectionSpec = { ...L2, index: { kind: "hnsw" } };

const CASES: readonly Case[] = [
	{ name: "a graph", spec: GRAPH, source: clustered(1) },
	{ name: "a graph of directions", spec: { ...GRAPH, metric: "cosine" }, source: clustered(2) },
	{
		name: "a graph of bits",
		spec: { dimensions: 128, type: "bit", recall: TARGET, index: { kind: "hnsw" } },
		source: clusteredBits(3, 128),
	},
	{ name: "cells", spec: { ...L2, index: { kind: "ivf" } }, source: clustered(4) },
	{ name: "cells on disk", spec: { ...L2, index: { kind: "ivf", storage: "disk" } }, source: clustered(5) },
	{ name: "product codes", spec: { ...L2, index: { kind: "ivfpq", M: 8 } }, source: clustered(6) },
	{ name: "codes of a bit", spec: { ...L2, index: { kind: "ivfrabitq" } }, source: clustered(7) },
];

for (const { name, spec, source } of CASES) {
	test(`${name}: what is certified keeps its recall, and what comes before says that it is exact or provisional`, async (t) => {
		const examined = await Examined.filled(t, { spec, source, records: 6_000 });
		const first = await examined.check(100);
		const before = { exact: 0, provisional: 0, ...states(first) };
		assert.equal(before.exact + before.provisional, 100, JSON.stringify(before));
		assertKept(measured(first), TARGET, `${name}, before anything was certified by queries`);
		for (const { recall, plan } of first) checkBefore(recall, plan.strategy);
		const meanwhile = Object.keys(states(await examined.certified()));
		for (const state of meanwhile) assert.ok(["exact", "provisional", "certified"].includes(state), state);
		const later = await examined.check(600);
		assert.deepEqual(states(later), { certified: 600 });
		assertKept(measured(later), TARGET, name);
		for (const { plan } of later) assert.equal(plan.strategy, "index");
		const { collection, oracle } = examined;
		const now = Date.now();
		for (const { recall, changeNumber } of later) {
			const { estimate, queries, certifiedAt, ...rest } = recall;
			assert.deepEqual(rest, {
				target: TARGET,
				state: "certified",
				basis: "queries",
				confidence: 0.95,
				cell: { k: { from: 10, to: 10 }, selectivity: { from: 1, to: 1 }, target: TARGET },
				changeNumber,
			});
			assert.ok(
				estimate !== null && estimate >= TARGET - 0.01 && estimate <= 1,
				`${estimate} of those that have passed`,
			);
			// 82 recalls of 1 are not enough for 0.95: see BettingTest.
			assert.ok(queries > 82 && queries <= 1_900, `${queries} queries`);
			assert.ok(certifiedAt !== null && certifiedAt <= now && certifiedAt > now - 600_000);
		}
		const { recall } = await collection.stats();
		assert.ok(recall.some((cell) => cell.state === "certified" && cell.cell?.k.to === 10));
		assert.equal(await collection.count(), oracle.rows.size);
	});
}

/** A statement of a search that no queries have certified yet. */
function checkBefore({ state, basis, estimate, queries, confidence, cell }: RecallStatement, strategy: string): void {
	if (state === "exact") {
		assert.deepEqual([strategy, estimate, basis, queries, cell], ["scan", 1, null, 0, null]);
		return;
	}
	assert.deepEqual([strategy, basis, confidence], ["index", "heldout", 0.95]);
	assert.ok(queries > 82);
	assert.deepEqual(cell, { k: { from: 10, to: 10 }, selectivity: { from: 1, to: 1 }, target: TARGET });
}

test("an index takes in what was held out of it, those before all others in it too", async (t) => {
	let records = 3_100;
	// The first of all is never held out.
	while (!holdOut(records).heldOut.includes(1)) records++;
	const examined = await Examined.filled(t, { spec: GRAPH, source: clustered(12), records });
	await examined.collection.rebuild();
	const { index } = await examined.collection.stats();
	assert.deepEqual([index.main, index.tail], [records, 0]);
	for (const { recall } of await examined.check(20)) assert.equal(recall.state, "provisional");
});

describe("one collection that is asked in many ways", () => {
	const examined = new Examined({ spec: GRAPH, source: clustered(11) });

	before(() => examined.fill());
	after(() => examined.place.remove());

	test("a search that is to be exact is, and one of a width of its own is uncertified, whatever is certified", async () => {
		await examined.certified();
		for (const asking of [{ exact: true }, { recall: 1 }, { recall: 0.9995 }]) {
			for (const { recall, plan, measured } of await examined.check(20, asking)) {
				assert.deepEqual([recall.state, recall.estimate, recall.cell, plan.strategy], ["exact", 1, null, "scan"]);
				assert.equal(recall.target, asking.recall ?? TARGET);
				assert.equal(measured, 1);
			}
		}
		for (const { recall, plan } of await examined.check(20, { ef: 40 })) {
			assert.equal(plan.ef, 40);
			const unknown = {
				estimate: null,
				basis: null,
				confidence: null,
				cell: null,
				changeNumber: null,
				certifiedAt: null,
			};
			assert.deepEqual(recall, { target: TARGET, state: "uncertified", ...unknown, queries: 0 });
		}
	});

	test("a recall that a search asks for is rounded up to the grid, and kept", async () => {
		const rounded = new Map([
			[0.5, 0.5],
			[0.81, 0.85],
			[0.901, 0.92],
			[0.987, 0.99],
		]);
		for (const [recall, target] of rounded) {
			// A certificate for more holds for less, which nobody has looked at yet.
			for (const { recall: said } of await examined.search(5, { recall })) {
				assert.equal(said.target, recall);
				if (said.state === "certified") assert.ok((said.cell?.target as number) >= target);
				else assert.equal(said.state, "exact");
			}
			await examined.certified({ recall });
		}
		const efs: number[] = [];
		for (const [recall, target] of rounded) {
			const found = await examined.check(400, { recall });
			for (const { recall: said } of found) {
				assert.deepEqual([said.state, said.target, said.cell?.target], ["certified", recall, target]);
			}
			assertKept(measured(found), recall, `searches that ask for ${recall}`);
			efs.push(found[0]?.plan.ef as number);
		}
		assert.deepEqual(
			efs,
			efs.toSorted((a, b) => a - b),
			"what asks for more is searched no less widely",
		);
		assert.ok((efs[0] as number) < (efs.at(-1) as number));
	});

	test("a k between two bands is held to both", async () => {
		for (const [k, from, to] of [
			[5, 1, 10],
			[30, 10, 100],
		] as const) {
			for (const { recall } of await examined.search(5, { k }))
				assert.ok(["exact", "provisional", "certified"].includes(recall.state));
			// Each of them counts for both bands.
			await examined.certified({ k }, { band: to });
			await untilTold(async () => (await examined.search(1, { k }))[0]?.recall.state === "certified", `k = ${k}`);
			const found = await examined.check(400, { k });
			for (const { recall } of found) {
				assert.deepEqual([recall.state, recall.cell?.k, recall.cell?.target], ["certified", { from, to }, TARGET]);
			}
			assertKept(measured(found), TARGET, `k = ${k}`);
		}
	});

	test("filters have certificates of their own, by how much they let through", async () => {
		for (const [below, band] of [
			[700, { from: 0.5, to: 1 }],
			[70, { from: 0.05, to: 0.1 }],
		] as const) {
			const before = await examined.check(20, { below });
			assert.deepEqual(states(before), { exact: 20 });
			assert.deepEqual(new Set(measured(before)), new Set([1]));
			await examined.certified({ below });
			const found = await examined.check(400, { below });
			for (const { recall, plan } of found) {
				assert.ok(recall.state === "certified" || plan.strategy === "filtered-scan", JSON.stringify(recall));
				if (recall.state === "certified") assert.deepEqual(recall.cell?.selectivity, band);
			}
			assertKept(measured(found), TARGET, `filters of ${below / 1_000}`);
		}
	});

	test("a hybrid search says what holds for its near ones, and one of many says what it says by itself", async () => {
		const ask = () => ({ vector: examined.source(), text: "word3" });
		const { recall: early } = await examined.collection.search(ask());
		assert.ok(["exact", "provisional", "certified"].includes(early.state));
		for (let i = 0; i < 1_200; i++) await examined.collection.search(ask());
		await untilTold(
			async () => (await examined.collection.search(ask())).recall.state === "certified",
			"hybrid searches",
		);
		const { recall, plan } = await examined.collection.search(ask());
		// Its leg looks for four times as many, and for a hundred at least.
		assert.deepEqual([recall.cell?.k, plan.strategy], [{ from: 100, to: 100 }, "index"]);

		const requests = Array.from({ length: 50 }, (_, i) => ({ vector: examined.source(), k: 10, exact: i % 2 === 1 }));
		const results = await examined.collection.searchMany(requests);
		results.forEach((result, i) => {
			assert.equal(result.recall.state, i % 2 === 1 ? "exact" : "certified");
			assert.deepEqual(result.recall.cell?.k, i % 2 === 1 ? undefined : { from: 10, to: 10 });
		});
		const recalls = results.map(({ hits }, i) => examined.oracle.recallOf(requests[i]?.vector as Vector, 10, hits));
		assertKept(
			recalls.filter((_, i) => i % 2 === 0),
			TARGET,
			"searchMany",
		);
	});
});
