import type { Setting } from "../engines/setting.ts";
import type { Machine } from "./machine.ts";
import { median, qpsAt } from "./operating-points.ts";
import { COMPARED_RECALLS, type Report, type ReportedSet } from "./report.ts";

/** The report for programs. Nothing in it is rounded; fields may be added, and `format` counts changes of those there are. */
export interface JsonReport {
	readonly format: 2;
	/** When it was measured, ISO 8601 in UTC. In no other form of the report, so that those differ only where figures do. */
	readonly date: string;
	readonly command: string;
	readonly machine: Machine;
	readonly set: ReportedSet;
	readonly parameters: Report["parameters"];
	readonly engines: readonly JsonEngine[];
	readonly failures: readonly { readonly engine: string; readonly message: string }[];
}

export interface JsonEngine {
	readonly engine: string;
	readonly about: string;
	readonly version: string;
	/** What has to stand beside every figure of the engine, such as how it is compiled. */
	readonly caveat?: string;
	/** Queries of one pass: the first of the set's. */
	readonly queries: number;
	readonly buildSeconds: number;
	/** Bytes of the index, vectors included. */
	readonly bytes: number;
	/** Microseconds of the first query after the build. */
	readonly coldUs: number;
	/** In the order they were asked, from fast to sure. */
	readonly points: readonly JsonPoint[];
	readonly atRecall: readonly JsonAtRecall[];
}

export interface JsonPoint {
	/** The knobs by name; empty for an engine without any. */
	readonly setting: Setting;
	readonly recall: number;
	/** Queries a second: of the passes in their order, and what comes of them. */
	readonly qps: {
		readonly median: number;
		readonly min: number;
		readonly max: number;
		readonly passes: readonly number[];
	};
	/** Microseconds of a query in the median pass. */
	readonly p50Us: number;
	readonly p95Us: number;
	readonly p99Us: number;
}

export interface JsonAtRecall {
	readonly recall: number;
	/** Queries a second, between the settings around the recall; `null` where the engine does not reach it. */
	readonly qps: number | null;
	/** The cheapest setting has more recall, so `qps` is a lower limit. */
	readonly atLeast: boolean;
}

/** `date` is the moment of the run. */
export function jsonReport(report: Report, date: Date): JsonReport {
	const { command, machine, set, parameters, results, failures } = report;
	return {
		format: 2,
		date: date.toISOString(),
		command,
		machine,
		set,
		parameters,
		engines: results.map((result) => ({
			engine: result.engine,
			about: result.about,
			version: result.build.version,
			...(result.caveat !== undefined && { caveat: result.caveat }),
			queries: result.queries,
			buildSeconds: result.build.seconds,
			bytes: result.build.bytes,
			coldUs: result.coldUs,
			points: result.points.map(({ setting, recall, qps, p50, p95, p99 }) => ({
				setting,
				recall,
				qps: { median: median(qps), min: Math.min(...qps), max: Math.max(...qps), passes: qps },
				p50Us: p50,
				p95Us: p95,
				p99Us: p99,
			})),
			atRecall: COMPARED_RECALLS.map((recall) => {
				const { qps, atLeast } = qpsAt(result, recall);
				return { recall, qps: qps ?? null, atLeast };
			}),
		})),
		failures: Object.entries(failures).map(([engine, message]) => ({ engine, message })),
	};
}
