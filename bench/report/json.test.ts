import assert from "node:assert/strict";
import { test } from "node:test";
import { jsonReport } from "./json.ts";
import { point, reportOf, result } from "./report.test-support.ts";

test("jsonReport has the documented shape, unrounded, and survives JSON", () => {
	const only = result("nigh", [point("nigh", 10, 0.90005, [30, 10, 20.25]), point("nigh", 20, 0.96, 5)]);
	const report = reportOf([only], { failures: { broken: "it ended" } });
	const json = jsonReport(report, new Date(0));
	assert.deepEqual(JSON.parse(JSON.stringify(json)), json);
	const { atRecall, ...engine } = json.engines[0] as (typeof json.engines)[number];
	assert.deepEqual(engine, {
		engine: "nigh",
		about: "nigh, HNSW",
		version: "nigh 1.0",
		queries: 1_000,
		buildSeconds: 1.234,
		bytes: 12_345_678,
		coldUs: 99.5,
		points: [
			{
				setting: { ef: 10 },
				recall: 0.90005,
				qps: { median: 20.25, min: 10, max: 30, passes: [30, 10, 20.25] },
				p50Us: 10.01,
				p95Us: 20.05,
				p99Us: 30.09,
			},
			{
				setting: { ef: 20 },
				recall: 0.96,
				qps: { median: 5, min: 5, max: 5, passes: [5] },
				p50Us: 10.01,
				p95Us: 20.05,
				p99Us: 30.09,
			},
		],
	});
	assert.deepEqual(atRecall[0], { recall: 0.9, qps: 20.25, atLeast: true });
	assert.deepEqual(atRecall[2], { recall: 0.99, qps: null, atLeast: false });
	assert.deepEqual(
		{ ...json, engines: [] },
		{
			format: 2,
			date: "1970-01-01T00:00:00.000Z",
			command: report.command,
			machine: report.machine,
			set: report.set,
			parameters: report.parameters,
			engines: [],
			failures: [{ engine: "broken", message: "it ended" }],
		},
	);
});
