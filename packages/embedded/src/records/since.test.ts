import assert from "node:assert/strict";
import { test } from "node:test";
import { isNighError } from "@nigh/contract";
import { KEY, openRecords, TABLES } from "./records.test-support.ts";

const bytes = (value: number): Uint8Array => Uint8Array.of(value, value, value, value);

const { db, reader } = openRecords([
	{ id: "old", vector: bytes(0) },
	{ id: "touched before", vector: bytes(1), born: 2, change: 4 },
	{ id: "touched", vector: bytes(2), born: 3, change: 9, expiresAt: 700 },
	{ id: "touched first", vector: bytes(3), born: 4, change: 6 },
	{ id: "new", vector: bytes(4), born: 7, expiresAt: 800 },
	{ id: "new and touched", vector: bytes(5), born: 8, change: 10 },
]);
db.exec(`INSERT INTO ${TABLES.tombstones} VALUES (5, 20), (8, 22), (6, 21), (8, 5)`);
db.exec("UPDATE collections SET change = 10");

test("what has happened since a change is told once, in the order it happened", () => {
	const since = reader.since(KEY, { change: 5, nextLabel: 4 });
	assert.deepEqual(since, {
		state: { change: 10, nextLabel: 6, records: 6 },
		gone: { labels: Uint32Array.of(21, 5, 22), changes: Float64Array.of(6, 8, 8) },
		touched: {
			labels: Uint32Array.of(3, 2),
			changes: Float64Array.of(6, 9),
			expiresAt: Float64Array.of(Number.NaN, 700),
		},
	});
});

test("nothing has happened since the last change", () => {
	const { gone, touched } = reader.since(KEY, { change: 10, nextLabel: 6 });
	assert.deepEqual([gone.labels.length, touched.labels.length], [0, 0]);
});

test("new vectors come with their ids, in chunks ascending by label", () => {
	assert.deepEqual(reader.vectors(KEY, 4, 6, 100), {
		labels: Uint32Array.of(4, 5),
		bytes: Uint8Array.of(4, 4, 4, 4, 5, 5, 5, 5),
		ids: ["new", "new and touched"],
		born: Float64Array.of(7, 8),
		expiresAt: Float64Array.of(800, Number.NaN),
	});
	assert.deepEqual(reader.vectors(KEY, 0, 6, 2).labels, Uint32Array.of(0, 1));
	assert.deepEqual(reader.vectors(KEY, 2, 3, 2).labels, Uint32Array.of(2));
	assert.deepEqual(reader.vectors(KEY, 6, 9, 2).bytes, new Uint8Array(0));
});

test("the rows touched since are found by the index that has only such rows", () => {
	const plan = db
		.prepare(`EXPLAIN QUERY PLAN SELECT label FROM ${TABLES.records} WHERE change > ? AND change > born AND label < ?`)
		.all(5, 4)
		.map((step) => step.detail);
	assert.match(plan.join(), new RegExp(`USING INDEX ${TABLES.records}_touched`));
});

test("vectors of several lengths are CORRUPT_RECORDS", () => {
	const damaged = openRecords([
		{ id: "a", vector: bytes(1) },
		{ id: "b", vector: Uint8Array.of(1, 2) },
	]).reader;
	assert.throws(
		() => damaged.vectors(KEY, 0, 2, 10),
		(error) => isNighError(error, "CORRUPT_RECORDS") && /label 1 has 2 bytes/.test(error.message),
	);
});
