import assert from "node:assert/strict";
import { test } from "node:test";
import { NighError } from "@nigh/contract";
import type { CollectionCore } from "../core.ts";
import { smallGeneration } from "../memory/generations.test-support.ts";
import { cellFor, tableFor } from "../recall/served.test-support.ts";
import { coreOf } from "./core.test-support.ts";
import { resetTuning, tune, tuneStats } from "./tune.ts";

/** A collection of whose index "first" something is known, and what its examiner was asked. Only that of "first" has it open. */
async function known() {
	const asked: string[] = [];
	const core = await coreOf({ dimensions: 4, metric: "l2", latencyMs: 1 });
	const serves = (identity: string | undefined, number: number) => {
		const { handle, area } = smallGeneration();
		const generation = { ...handle, number, ...(identity !== undefined && { identity: { id: identity, offset: 0 } }) };
		core.install({ key: 1, generation, areas: { caller: area, worker: area } });
	};
	const examiner = {
		async call(method: string) {
			asked.push(method);
			if (core.searcher?.generation.handle.identity?.id === "first") return [];
			throw new NighError("CLOSED", "open it again");
		},
	};
	Object.assign(core.database.threads, { examiner });
	core.recall.take(tableFor([cellFor()]));
	for (const { bandit } of core.recall.tunedCells)
		for (const { arm } of bandit.records) assert.ok(bandit.credit(arm, 50));
	return { core, serves, asked };
}

function cellsOf(core: CollectionCore): number {
	return tuneStats(core).cells.length;
}

test("what was learned is told of the index that it was learned of, measured, and written down", async () => {
	const { core, serves, asked } = await known();
	serves("first", 1);
	assert.equal(cellsOf(core), 1);
	const { tooSlow } = await tune(core, {});
	assert.equal(tooSlow.length, 1);
	await resetTuning(core);
	assert.deepEqual(asked, ["sample", "tuned", "tuned"]);
	assert.equal(tuneStats(core).totalPulls, 0);
});

for (const [what, identity] of [
	["without an index", undefined],
	["with another index", "second"],
] as const) {
	test(`a collection ${what} has nothing to tune, and nobody is asked`, async () => {
		const { core, serves, asked } = await known();
		serves("first", 1);
		serves(identity, 2);
		const { live } = core.spec.tuner;
		const stats = tuneStats(core);
		assert.deepEqual([stats.cells, stats.totalPulls, stats.latencyMs, stats.live], [[], 0, 1, live]);
		assert.deepEqual(await tune(core, {}), { changed: 0, before: null, after: null, tooSlow: [] });
		await resetTuning(core);
		assert.deepEqual(asked, []);
	});
}
