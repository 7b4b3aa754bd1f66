import assert from "node:assert/strict";
import { test } from "node:test";
import { type CellsRung, type GraphRung, pilotGoal } from "@nigh/recall";
import { examined, HNSW } from "./examined.test-support.ts";
import { ladderWithoutPilot, placeLadder } from "./place-ladder.ts";
import { Interrupted, Subject } from "./subject.ts";
import { TimedPilot } from "./timed-pilot.ts";

const CELLS = (["ivf", "ivfpq", "ivfrabitq"] as const).map((kind) => ({ kind, storage: "memory" as const }));

test("a graph's ladder goes from beyond where the pilot finds enough down to k, in steps of a tenth", async (t) => {
	const { collection, queries } = await examined(t, { n: 1_500 });
	const subject = new Subject(collection.searcher, () => {});
	const pilot = queries(60);
	for (const [k, target] of [
		[1, 0.9],
		[10, 0.9],
		[10, 0.99],
	] as const) {
		const ladder = (await placeLadder(subject, pilot, k, target)) as GraphRung[];
		const efs = ladder.map(({ ef }) => ef);
		assert.equal(efs.at(-1), k);
		for (const [i, ef] of efs.entries()) {
			const before = efs[i - 1];
			assert.ok(before === undefined || (ef < before && ef >= Math.min(before - 1, before / 1.1)), `${efs}`);
		}
		// All of them end early, or none does.
		assert.equal(new Set(ladder.map(({ patience }) => patience === undefined)).size, 1);
		// Eight times as wide as that, since a pilot is small.
		const timed = await TimedPilot.of(subject, pilot, k);
		const mean = await timed.meanOf({ kind: "graph", ef: (efs[0] as number) / 8 });
		assert.ok(mean >= pilotGoal(target), `${mean}`);
	}
});

for (const wanted of CELLS) {
	test(`the ladder of ${wanted.kind} begins with no more cells than there are, and each rung scans no more than the one before`, async (t) => {
		const { collection, queries } = await examined(t, { wanted, dimensions: 32, n: 1_100 });
		const { searcher } = collection;
		const { main } = searcher.area;
		assert.ok(main !== null && main.kind !== "hnsw");
		const { nlist } = main.reader;
		const placed = (await placeLadder(new Subject(searcher, () => {}), queries(40), 10, 0.95)) as CellsRung[];
		for (const ladder of [placed, ladderWithoutPilot(searcher, 10) as CellsRung[]]) {
			const scanned = ladder.map(({ nprobe, budget = Number.POSITIVE_INFINITY }) =>
				Math.min((nprobe * 1_100) / nlist, budget),
			);
			assert.ok(ladder.length > 0 && (ladder[0] as CellsRung).nprobe <= nlist);
			assert.ok(scanned.every((rows, i) => i === 0 || rows <= (scanned[i - 1] as number)));
			// What is compared by its vectors is the same on every rung.
			assert.equal(new Set(ladder.map(({ rerank }) => rerank)).size, 1);
		}
	});
}

test("of what nothing matches a pilot tells nothing, and all that is asked of it is answered", async (t) => {
	const { collection, queries } = await examined(t, { n: 400 });
	const { area, generation } = collection.searcher;
	new Uint32Array(generation.handle.memory.buffer, area.bitmaps, area.bitmapBytes / 4).fill(0);
	const matches = { bitmap: area.bitmaps, count: 0, change: 1 };
	const subject = new Subject(collection.searcher, () => {}, { matches, change: 1 });
	const pilot = await TimedPilot.of(subject, queries(20), 10);
	assert.equal(await pilot.meanOf({ kind: "graph", ef: 10 }), 1);
	assert.ok((await placeLadder(subject, queries(20), 10, 0.95)).length > 0);
});

test("placing ends where it is not wanted any more", async (t) => {
	const { collection, queries } = await examined(t, { wanted: HNSW, n: 1_000 });
	const subject = new Subject(collection.searcher, () => {
		throw new Interrupted("enough");
	});
	await assert.rejects(placeLadder(subject, queries(128), 10, 0.999), Interrupted);
});
