import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BuildAnswer, Job } from "../engines/protocol.ts";
import { ENGINES, type EngineEntry } from "../engines/registry.ts";
import { covers, type Setting, settingsWith, settingText } from "../engines/setting.ts";
import type { BenchSet } from "../sets/load.ts";
import { EngineProcess, type Pass } from "./engine-process.ts";
import { recallOf } from "./recall.ts";

/** One engine at one setting. */
export interface Point {
	readonly engine: string;
	readonly setting: Setting;
	readonly recall: number;
	/** Queries a second of each timed pass, in the order of the passes. */
	readonly qps: readonly number[];
	/** Microseconds, of the pass whose queries a second are the median. */
	readonly p50: number;
	readonly p95: number;
	readonly p99: number;
}

export interface EngineResult {
	readonly engine: string;
	readonly about: string;
	/** What has to stand beside every figure of the engine. */
	readonly caveat?: string;
	/** Queries of a pass: the first of the set's, and all of them unless the engine's entry says fewer. */
	readonly queries: number;
	readonly build: BuildAnswer;
	/** Microseconds of the very first query after the build. */
	readonly coldUs: number;
	readonly points: readonly Point[];
}

export interface RunOptions {
	/** Names of {@link RunOptions.registry}. */
	readonly engines: readonly string[];
	/** Default: all that the bench knows. */
	readonly registry?: Readonly<Record<string, EngineEntry>>;
	readonly k: number;
	readonly M: number;
	readonly efConstruction: number;
	readonly passes: number;
	/** Values of knobs to use in place of an engine's own, where it has such a knob. */
	readonly knobs: Readonly<Record<string, readonly number[]>>;
	/** Recall from which on an engine's settings that look at more, and at less nowhere, are left out. */
	readonly enough: number;
	/** How many times slower than another with no less recall a combination of knobs may be, in the pass that warms up, to be timed. */
	readonly slower: number;
	readonly onStep: (text: string) => void;
}

interface Running {
	readonly name: string;
	readonly entry: EngineEntry;
	readonly process: EngineProcess;
	readonly build: BuildAnswer;
	readonly count: number;
	coldUs: number;
	/** The recall is the least of all passes: an engine has to answer as well when it is timed. */
	points: { readonly setting: Setting; recall: number; readonly passes: Pass[] }[];
}

/**
 * Builds every engine, then asks all of them again and again: a pass at a time, engine after engine, so that what else the machine
 * does hits all alike. The first pass of a setting warms up; it is not timed.
 *
 * An engine that fails is reported by `failures`, and the others go on.
 */
export async function runInterleaved(
	set: BenchSet,
	options: RunOptions,
): Promise<{ results: EngineResult[]; failures: Record<string, string> }> {
	const folder = mkdtempSync(join(tmpdir(), "nigh-bench-"));
	const failures: Record<string, string> = {};
	const running: Running[] = [];
	try {
		const job = writeJob(set, options, folder);
		for (const name of options.engines) {
			const entry = (options.registry ?? ENGINES)[name] as EngineEntry;
			const process = new EngineProcess(entry, job, join(folder, `${name}.out`));
			try {
				options.onStep(`${name}: building`);
				const build = await process.build();
				const count = Math.min(set.queryCount, entry.queries ?? set.queryCount);
				const each: Running = { name, entry, process, build, count, coldUs: 0, points: [] };
				await warmUp(each, set, options);
				running.push(each);
			} catch (error) {
				failures[name] = (error as Error).message;
				await process.close();
			}
		}
		await timedPasses(running, set, failures, options);
		return { results: running.filter(({ name }) => failures[name] === undefined).map(resultOf), failures };
	} finally {
		await Promise.all(running.map((each) => each.process.close()));
		rmSync(folder, { recursive: true, force: true });
	}
}

function writeJob(set: BenchSet, { M, efConstruction, k }: RunOptions, folder: string): Job {
	const basePath = join(folder, "base.f32");
	const queriesPath = join(folder, "queries.f32");
	writeFileSync(basePath, set.base);
	writeFileSync(queriesPath, set.queries);
	const { n, dimensions, queryCount, metric } = set;
	return { basePath, n, dimensions, queriesPath, queryCount, metric, M, efConstruction, k };
}

async function warmUp(engine: Running, set: BenchSet, { knobs, enough, slower, k, onStep }: RunOptions): Promise<void> {
	const sure: Setting[] = [];
	const tried: { readonly setting: Setting; readonly recall: number; readonly seconds: number }[] = [];
	for (const setting of settingsWith(engine.entry.settings, knobs, k)) {
		if (sure.some((narrower) => covers(setting, narrower))) continue;
		onStep(`${engine.name}: ${settingText(setting)}`);
		const pass = await engine.process.search(setting, engine.count);
		if (tried.length === 0) engine.coldUs = pass.times[0] as number;
		const recall = recallOf(set, pass.labels, k);
		tried.push({ setting, recall, seconds: pass.seconds });
		if (recall >= enough) sure.push(setting);
	}
	// Of one knob, no value is in vain; of a grid most combinations are, and each would cost as many passes as the best.
	const isBeaten = ({ setting, recall, seconds }: (typeof tried)[number]) =>
		Object.keys(setting).length > 1 &&
		tried.some((other) => other.recall >= recall && seconds > slower * other.seconds);
	engine.points = tried
		.filter((each) => !isBeaten(each))
		.map(({ setting, recall }) => ({ setting, recall, passes: [] }));
}

async function timedPasses(
	running: readonly Running[],
	set: BenchSet,
	failures: Record<string, string>,
	{ passes, k, onStep }: RunOptions,
): Promise<void> {
	const steps = Math.max(0, ...running.map((each) => each.points.length));
	for (let pass = 0; pass < passes; pass++) {
		for (let step = 0; step < steps; step++) {
			for (const engine of running) {
				const point = engine.points[step];
				if (point === undefined || failures[engine.name] !== undefined) continue;
				onStep(`pass ${pass + 1} of ${passes}: ${engine.name}, ${settingText(point.setting)}`);
				try {
					const timed = await engine.process.search(point.setting, engine.count);
					point.recall = Math.min(point.recall, recallOf(set, timed.labels, k));
					point.passes.push(timed);
				} catch (error) {
					failures[engine.name] = (error as Error).message;
				}
			}
		}
	}
}

function resultOf({ name, entry, build, count, coldUs, points }: Running): EngineResult {
	return {
		engine: name,
		about: entry.about,
		...(entry.caveat !== undefined && { caveat: entry.caveat }),
		queries: count,
		build,
		coldUs,
		points: points.map(({ setting, recall, passes }) => {
			const bySpeed = passes.toSorted((a, b) => a.seconds - b.seconds);
			const times = (bySpeed[bySpeed.length >> 1] as Pass).times.toSorted();
			const at = (share: number) => times[Math.min(count - 1, Math.ceil(share * count) - 1)] as number;
			return {
				engine: name,
				setting,
				recall,
				qps: passes.map(({ seconds }) => count / seconds),
				p50: at(0.5),
				p95: at(0.95),
				p99: at(0.99),
			};
		}),
	};
}
