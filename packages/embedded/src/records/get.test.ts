import assert from "node:assert/strict";
import { test } from "node:test";
import { isNighError } from "@nigh/contract";
import { KEY, openRecords, TABLES } from "./records.test-support.ts";

const vector = new Uint8Array(Float32Array.of(1, 2).buffer);
const { db, reader } = openRecords([
	{ id: "a", metadata: { n: 1 }, text: "some words", vector },
	{ id: "b", vector, expiresAt: 500 },
	{ id: 'q"\\é', metadata: {}, vector, born: 3, change: 9 },
]);

test("a record comes with everything that was asked for", () => {
	const [record] = reader.byIds(KEY, ["a"], { vector: true, text: true }, 0);
	assert.deepEqual(record, {
		label: 0,
		id: "a",
		change: 1,
		born: 1,
		insertedAt: 1_000,
		updatedAt: 2_000,
		expiresAt: undefined,
		metadata: { n: 1 },
		text: "some words",
		vector,
	});
	const stored = record?.vector ?? new Uint8Array(0);
	assert.deepEqual(new Float32Array(stored.buffer, stored.byteOffset, 2), Float32Array.of(1, 2));
});

test("without being asked for, metadata comes and text and vector do not", () => {
	const fields = (include: object): string[] => Object.keys(reader.byLabels(KEY, [0], include)[0] as object).slice(7);
	assert.deepEqual(fields({}), ["metadata"]);
	assert.deepEqual(fields({ metadata: false }), []);
	assert.deepEqual(fields({ metadata: false, text: true }), ["text"]);
	assert.deepEqual(fields({ metadata: false, vector: true }), ["vector"]);
});

test("fields that a record does not have are absent", () => {
	const [record] = reader.byLabels(KEY, [1], { text: true });
	assert.deepEqual(Object.keys(record as object).slice(7), []);
	assert.equal(record?.expiresAt, 500);
});

test("records come in the order of the ids, nothing in the place of those that are not there", () => {
	const ids = reader.byIds(KEY, ['q"\\é', "?", "a", "a", "b"], {}, 0).map((record) => record?.id);
	assert.deepEqual(ids, ['q"\\é', undefined, "a", "a", "b"]);
	assert.deepEqual(reader.byIds(KEY, [], {}, 0), []);
	const labels = reader.byLabels(KEY, Uint32Array.of(2, 7, 0), {}).map((record) => record?.change);
	assert.deepEqual(labels, [9, undefined, 1]);
});

test("a record is gone by id from the moment it expires, and is still there by label", () => {
	const there = (now: number): boolean => reader.byIds(KEY, ["b"], {}, now)[0] !== undefined;
	assert.deepEqual([there(499), there(500), there(501)], [true, false, false]);
	assert.equal(reader.byLabels(KEY, [1], {})[0]?.id, "b");
});

test("thousands of ids in one call keep their places", () => {
	const rows = Array.from({ length: 2_500 }, (_, at) => ({ id: `id-${at}` }));
	const many = openRecords(rows).reader;
	const ids = rows.map((row) => row.id).reverse();
	assert.deepEqual(
		many.byIds(KEY, [...ids, "none"], {}, 0).map((record) => record?.id),
		[...ids, undefined],
	);
});

test("metadata that is not JSON is CORRUPT_RECORDS, read or filtered by", () => {
	const damaged = openRecords([{ id: "a", metadata: {} }]);
	damaged.db.exec(`UPDATE ${TABLES.records} SET metadata = '{"a":'`);
	const corrupt = (error: unknown): boolean => isNighError(error, "CORRUPT_RECORDS");
	assert.throws(() => damaged.reader.byIds(KEY, ["a"], {}, 0), corrupt);
	assert.throws(() => damaged.reader.count(KEY, { op: "eq", path: ["a"], value: 1 }, 0), corrupt);
	assert.equal(damaged.reader.byIds(KEY, ["a"], { metadata: false }, 0)[0]?.id, "a");
});

test("a collection that was dropped is NOT_FOUND", () => {
	assert.throws(
		() => reader.state(7),
		(error) => isNighError(error, "NOT_FOUND"),
	);
	assert.deepEqual(reader.state(KEY), { change: 0, nextLabel: 3, records: 3 });
	assert.equal(db.isTransaction, false);
});
