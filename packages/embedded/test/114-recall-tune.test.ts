// The tuner chooses among the certified settings, and among nothing else.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { CollectionSpec, SearchPlan } from "@nigh/contract";
import { assertKept, clustered, Examined, measured, states } from "./recall.test-support.ts";

const TARGET = 0.95;
const GRAPH: CollectionSpec = { dimensions: 32, metric: "l2", recall: TARGET, index: { kind: "hnsw" } };
const CELLS: CollectionSpec = { ...GRAPH, index: { kind: "ivf", nlist: 64 } };

async function certified(t: TestContext, seed: number, spec: CollectionSpec, records = 4_000): Promise<Examined> {
	const examined = await Examined.filled(t, { spec, source: clustered(seed), records });
	const queries = Array.from({ length: 1_000 }, () => examined.source());
	const { statements } = await examined.collection.certify({ queries });
	assert.equal(statements[0]?.state, "certified");
	return examined;
}

/** What is known of searches for ten. */
async function arms({ collection }: Examined) {
	const { cells } = await collection.tune.stats();
	const cell = cells.find(({ cell }) => cell.k.to === 10);
	assert.ok(cell !== undefined);
	return cell;
}

test("tune() measures the arms of a graph, remembers them beyond closing, and forgets them when told to", async (t) => {
	const examined = await certified(t, 51, GRAPH);
	const before = await arms(examined);
	assert.ok(before.arms.length >= 1 && before.arms.length <= 3, `${before.arms.length} arms`);
	for (const { arm, setting, pulls, averageLatencyMs } of before.arms) {
		assert.match(arm, /^ef \d+/);
		assert.ok((setting?.ef as number) >= 10);
		assert.deepEqual([pulls, averageLatencyMs], [0, null]);
	}
	// As long as nobody has measured, the cheapest serves, and searches teach nothing.
	assert.equal(before.serving, before.arms.at(-1)?.arm);
	await examined.search(20);
	assert.equal((await examined.collection.tune.stats()).totalPulls, 0);

	const told: number[] = [];
	const report = await examined.collection.tune({ onProgress: (done, total) => void told.push(done / total) });
	assert.ok(told.length > 2 && told.at(-1) === 1, told.join());
	assert.ok(
		told.every((share, at) => share > (told[at - 1] ?? -1)),
		told.join(),
	);
	assert.ok((report.before as number) > 0 && (report.after as number) > 0, JSON.stringify(report));
	assert.deepEqual(report.tooSlow, []);
	const after = await arms(examined);
	for (const { pulls, totalReward, averageReward, averageLatencyMs } of after.arms) {
		assert.ok(pulls > 0);
		assert.ok(Math.abs(averageReward - totalReward / pulls) < 1e-6 * averageReward);
		assert.ok(Math.abs((averageLatencyMs as number) - 1_000 / averageReward) < 1e-9);
	}
	assert.ok(after.arms.some(({ arm }) => arm === after.serving));
	const best = after.arms.toSorted((a, b) => b.averageReward - a.averageReward)[0];
	assert.equal(after.serving, best?.arm);
	for (const { plan } of await examined.search(20)) assert.equal(plan.ef, best?.setting?.ef);

	await examined.reopen();
	assert.deepEqual(await arms(examined), after);
	await examined.collection.tune.reset();
	const forgotten = await arms(examined);
	assert.deepEqual(
		forgotten.arms.map(({ arm, pulls }) => [arm, pulls]),
		after.arms.map(({ arm }) => [arm, 0]),
	);
	await examined.reopen();
	assert.deepEqual(await arms(examined), forgotten);
});

const NAMED: Readonly<Record<string, object>> = {
	ivf_conservative: { nprobe: 5, budget: 10_000 },
	ivf_balanced: { nprobe: 10, budget: 50_000 },
	ivf_aggressive: { nprobe: 20, budget: 100_000 },
};

test("cells have the arms flat, ivf_conservative, ivf_balanced and ivf_aggressive, as far as these are certified", async (t) => {
	const examined = await certified(t, 52, CELLS);
	const { arms: all } = await arms(examined);
	assert.deepEqual([all[0]?.arm, all[0]?.setting], ["flat", null]);
	const { cells } = await examined.collection.certify({ k: 10 });
	const passed = new Set(
		cells[0]?.measured.filter((each) => each.certified).map(({ setting }) => JSON.stringify(setting)),
	);
	for (const { arm, setting } of all.slice(1)) {
		assert.ok(passed.has(JSON.stringify(setting)), `${arm} is certified`);
		if (arm in NAMED) assert.deepEqual(setting, NAMED[arm]);
		else assert.match(arm, /^nprobe \d+/);
	}
	// Those that were measured and are not certified are no arms.
	for (const [arm, setting] of Object.entries(NAMED)) {
		const isCertified = passed.has(JSON.stringify(setting));
		assert.equal(
			all.some((each) => each.arm === arm),
			isCertified,
			arm,
		);
	}
	await examined.collection.tune();
	for (const { arm, pulls } of (await arms(examined)).arms) assert.ok(pulls > 0, arm);
	const found = await examined.check(200);
	assertKept(measured(found), TARGET, "tuned");
});

for (const algorithm of ["epsilon-greedy", "ucb1"] as const) {
	test(`searches that explore live by ${algorithm} are served by certified settings alone`, async (t) => {
		const tuner = { algorithm, live: true, epsilon: 0.5 } as const;
		const examined = await certified(t, 53, { ...CELLS, tuner });
		const settings = (await arms(examined)).arms.map(({ arm, setting }) => [arm, setting] as const);
		const nameOf = ({ strategy, nprobe }: SearchPlan) =>
			settings.find(([, setting]) =>
				setting === null ? strategy === "scan" : strategy === "index" && setting.nprobe === nprobe,
			)?.[0];
		const found = await examined.check(600);
		const names = found.map(({ plan }) => nameOf(plan));
		for (const [i, { plan }] of found.entries()) assert.ok(names[i] !== undefined, JSON.stringify(plan));
		assert.ok(new Set(names).size > 1, `it has tried ${[...new Set(names)]}`);
		for (const state of Object.keys(states(found))) assert.ok(["certified", "exact"].includes(state), state);
		assertKept(measured(found), TARGET, `live, ${algorithm}`);
		const stats = await examined.collection.tune.stats();
		assert.deepEqual([stats.algorithm, stats.live, stats.epsilon], [algorithm, true, 0.5]);
		assert.ok(stats.totalPulls > 0 && stats.totalPulls <= 600, `${stats.totalPulls} pulls`);
	});
}

test("settings of the spec go before those that were stored", async (t) => {
	const examined = await certified(t, 54, { ...GRAPH, tuner: { algorithm: "ucb1", live: true } });
	await examined.collection.tune();
	const { totalPulls } = await examined.collection.tune.stats();
	assert.ok(totalPulls > 0);
	await examined.database.close();
	await examined.open();
	const stored = await examined.collection.tune.stats();
	assert.deepEqual([stored.algorithm, stored.live, stored.totalPulls], ["ucb1", true, totalPulls]);
	const given = await examined.database.collection("notes", {
		...GRAPH,
		tuner: { algorithm: "epsilon-greedy", epsilon: 0.3, live: false },
	});
	const { algorithm, live, epsilon, totalPulls: kept } = await given.tune.stats();
	assert.deepEqual([algorithm, live, epsilon, kept], ["epsilon-greedy", false, 0.3, totalPulls]);
});

test("a small set is compared as a whole, whatever is tuned", async (t) => {
	const spec: CollectionSpec = { ...GRAPH, index: "auto", tuner: { live: true } };
	const examined = await Examined.filled(t, { spec, source: clustered(55), records: 500 });
	for (const { recall, plan, measured } of await examined.check(100)) {
		assert.deepEqual([recall.state, plan.strategy, measured], ["exact", "scan", 1]);
	}
	assert.deepEqual(await examined.collection.tune(), { changed: 0, before: null, after: null, tooSlow: [] });
	assert.deepEqual((await examined.collection.tune.stats()).cells, []);
});

test("a latency that cannot be kept beside the recall is told, and the recall goes first", async (t) => {
	const examined = await certified(t, 56, { ...GRAPH, latencyMs: 0.001 });
	const { tooSlow } = await examined.collection.tune();
	const cell = tooSlow.find(({ cell }) => cell.k.to === 10);
	assert.ok(cell !== undefined && cell.meanMs > 0.001);
	assert.equal((await arms(examined)).keepsLatency, false);
	const reason = (await examined.collection.health()).reasons.find(({ code }) => code === "recall-too-slow");
	assert.match(reason?.message ?? "", /searches for k = 10 that keeps a recall of 0\.95/);
	const found = await examined.check(200);
	assert.deepEqual(states(found), { certified: 200 });
	assertKept(measured(found), TARGET, "too slow");
	await examined.database.collection("notes", { ...GRAPH, latencyMs: 10_000 });
	assert.deepEqual((await examined.collection.tune()).tooSlow, []);
	assert.equal((await arms(examined)).keepsLatency, true);
	assert.ok(!(await examined.collection.health()).reasons.some(({ code }) => code === "recall-too-slow"));
	await examined.database.collection("notes", { ...GRAPH, latencyMs: null });
	assert.deepEqual(
		[(await arms(examined)).keepsLatency, (await examined.collection.tune.stats()).latencyMs],
		[null, null],
	);
});
