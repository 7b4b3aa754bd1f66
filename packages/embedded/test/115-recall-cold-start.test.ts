// Before anybody has searched: vectors that wait outside the index tell what fresh queries will find. Asking for stored vectors "except themselves"
// tells more than is true.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { CollectionSpec } from "@nigh/contract";
import { assertKept, Examined, meanOf, measured, spreadOut } from "./recall.test-support.ts";

const TARGET = 0.5;
const DIMENSIONS = 48;
/** A graph of few links among vectors without any structure: that is where it shows. */
const SPEC: CollectionSpec = {
	dimensions: DIMENSIONS,
	metric: "l2",
	recall: TARGET,
	index: { kind: "hnsw", M: 8, efConstruction: 40 },
};
const ASKED = 600;

test("held-out vectors tell the recall of fresh queries, and stored ones except themselves overstate it", async (t) => {
	const source = spreadOut(61, { dimensions: DIMENSIONS });
	const examined = await Examined.filled(t, { spec: SPEC, source, records: 4_500 });
	const { collection, oracle } = examined;
	const [cell] = await examined.cells(10);
	assert.deepEqual([cell?.state, cell?.basis, cell?.target], ["provisional", "heldout", TARGET]);
	assert.equal(cell?.changeNumber, 5);
	// As long as there are no queries, which go before them.
	const [known] = (await collection.certify({ k: 10 })).cells;
	assert.equal(known?.statement.basis, "heldout");
	const provisional = await examined.check(100);
	for (const { recall } of provisional) assert.deepEqual(recall, cell);
	assertKept(measured(provisional), TARGET, "provisional");

	// The one that all held-out vectors have been asked with: what passes soon is rather better by chance.
	const most = known.measured.reduce((a, b) => (b.queries > a.queries ? b : a));
	assert.ok(most.queries >= 200, `${most.queries} held-out vectors`);
	const { ef } = most.setting as { ef: number };
	const fresh = measured(await examined.check(ASKED, { ef }));
	const stored: number[] = [];
	const ids = [...oracle.rows.keys()];
	for (let i = 0; i < ASKED; i++) {
		const id = ids[(i * 7) % ids.length] as string;
		const { hits } = await collection.search({ id, k: 10, ef });
		const vector = Float32Array.from((oracle.rows.get(id) as { vector: Float64Array }).vector);
		// Of the ten there are, nine are others.
		const found = 10 * oracle.recallOf(vector, 10, hits);
		stored.push((hits.some((hit) => hit.id === id) ? found - 1 : found) / 9);
	}
	const [fromStored, fromFresh] = [meanOf(stored), meanOf(fresh)];
	assert.ok(fromStored > fromFresh + 0.06, `stored ones find ${fromStored}, fresh ones ${fromFresh}`);
	// Walks that end early find a little less, and nobody can ask for those.
	const slack = most.endsEarly ? 0.08 : 0.04;
	assert.ok(Math.abs(most.mean - fromFresh) < slack, `held-out ones find ${most.mean}, fresh ones ${fromFresh}`);
	assert.ok(most.mean < (fromStored + fromFresh) / 2);
});
