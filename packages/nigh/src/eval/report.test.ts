import assert from "node:assert/strict";
import { test } from "node:test";
import { jsonLine, type OperatingPoint, paramsText, pointTable } from "./report.ts";

const POINT: OperatingPoint = {
	k: 10,
	dim: 784,
	n: 60_000,
	bytes_codes: 47_280_000,
	bytes_total: 250_000_000,
	p99_us: 220.25,
	p50_us: 100.04,
	qps: 9_876.54,
	recall: 0.99996,
	build_s: 12.34567,
	params: { M: 16, ef: 40 },
	index: "hnsw",
};

test("a line of JSON has exactly the promised keys in their order, and recall unrounded", () => {
	assert.equal(
		jsonLine(POINT),
		'{"index":"hnsw","params":{"M":16,"ef":40},"build_s":12.346,"recall":0.99996,"qps":9876.5,"p50_us":100,"p99_us":220.3,"bytes_total":250000000,"bytes_codes":47280000,"n":60000,"dim":784,"k":10}',
	);
});

test("an index with cells tells training and insertion apart, behind what both come to", () => {
	const line = jsonLine({ ...POINT, index: "ivf", train_s: 10.12345, insert_s: 2.22222 });
	assert.match(line, /"build_s":12\.346,"train_s":10\.123,"insert_s":2\.222,"recall"/);
});

test("what training warns of stands behind its times, also where that is nothing", () => {
	const warning = { code: "few-distinct", message: "2 of 10 centroids differ" } as const;
	const line = (warnings: OperatingPoint["warnings"]) => jsonLine({ ...POINT, train_s: 1, insert_s: 2, warnings });
	assert.match(
		line([warning]),
		/"insert_s":2,"warnings":\[\{"code":"few-distinct","message":"2 of 10 [^"]+"\}\],"recall"/,
	);
	assert.match(line([]), /"insert_s":2,"warnings":\[\],"recall"/);
});

test("rows of the table stand under their headings, and a recall below 1 never reads 1.0000", () => {
	const { header, row } = pointTable(10, POINT.index.length, paramsText(POINT.params).length);
	const line = row(POINT);
	assert.deepEqual(line.split(/ {2,}/), [
		"hnsw",
		"M=16 ef=40",
		"12.35",
		"0.9999",
		"9,877",
		"100.0",
		"220.3",
		"250,000,000",
		"47,280,000",
	]);
	assert.equal(line.length, header.length);
	assert.equal(line.indexOf("M=16"), header.indexOf("parameters"));
	assert.match(row({ ...POINT, recall: 1 }), / 1\.0000 /);
});
