import assert from "node:assert/strict";
import { test } from "node:test";
import type { CollectionStats } from "@nigh/contract";
import { type Ladder, type Pilot, type PilotRun, settingsFor } from "./ladder.ts";

type Index = CollectionStats["effective"]["index"];

/** As much of the stats as settings are chosen by. */
function statsOf(index: Index, main: number): Pick<CollectionStats, "effective" | "index"> {
	return {
		effective: { index } as CollectionStats["effective"],
		index: { kind: index.kind, main, tail: 0, tombstones: 0 },
	};
}

const OPTIONS = { k: 10, goal: 0.99, searchWidth: true };
const run = (mean: number, rerank?: number): PilotRun => ({ mean, isExact: false, rerank });
const graph = statsOf({ kind: "hnsw", parameters: { ef: 40 } }, 5_000);
const ladderOf = async (stats: typeof graph, pilot: Pilot) => (await settingsFor(stats, OPTIONS, pilot)) as Ladder;
const cells = (kind: "ivf" | "ivfpq") => statsOf({ kind, parameters: { nlist: 64, nprobe: 8 } }, 5_000);

test("a graph's ladder begins where the pilot has found its goal, and ends at k, in steps of at most 1.1", async () => {
	const asked: number[] = [];
	const { settings, isWidest } = await ladderOf(graph, async ({ ef = 0 }) => {
		asked.push(ef);
		return run(ef >= 75 ? 0.995 : 0.9);
	});
	assert.equal(isWidest, false);
	assert.deepEqual([...new Set(asked)], [10, 20, 40, 80]);
	const widths = settings.map(({ ef }) => ef as number);
	assert.deepEqual([widths[0], widths.at(-1)], [80, 10]);
	for (const [at, width] of widths.entries()) {
		const next = widths[at + 1] ?? width;
		assert.ok(next <= width && (width <= 1.1 * next || width === next + 1), `${width}, then ${next}`);
	}
});

test("a graph that never comes to the goal is searched as widely as it has vectors, or as a search may be", async () => {
	const dearest = async (main: number) => {
		const stats = statsOf({ kind: "hnsw", parameters: {} }, main);
		const { settings, isWidest } = await ladderOf(stats, async () => run(0.5));
		assert.equal(isWidest, true);
		return settings[0]?.ef;
	};
	assert.equal(await dearest(300), 300);
	assert.equal(await dearest(1_000_000), 10_000);
	assert.equal(await dearest(4), 10, "never fewer than k");
});

test("cells are looked into until the goal is found, the arms of the tuner among them", async () => {
	const { settings, isWidest } = await ladderOf(cells("ivf"), async ({ nprobe = 0 }) =>
		run(nprobe >= 30 ? 0.995 : 0.9),
	);
	assert.deepEqual([settings[0], isWidest], [{ nprobe: 32 }, false]);
	assert.deepEqual(settings.at(-1), { nprobe: 1 });
	assert.ok(settings.some(({ nprobe, budget }) => nprobe === 5 && budget === 10_000));
	const all = await ladderOf(cells("ivf"), async () => run(0.9));
	assert.deepEqual([all.settings[0], all.isWidest], [{ nprobe: 64 }, true]);
});

test("where all cells are not enough, more candidates of codes are compared, and cells are counted anew", async () => {
	const mean = ({ nprobe = 0, rerank = 50 }) => (nprobe >= 12 ? 0.9 : 0.5) + (rerank >= 300 ? 0.095 : 0);
	const { settings, isWidest } = await ladderOf(cells("ivfpq"), async (setting) =>
		run(mean(setting), setting.rerank ?? 50),
	);
	assert.deepEqual([settings[0], isWidest], [{ nprobe: 16, rerank: 400 }, false]);
	assert.ok(settings.every(({ rerank }) => rerank === 400));
	const enough = await ladderOf(cells("ivfpq"), async ({ nprobe = 0 }) => run(nprobe >= 12 ? 1 : 0.5, 50));
	assert.deepEqual([enough.settings[0], enough.isWidest], [{ nprobe: 16 }, false]);
	const all = await ladderOf(cells("ivfpq"), async () => run(0.5, 50));
	assert.deepEqual([all.settings[0], all.isWidest], [{ nprobe: 64, rerank: 5_000 }, true]);
});

test("without widths, or where the cells are not told, there is one setting, which says nothing", async () => {
	for (const [stats, searchWidth] of [
		[graph, false],
		[cells("ivf"), false],
		[statsOf({ kind: "ivf", parameters: { lists: 9 } }, 5_000), true],
	] as const) {
		const ladder = await settingsFor(stats, { ...OPTIONS, searchWidth }, async () => run(0.9));
		assert.deepEqual(ladder, { settings: [{}], isWidest: !searchWidth });
	}
});

test("where the pilot was answered exactly there is nothing to choose", async () => {
	const exact = async () => ({ mean: 1, isExact: true, rerank: undefined });
	for (const stats of [graph, cells("ivf"), cells("ivfpq")]) {
		assert.equal(await settingsFor(stats, OPTIONS, exact), undefined);
		assert.equal(await settingsFor(stats, { ...OPTIONS, searchWidth: false }, exact), undefined);
	}
});
