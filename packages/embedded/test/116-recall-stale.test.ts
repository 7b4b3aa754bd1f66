// A certificate speaks of the index that it was measured on: where much has changed it is stale, and of another index it says nothing.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { CollectionSpec } from "@nigh/contract";
import { assertKept, type Checked, clustered, Examined, measured, states, untilTold } from "./recall.test-support.ts";

const TARGET = 0.95;
const SPEC: CollectionSpec = { dimensions: 32, metric: "l2", recall: TARGET, index: { kind: "hnsw" } };

async function certified(t: TestContext, seed: number, spec = SPEC): Promise<Examined> {
	const examined = await Examined.filled(t, { spec, source: clustered(seed), records: 5_000 });
	await examined.certified();
	return examined;
}

/** No answer may call itself certified by what was found out before a change. */
function checkNew(results: readonly Pick<Checked, "recall">[], change: number): void {
	for (const { recall } of results) {
		const { state, changeNumber } = recall;
		assert.ok(["exact", "provisional", "stale", "certified"].includes(state), state);
		if (state === "certified") assert.ok((changeNumber as number) >= change, `${changeNumber} is before ${change}`);
	}
}

/** Searches until answers are certified by what was found out after a change, and checks these. */
async function certifiedAnew(examined: Examined, change: number): Promise<void> {
	const isNew = async () =>
		(await examined.cells(10)).some(
			({ state, changeNumber }) => state === "certified" && (changeNumber as number) >= change,
		);
	while (!(await isNew())) checkNew(await examined.check(50), change);
	const later = await examined.check(400);
	assert.deepEqual(states(later), { certified: 400 });
	checkNew(later, change);
	assertKept(measured(later), TARGET, "certified anew");
}

test("with a tenth more a certificate holds, with more than that it is stale until it has been made anew", async (t) => {
	// Without a log there are no queries to certify anew by, until others come.
	const examined = await certified(t, 71, { ...SPEC, logQueries: false });
	const before = (await examined.cells(10))[0]?.changeNumber as number;
	await examined.insert(300);
	await examined.collection.optimize();
	const [still] = await examined.search(1);
	assert.deepEqual([still?.recall.state, still?.recall.changeNumber], ["certified", before]);
	await examined.insert(500);
	await examined.collection.optimize();
	const [first] = await examined.search(1);
	assert.deepEqual([first?.recall.state, first?.recall.changeNumber], ["stale", before]);
	assert.ok((first?.recall.queries as number) > 0);
	assert.equal((await examined.cells(10))[0]?.state, "stale");
	await certifiedAnew(examined, first?.changeNumber as number);
});

test("where queries are kept it is made anew by them, without waiting for others", async (t) => {
	const examined = await certified(t, 72);
	await examined.insert(1_000);
	await examined.collection.optimize();
	const [{ changeNumber: change } = { changeNumber: 0 }] = await examined.search(70);
	await untilTold(
		async () =>
			(await examined.cells(10)).some(
				({ state, changeNumber }) => state === "certified" && (changeNumber as number) >= change,
			),
		"it is certified anew",
	);
	await certifiedAnew(examined, change);
});

test("deletes make it stale as well, and where half has gone nothing of it serves", async (t) => {
	const examined = await certified(t, 73);
	const ids = [...examined.oracle.rows.keys()];
	await examined.delete(ids.slice(0, 3_000));
	const [first] = await examined.check(1);
	assert.notEqual(first?.recall.state, "certified");
	assert.notEqual(first?.recall.state, "stale");
	assertKept(measured(await examined.check(100)), TARGET, "after half has gone");
	await certifiedAnew(examined, first?.changeNumber as number);
});

test("of an index that is built anew, nothing is known but what it has been asked", async (t) => {
	const examined = await certified(t, 74);
	const at = (await examined.search(1))[0]?.recall.certifiedAt as number;
	const { changeNumber } = await examined.collection.rebuild({ M: 12 });
	const found = await examined.check(100);
	for (const { recall } of found) {
		assert.ok(["exact", "provisional", "certified"].includes(recall.state), recall.state);
		if (recall.state !== "exact") assert.ok((recall.certifiedAt as number) >= at, "it is of the new one");
	}
	assertKept(measured(found), TARGET, "after a rebuild");
	// The queries stay: they had no part in building it.
	await untilTold(async () => (await examined.cells(10)).some(({ state }) => state === "certified"), "it is certified");
	await certifiedAnew(examined, changeNumber);
});
