import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { EngineResult } from "../run/interleave.ts";
import { point, reportOf, result, TWO_ENGINES } from "./report.test-support.ts";
import { engineRows, notes, pointRows, recallRows } from "./rows.ts";

const ratios = (nigh: EngineResult, peer: EngineResult) => {
	const cells = recallRows(reportOf([nigh, peer])).rows[1] as string[];
	return [2, 4, 6].map((at) => cells[at]);
};
const nighOf = (...pairs: [recall: number, qps: number][]) =>
	result(
		"nigh",
		pairs.map(([recall, qps]) => point("nigh", 1, recall, qps)),
	);
const peerOf = (...pairs: [recall: number, qps: number][]) => ({ ...nighOf(...pairs), engine: "other" });

test("engineRows tells what each index took, rounded against Nigh", () => {
	const { columns, rows } = engineRows(reportOf(TWO_ENGINES));
	const titles = columns.map(({ title }) => title);
	assert.deepEqual(titles, ["engine", "build s", "MB", "cold first query us", "what", "version"]);
	assert.deepEqual(rows, [
		["nigh", "1.24", "12.4", "100", "nigh, HNSW", "nigh 1.0"],
		["other", "1.23", "12.3", "99", "other, HNSW", "other 1.0"],
	]);
});

test("pointRows has a row for each setting: recall cut, median, slowest and fastest pass", () => {
	const { columns, rows } = pointRows(reportOf(TWO_ENGINES));
	assert.equal(columns[2]?.title, "recall@10");
	assert.equal(rows.length, 6);
	assert.deepEqual(rows[0], ["nigh", "ef 10", "0.8999", "50,000", "40,000..60,000", "10.1", "20.1", "30.1"]);
	assert.deepEqual(rows[3], ["other", "ef 10", "0.8999", "25,001", "20,000..30,000", "10.0", "20.0", "30.0"]);
});

test("pointRows names every knob of a setting, and none where an engine has none", () => {
	const both = { ...point("cells", 0, 0.9, 30), setting: { nprobe: 8, rerank: 100 } };
	const scan = { ...point("scan", 0, 1, 30), setting: {} };
	const { rows } = pointRows(reportOf([result("cells", [both]), result("scan", [scan])]));
	assert.deepEqual(
		rows.map((cells) => cells[1]),
		["nprobe 8, rerank 100", "none"],
	);
});

test("pointRows shows of combinations those that none beats, the notes say so, and a single knob's values all", () => {
	const at = (nprobe: number, rerank: number, recall: number, qps: number) => ({
		...point("cells", 0, recall, qps),
		setting: { nprobe, rerank },
	});
	const cells = result("cells", [at(1, 20, 0.9, 30), at(1, 40, 0.9, 20), at(2, 20, 0.95, 10)]);
	const graph = result("graph", [point("graph", 10, 0.9, 20), point("graph", 20, 0.89, 10)]);
	const report = reportOf([cells, graph]);
	assert.deepEqual(
		pointRows(report).rows.map((row) => row[1]),
		["nprobe 1, rerank 20", "nprobe 2, rerank 20", "ef 10", "ef 20"],
	);
	const aboutShown = notes(report).filter((note) => note.includes("only the settings are shown"));
	assert.deepEqual(aboutShown, [
		"Of cells only the settings are shown that no other of the engine beats; the JSON has all.",
	]);
	assert.ok(!notes(reportOf([graph])).some((note) => note.includes("are shown")));
});

test("every table names what has to stand beside an engine's figures", () => {
	const report = reportOf([result("slow", [point("slow", 1, 1, 30)], { caveat: "no optimiser" })]);
	for (const table of [engineRows, pointRows, recallRows]) {
		assert.equal(table(report).rows[0]?.[0], "slow (no optimiser)");
	}
});

describe("recallRows", () => {
	test("compares at equal recall", () => {
		assert.deepEqual(ratios(...(TWO_ENGINES as [EngineResult, EngineResult])), ["2.00", "2.00", "2.00"]);
	});
	test("cuts the ratio", () => {
		const [, , at99] = ratios(nighOf([0.9, 4_000], [0.99, 1_999]), peerOf([0.9, 3_000], [0.99, 1_000]));
		assert.equal(at99, "1.99");
	});
	test("says which figures are limits", () => {
		const [exact, limit] = [nighOf([0.9, 3_000], [0.99, 1_000]), nighOf([0.97, 3_000], [0.99, 1_000])];
		const [peer, peerLimit] = [peerOf([0.9, 1_500], [0.99, 900]), peerOf([0.97, 7_000], [0.99, 900])];
		assert.equal(ratios(limit, peer)[0], ">= 2.00");
		// 3,000 / 7,000 = 0.4285...: as an upper limit it is 0.43.
		assert.equal(ratios(exact, peerLimit)[0], "<= 0.43");
		assert.equal(ratios(limit, peerLimit)[0], "open");
		assert.equal(recallRows(reportOf([limit])).rows[0]?.[1], ">= 3,000");
	});
	test("says what is not reached, and compares nothing with it", () => {
		const low = peerOf([0.5, 9_000]);
		assert.equal(recallRows(reportOf([low])).rows[0]?.[5], "not reached");
		assert.deepEqual(ratios(nighOf([0.99, 10]), low), ["-", "-", "-"]);
		assert.deepEqual(ratios({ ...low, engine: "nigh" }, peerOf([0.99, 10])), ["-", "-", "-"]);
	});
	test("has no ratio without Nigh, nor for Nigh itself", () => {
		const peersOnly = recallRows(reportOf([TWO_ENGINES[1] as EngineResult])).rows[0] as string[];
		assert.deepEqual([peersOnly[2], peersOnly[4], peersOnly[6]], ["", "", ""]);
		assert.equal(recallRows(reportOf(TWO_ENGINES)).rows[0]?.[2], "");
	});
});

test("notes name the engines that were asked fewer queries, and no others", () => {
	const slow = result("slow", [point("slow", 1, 1, 30)], { queries: 100 });
	const about = (text: string) => notes(reportOf([...TWO_ENGINES, slow])).filter((note) => note.includes(text));
	assert.deepEqual(about("asked the first"), ["slow is asked the first 100 of the 1000 queries only."]);
});
