import assert from "node:assert/strict";
import { test } from "node:test";
import type { CollectionLook, Look } from "./look.ts";
import { FOOTNOTE, logLine, screenLines } from "./view.ts";

const NOTES: CollectionLook = {
	name: "notes",
	records: 12_345,
	changeNumber: 678,
	index: { kind: "hnsw", main: 9_000, tail: 1_001, tombstones: 7 },
	folded: 9_000 / 10_001,
	rates: { records: 1_234.5, changes: 2.25 },
	probes: { count: 5, p50: 0.5, p95: 0.75, p99: 1.234, max: 2 },
	memoryBytes: 1,
	health: {
		status: "degraded",
		reasons: [{ code: "near-limit", status: "degraded", message: "80 % is used.", recommendation: "Prune." }],
	},
};
const FIRST: CollectionLook = {
	...NOTES,
	name: "a longer name",
	rates: null,
	probes: null,
	health: { status: "ok", reasons: [] },
};
const LOOK: Look = { time: 0, status: "degraded", diskBytes: 3 * 2 ** 20, collections: [NOTES, FIRST] };

test("a screen has a row for each collection under the titles, then the reasons, then what cannot be seen", () => {
	const [title, header, notes, first, reason, footnote, ...more] = screenLines("/data", LOOK, 200);
	assert.equal(title, "/data  degraded  3.0 MiB on disk  1970-01-01 00:00:00Z");
	assert.deepEqual(header?.split(/ {2,}/), [
		"collection",
		"health",
		"records",
		"index",
		"tail",
		"folded",
		"records/s",
		"p99 ms",
		"p50 ms",
		"tombstones",
		"changes/s",
		"change",
	]);
	assert.deepEqual(notes?.split(/ {2,}/), [
		"notes",
		"degraded",
		"12,345",
		"hnsw",
		"1,001",
		"89 %",
		"1,235",
		"1.23",
		"0.50",
		"7",
		"2.3",
		"678",
	]);
	assert.match(first ?? "", /^a longer name {2}ok .* - {2,}- {2,}- .* - /);
	assert.equal(reason, "notes: degraded, near-limit: 80 % is used. Prune.");
	assert.equal(footnote, FOOTNOTE);
	assert.deepEqual(more, []);
});

test("a database without collections, and without known size, says so", () => {
	assert.deepEqual(screenLines("d", { time: 0, status: "ok", diskBytes: null, collections: [] }, 200), [
		"d  ok  unknown bytes on disk  1970-01-01 00:00:00Z",
		"There is no collection yet.",
		FOOTNOTE,
	]);
});

test("what health has to say is broken to the width, and the columns that matter most fit into 80", () => {
	const lines = screenLines("/data", LOOK, 30);
	assert.deepEqual(lines.slice(4, 6), ["notes: degraded, near-limit:", "80 % is used. Prune."]);
	assert.ok(lines.slice(6).every((line) => line.length <= 30));
	assert.equal(lines.slice(6).join(" "), FOOTNOTE);
	const name = "ten letters".slice(0, 10);
	const [, header] = screenLines(
		"/data",
		{ ...LOOK, collections: LOOK.collections.map((look) => ({ ...look, name })) },
		79,
	);
	assert.ok((header?.indexOf("p99 ms") ?? 80) + "p99 ms".length <= 79, header);
});

test("a log has one line for each look", () => {
	assert.equal(
		logLine({ ...LOOK, diskBytes: 2_048 }),
		"1970-01-01 00:00:00Z degraded 2.0 KiB | notes: 12,345 records, hnsw, tail 1,001 (89 % folded), tombstones 7, 1,235 records/s, 2.3 changes/s, probes p50 0.50 ms p99 1.23 ms, degraded near-limit | a longer name: 12,345 records, hnsw, tail 1,001 (89 % folded), tombstones 7, ok",
	);
});
