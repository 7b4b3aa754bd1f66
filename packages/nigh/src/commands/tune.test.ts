import assert from "node:assert/strict";
import { test } from "node:test";
import type { Collection, ProgressOptions, TuneReport, TuneStats } from "@nigh/contract";
import { type TuneVerb, tune } from "./tune.ts";

const CELL = { k: { from: 10, to: 10 }, selectivity: { from: 1, to: 1 }, target: 0.95 };
const REPORT: TuneReport = { changed: 2, before: 1.25, after: 0.5, tooSlow: [] };
const STATS: TuneStats = {
	...{ algorithm: "epsilon-greedy", epsilon: 0.1, decay: 0.999, live: true, totalPulls: 1_300, latencyMs: 2 },
	cells: [
		{
			cell: CELL,
			arms: [
				{
					arm: "flat",
					setting: null,
					endsEarly: false,
					pulls: 0,
					totalReward: 0,
					averageReward: 0,
					averageLatencyMs: null,
				},
				{
					...{ arm: "ivf_balanced", setting: { nprobe: 10, budget: 50_000 }, endsEarly: false },
					...{ pulls: 1_300, totalReward: 1_300_000, averageReward: 1_000, averageLatencyMs: 1 },
				},
			],
			serving: "ivf_balanced",
			keepsLatency: true,
		},
	],
};

async function run(verb: TuneVerb, { report = REPORT, stats = STATS, json = false } = {}) {
	const lines: string[] = [];
	const called: string[] = [];
	const collection = {
		name: "notes",
		tune: Object.assign(
			async ({ signal, onProgress }: ProgressOptions = {}) => {
				called.push(signal === undefined ? "tune" : "tune with a signal");
				onProgress?.(1, 4);
				return report;
			},
			{
				stats: async () => {
					called.push("stats");
					return stats;
				},
				reset: async () => void called.push("reset"),
			},
		),
	} as unknown as Collection;
	const drawn: string[] = [];
	const stream = { isTTY: true, write: (text: string) => drawn.push(text) };
	const terminal = { print: (line: string) => lines.push(line), output: stream, errors: stream, isInteractive: false };
	let error: unknown;
	try {
		await tune(collection, verb, json, terminal, new AbortController().signal);
	} catch (thrown) {
		error = thrown;
	}
	return { lines, called, error, drawn };
}

test("what tuning has changed is told, and that nothing could be measured", async () => {
	const { lines, called, error, drawn } = await run("tune");
	assert.match(drawn[0] ?? "", /measuring \[#{7}\.+\] +25%$/);
	assert.deepEqual(
		[lines, called, error],
		[
			["notes: 2 cells have another certified setting now; a search takes 0.50 ms in the mean, 1.25 ms before."],
			["tune with a signal"],
			undefined,
		],
	);
	const none = { changed: 0, before: null, after: null, tooSlow: [] };
	assert.deepEqual((await run("tune", { report: none })).lines, [
		"notes: no cell has another certified setting now; there are no logged queries of what is certified to measure by. Searches of programs that open the folder for writing are logged, and nigh certify --query FILE takes queries of your own.",
	]);
	assert.deepEqual(
		(await run("tune", { json: true })).lines.map((line) => JSON.parse(line)),
		[{ collection: "notes", ...REPORT }],
	);
});

test("a recall that takes longer than is wanted is told, and no success", async () => {
	const { lines, error } = await run("tune", {
		report: { ...REPORT, changed: 1, tooSlow: [{ cell: CELL, meanMs: 12.4 }] },
	});
	assert.match(lines[0] ?? "", /^notes: 1 cell has another/);
	assert.equal(
		lines[1],
		"recall@10 of at least 0.95 is kept by searches that take 12 ms in the mean at best: longer than the collection's latencyMs.",
	);
	assert.equal((error as Error).name, "ProblemsFound");
	assert.match((error as Error).message, /^1 cell cannot keep both recall and latencyMs/);
});

test("what is known of each setting is a table for each cell", async () => {
	const { lines, called } = await run("stats");
	assert.deepEqual(called, ["stats"]);
	assert.deepEqual(lines, [
		"algorithm  epsilon-greedy",
		"searches   1,300 counted; they explore by themselves",
		"epsilon    tries another setting in 10 % of them, times 0.999 after each",
		"latency    2.00 ms wanted",
		"",
		"recall@10 of at least 0.95, as quick as wanted",
		"arm           setting                 searches  mean ms  reward",
		"flat          exact                          0        -       -",
		"ivf_balanced  nprobe=10 budget=50000     1,300    1.000    1000  serves",
	]);
	assert.deepEqual(
		(await run("stats", { json: true })).lines.map((line) => JSON.parse(line)),
		[{ collection: "notes", ...STATS }],
	);
	for (const algorithm of ["ucb1", "epsilon-greedy"] as const) {
		const bare = { ...STATS, algorithm, live: false, latencyMs: null };
		const told = (await run("stats", { stats: bare })).lines;
		assert.deepEqual(told.slice(0, 3), [
			`algorithm  ${algorithm}, where searches explore`,
			"searches   1,300 counted; they do not explore, nigh tune alone measures",
			"",
		]);
	}
	const told = (await run("stats", { stats: { ...STATS, cells: [] } })).lines;
	assert.match(told.at(-1) ?? "", /^Nothing is certified/);
});

test("reset forgets, and measures nothing", async () => {
	const { lines, called } = await run("reset");
	assert.deepEqual(
		[lines, called],
		[
			["notes: forgotten; the cheapest certified setting with some headroom above its target answers again."],
			["reset"],
		],
	);
	assert.deepEqual((await run("reset", { json: true })).lines, ['{"collection":"notes","reset":true}']);
});
