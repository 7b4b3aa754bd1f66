import type { EngineResult, Point } from "../run/interleave.ts";
import type { Report } from "./report.ts";

/** A point of an engine whose knob is ef. */
export function point(engine: string, ef: number, recall: number, qps: number | readonly number[]): Point {
	return {
		engine,
		setting: { ef },
		recall,
		qps: typeof qps === "number" ? [qps] : qps,
		p50: 10.01,
		p95: 20.05,
		p99: 30.09,
	};
}

export function result(engine: string, points: readonly Point[], more: Partial<EngineResult> = {}): EngineResult {
	const build = { seconds: 1.234, bytes: 12_345_678, version: `${engine} 1.0` };
	return { engine, about: `${engine}, HNSW`, queries: 1_000, build, coldUs: 99.5, points, ...more };
}

/** Nigh and a peer that answers half as many; both reach 0.99. */
export const TWO_ENGINES: readonly EngineResult[] = [
	result("nigh", [
		point("nigh", 10, 0.89999, [50_000.9, 40_000, 60_000]),
		point("nigh", 20, 0.95, 20_000),
		point("nigh", 40, 0.99, 10_000),
	]),
	result("other", [
		point("other", 10, 0.89999, [25_000.1, 20_000, 30_000]),
		point("other", 20, 0.95, 10_000),
		point("other", 40, 0.99, 5_000),
	]),
];

export function reportOf(results: readonly EngineResult[], more: Partial<Report> = {}): Report {
	return {
		command: "npm run bench -- --set generated --peers other",
		machine: { cpu: "A CPU", cores: 2, memoryGiB: 24, platform: "linux x64", node: "24.0.0", v8: "13.6" },
		set: { name: "made-1000x8", about: "made for a test", metric: "l2", dimensions: 8, n: 1_000, queryCount: 1_000 },
		parameters: { k: 10, M: 16, efConstruction: 200, passes: 3 },
		results,
		failures: {},
		...more,
	};
}
