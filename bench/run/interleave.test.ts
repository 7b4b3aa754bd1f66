import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import type { Job } from "../engines/protocol.ts";
import type { EngineEntry } from "../engines/registry.ts";
import { grid, type Setting } from "../engines/setting.ts";
import type { BenchSet } from "../sets/load.ts";
import { type FakePlan, fakeEngine } from "./fake-engine.test-support.ts";
import { type RunOptions, runInterleaved } from "./interleave.ts";

const folder = mkdtempSync(join(tmpdir(), "nigh-interleave-"));
after(() => rmSync(folder, { recursive: true }));

const K = 4;
const QUERIES = 100;
/** Points 0 to 9 on a line, and queries left of them all: the nearest are 0, 1, 2, 3. */
const SET: BenchSet = {
	name: "line",
	about: "points on a line",
	metric: "l2",
	dimensions: 1,
	base: Float32Array.from({ length: 10 }, (_, at) => at),
	n: 10,
	queries: new Float32Array(QUERIES).fill(-1),
	queryCount: QUERIES,
	truth: { width: K, ids: Int32Array.from({ length: QUERIES * K }, (_, at) => at % K) },
};

let runs = 0;
/** Runs fake engines and tells what each was asked, in order. */
async function run(
	plans: Readonly<Record<string, Omit<FakePlan, "name" | "log">>>,
	options: Partial<RunOptions> = {},
	more: Partial<EngineEntry> = {},
	others: Readonly<Record<string, EngineEntry>> = {},
) {
	const log = join(folder, `log-${++runs}`);
	const registry = Object.fromEntries(
		Object.entries(plans).map(([name, plan]) => [name, fakeEngine({ name, log, ...plan }, more)]),
	);
	const given: RunOptions = {
		engines: Object.keys(plans),
		registry: { ...registry, ...others },
		k: K,
		M: 5,
		efConstruction: 60,
		passes: 2,
		knobs: {},
		enough: 2,
		slower: Number.POSITIVE_INFINITY,
		onStep: () => {},
		...options,
	};
	const outcome = await runInterleaved(SET, given);
	return { ...outcome, asked: readFileSync(log, "utf8").trim().split("\n") };
}

const settingsOf = (points: readonly { setting: Setting }[] | undefined) => points?.map(({ setting }) => setting);

describe("the order", () => {
	test("builds and warms up each engine, then asks engine after engine, setting by setting, pass by pass", async () => {
		const { asked } = await run({ a: {}, b: {} }, { knobs: { ef: [10, 20] } });
		const round = ["a search ef=10", "b search ef=10", "a search ef=20", "b search ef=20"];
		assert.deepEqual(asked, [
			...["a build", "a search ef=10", "a search ef=20"],
			...["b build", "b search ef=10", "b search ef=20"],
			...round,
			...round,
		]);
	});
});

describe("the settings", () => {
	test("are the engine's own, or those asked for", async () => {
		const own = await run({ a: {} }, { passes: 1 });
		assert.deepEqual(settingsOf(own.results[0]?.points), grid({ ef: [10, 20, 30, 40] }));
		const given = await run({ a: {} }, { passes: 1, knobs: { ef: [15, 25] } });
		assert.deepEqual(settingsOf(given.results[0]?.points), grid({ ef: [15, 25] }));
	});
	test("end with the first that has enough recall", async () => {
		const { results } = await run({ a: {} }, { passes: 1, enough: 0.5 });
		assert.deepEqual(
			results[0]?.points.map(({ setting, recall }) => [setting.ef, recall]),
			[
				[10, 0.25],
				[20, 0.5],
			],
		);
	});
	test("are at least k, each once", async () => {
		const { results } = await run({ a: {} }, { passes: 1, knobs: { ef: [1, 2, 4, 10] } });
		assert.deepEqual(settingsOf(results[0]?.points), [{ ef: 4 }, { ef: 10 }]);
	});
	test("stay as they are for an engine without the knob", async () => {
		const { results } = await run({ a: {} }, { passes: 1, knobs: { ef: [20, 30] } }, { settings: [{}] });
		assert.deepEqual(settingsOf(results[0]?.points), [{}]);
	});
	test("that cover one with enough recall are left out, and only those", async () => {
		// A tenth of the sum of both knobs is found, of 4.
		const settings = grid({ nprobe: [5, 10, 20], rerank: [10, 20, 30] });
		const { results, asked } = await run({ a: {} }, { passes: 1, enough: 1 }, { settings });
		const expected = [
			...grid({ nprobe: [5], rerank: [10, 20, 30] }),
			...grid({ nprobe: [10], rerank: [10, 20] }),
			...grid({ nprobe: [20], rerank: [10, 20] }),
		];
		assert.deepEqual(settingsOf(results[0]?.points), expected);
		assert.ok(asked.includes("a search nprobe=20,rerank=20"));
		assert.ok(!asked.includes("a search nprobe=10,rerank=30"));
	});
});

describe("a combination of knobs", () => {
	// Takes 1 ms a query and finds 2 of 4 by the first combination, 3 by the second; the third is slow and finds no more than that.
	const settings = [...grid({ nprobe: [5], rerank: [10, 20] }), { nprobe: 6, rerank: 20 }];
	const plans = { a: { slow: { "nprobe=6,rerank=20": 3 } } };
	test("that is slower than another with no less recall is not timed", async () => {
		const { results, asked } = await run(plans, { passes: 1, slower: 2 }, { settings });
		assert.deepEqual(settingsOf(results[0]?.points), settings.slice(0, 2));
		assert.equal(asked.filter((line) => line === "a search nprobe=6,rerank=20").length, 1);
	});
	test("is timed where it is not that much slower", async () => {
		const { results } = await run(plans, { passes: 1, slower: 4 }, { settings });
		assert.deepEqual(settingsOf(results[0]?.points), settings);
	});
	test("is judged so, and a single knob's value never", async () => {
		const { results } = await run({ a: { slow: { "ef=20": 9 } } }, { passes: 1, slower: 2, knobs: { ef: [20, 21] } });
		assert.deepEqual(settingsOf(results[0]?.points), grid({ ef: [20, 21] }));
	});
});

describe("the results", () => {
	test("have queries a second of each timed pass, and times of the median pass", async () => {
		const { results } = await run({ a: {} }, { passes: 3, knobs: { ef: [10] } });
		const point = results[0]?.points[0];
		// The warm-up took 1 ms a query and is not timed; the passes took 2, 3 and 4.
		assert.deepEqual(
			point?.qps.map((qps) => Math.round(qps)),
			[500, 333, 250],
		);
		assert.deepEqual([point?.p50, point?.p95, point?.p99], [3 * 50, 3 * 95, 3 * 99]);
		assert.equal(results[0]?.coldUs, 1);
	});
	test("are of the first queries for an engine that gets fewer", async () => {
		const { results } = await run({ a: {} }, { knobs: { ef: [40, 50] }, passes: 1 }, { queries: 30 });
		const [a] = results;
		assert.equal(a?.queries, 30);
		assert.equal(a?.points[0]?.recall, 1);
		assert.deepEqual([a?.points[0]?.p50, a?.points[0]?.p99], [2 * 15, 2 * 30]);
		const all = await run({ a: {} }, { knobs: { ef: [40] }, passes: 1 }, { queries: 1_000 });
		assert.equal(all.results[0]?.queries, QUERIES);
	});
	test("come with what the engine said of its build, which got the job, and leave no files", async () => {
		const { results } = await run({ a: {} }, { passes: 1, knobs: { ef: [10] } });
		const { seconds, bytes, version } = results[0]?.build ?? assert.fail();
		assert.deepEqual([seconds, bytes], [1, 100]);
		const { basePath, queriesPath, ...job } = JSON.parse(version) as Job;
		const expected = { n: 10, dimensions: 1, queryCount: QUERIES, metric: "l2", M: 5, efConstruction: 60, k: K };
		assert.deepEqual(job, expected);
		assert.deepEqual([existsSync(basePath), existsSync(queriesPath)], [false, false]);
	});
});

describe("an engine that fails", () => {
	for (const failsOn of ["build #1", "search ef=20 #1", "search ef=20 #2"]) {
		test(`on "${failsOn}" is reported, and the others go on`, async () => {
			const { results, failures } = await run({ a: { failsOn }, b: {} }, { knobs: { ef: [10, 20] } });
			assert.deepEqual(failures, { a: `told to fail on ${failsOn}` });
			assert.deepEqual(
				results.map(({ engine, points }) => [engine, points.map(({ qps }) => qps.length)]),
				[["b", [2, 2]]],
			);
		});
	}
	test("is asked no more", async () => {
		const { asked } = await run({ a: { failsOn: "search ef=10 #2" }, b: {} }, { knobs: { ef: [10, 20] } });
		assert.equal(asked.filter((line) => line.startsWith("a")).at(-1), "a search ef=10");
		assert.equal(asked.filter((line) => line === "a search ef=20").length, 1);
	});
	test("and dies without a word is reported, too", async () => {
		const { results, failures } = await run(
			{ a: { failsOn: "search ef=10 #2", dies: true }, b: {} },
			{ knobs: { ef: [10, 20] } },
		);
		assert.match(failures.a ?? "", /^it ended without an answer to "search ef=10 /);
		assert.equal(results.length, 1);
	});
	test("because its program is not there is reported, too", async () => {
		const missing = { ...fakeEngine({ name: "a", log: "" }), command: [join(folder, "no-such-program")] };
		const { results, failures } = await run({ b: {} }, { passes: 1, engines: ["a", "b"] }, {}, { a: missing });
		assert.deepEqual(Object.keys(failures), ["a"]);
		assert.deepEqual(
			results.map(({ engine }) => engine),
			["b"],
		);
	});
});
