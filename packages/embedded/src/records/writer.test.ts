import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { describe, type TestContext, test } from "node:test";
import { BOUNDS } from "@nigh/contract";
import fc from "fast-check";
import { testFolder } from "../folder/folder.test-support.ts";
import { createCollection, dropCollection, findCollection } from "./catalogue.ts";
import { openReader, openWriter } from "./connection.ts";
import { SPEC } from "./filled.test-support.ts";
import { tablesOf } from "./schema.ts";
import { columns, Model, type ModelRow, stored, WORDS } from "./writer.test-support.ts";
import { RecordWriter } from "./writer.ts";

const id = fc.constantFrom("a", "b", "c", "d", "e", "f");
const words = fc.array(fc.constantFrom(...WORDS), { maxLength: 3 }).map((list) => list.join(" "));
const time = fc.integer({ min: 0, max: 40 });
const json = fc.constantFrom("{}", '{"type":"lesson"}', '{"type":"note","stars":3}');
const vector = fc.uint8Array({ minLength: 4, maxLength: 4 });
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const patchOf = <T>(arbitrary: fc.Arbitrary<T>) => maybe(fc.option(arbitrary, { nil: null }));
const record = fc.record({ id, metadata: maybe(json), text: maybe(words), expiresAt: maybe(time), vector });
const patch = fc.record({
	id,
	metadata: patchOf(json),
	text: patchOf(words),
	expiresAt: patchOf(time),
	vector: maybe(vector),
});
const label = fc.integer({ min: 0, max: 30 });

/** Does the same to the records and to the model, and compares what both say of it. */
type Step = (writer: RecordWriter, key: number, model: Model, moment: { change: number; now: number }) => void;

const upsertStep = fc.uniqueArray(record, { selector: (row) => row.id, maxLength: 6 }).map((rows): Step => {
	return (writer, key, model, moment) =>
		assert.deepEqual(writer.upsert(key, columns(rows), moment), model.upsert(rows, moment));
});
const updateStep = fc.array(patch, { maxLength: 6 }).map((rows): Step => {
	return (writer, key, model, moment) => {
		const known = rows.filter((row) => model.records.has(row.id));
		// Mostly patches of what is there: one that is missing stops all of them.
		const patches = rows.length === 6 ? rows : known;
		assert.deepEqual(writer.update(key, columns(patches), moment), model.update(patches, moment));
	};
});
const deleteIdsStep = fc.array(id, { maxLength: 4 }).map((ids): Step => {
	return (writer, key, model, { change }) =>
		assert.deepEqual(writer.deleteIds(key, ids, change), model.deleteIds(ids, change));
});
const deleteLabelsStep = fc.array(label, { maxLength: 6 }).map((labels): Step => {
	return (writer, key, model, { change }) =>
		assert.deepEqual(writer.deleteLabels(key, labels, change), model.deleteLabels(labels, change));
});
const limits = fc.record({
	maxAgeMs: maybe(fc.integer({ min: 0, max: 15 })),
	maxRecords: maybe(fc.integer({ min: 0, max: 6 })),
	among: maybe(fc.uniqueArray(label)),
});
const pruneStep = limits.map(({ maxAgeMs, maxRecords, among }): Step => {
	return (writer, key, model, { change, now }) => {
		const all = {
			now,
			...(maxAgeMs !== undefined && { maxAgeMs }),
			...(maxRecords !== undefined && { maxRecords }),
			...(among !== undefined && { among: Uint32Array.from(among) }),
		};
		const found = writer.prunable(key, all);
		assert.deepEqual(found, model.prunable(all));
		const labels = [...found.expired, ...found.tooOld, ...found.tooMany];
		assert.deepEqual(writer.deleteLabels(key, labels, change), model.deleteLabels(labels, change));
	};
});
const giveUpStep = fc.integer({ min: 0, max: 20 }).map((change): Step => {
	return (writer, key, model) => assert.equal(writer.giveUpTombstones(key, change), model.giveUpTombstones(change));
});
/** False one time in six. */
const mostly = fc.nat({ max: 5 }).map((number) => number > 0);
const operation = fc.record({
	step: fc.oneof(
		{ arbitrary: upsertStep, weight: 3 },
		{ arbitrary: updateStep, weight: 3 },
		deleteIdsStep,
		deleteLabelsStep,
		pruneStep,
		giveUpStep,
	),
	kept: mostly,
});
const group = fc.record({ operations: fc.array(operation, { minLength: 1, maxLength: 3 }), committed: mostly });

type Group = typeof group extends fc.Arbitrary<infer G> ? G : never;

function open(t: TestContext, spec = SPEC) {
	const path = join(testFolder(t), "records.sqlite");
	const db = openWriter(path, "off");
	t.after(() => db.isOpen && db.close());
	const { key } = createCollection(db, "notes", spec);
	return { db, key, path, writer: new RecordWriter(db) };
}

function inTransaction<T>(writer: RecordWriter, write: () => T): T {
	writer.begin();
	const result = write();
	writer.commit();
	return result;
}

function withWriter<T>(path: string, use: (db: DatabaseSync) => T): T {
	const db = openWriter(path, "off");
	try {
		return use(db);
	} finally {
		db.close();
	}
}

/** Writes groups of operations to a new collection and to a model, which it returns; compares the two after each group. */
function writeGroups(db: DatabaseSync, key: number, groups: readonly Group[]): Model {
	const writer = new RecordWriter(db);
	let model = new Model();
	let now = 0;
	for (const { operations, committed } of groups) {
		let written = model.clone();
		writer.begin();
		for (const { step, kept } of operations) {
			const tried = written.clone();
			now += 3;
			writer.savepoint();
			step(writer, key, tried, { change: tried.change + 1, now });
			if (kept) {
				writer.release();
				written = tried;
			} else writer.rollbackTo();
		}
		if (committed) {
			writer.commit();
			model = written;
		} else writer.rollback();
		assert.deepEqual(stored(db, key), model.content());
	}
	return model;
}

/** Rows with new ids, in which each text is a word of its own kind. */
function rowsOf(count: number, from = 0): ModelRow[] {
	return Array.from({ length: count }, (_, row) => ({
		id: `id ${from + row}`,
		metadata: `{"row":${row}}`,
		text: WORDS[row % 3] as string,
		vector: Uint8Array.of(row, row >> 8, row >> 16, 0),
	}));
}

describe("RecordWriter", () => {
	test("holds what a Map holds, whatever is written, taken back, and opened again", (t) => {
		const { db, path } = open(t);
		db.close();
		let run = 0;
		fc.assert(
			fc.property(fc.array(group, { minLength: 1, maxLength: 10, size: "max" }), (groups) => {
				const name = `run-${run++}`;
				const model = withWriter(path, (db) => writeGroups(db, createCollection(db, name, SPEC).key, groups));
				const content = withWriter(path, (again) => stored(again, findCollection(again, name)?.key as number));
				assert.deepEqual(content, model.content());
			}),
		);
	});

	test("takes 100,000 records a call, and deletes as many by label or by id", (t) => {
		const { db, key, writer } = open(t);
		const count = 100_000;
		const half = rowsOf(count)
			.map(({ id }) => id)
			.slice(count / 2)
			.reverse();
		const { died, inserted } = inTransaction(writer, () =>
			writer.upsert(key, columns(rowsOf(count)), { change: 1, now: 5 }),
		);
		assert.deepEqual([died.length, inserted], [0, count]);
		const labels = Array.from({ length: count / 2 }, (_, at) => at);
		assert.deepEqual(
			inTransaction(writer, () => writer.deleteLabels(key, labels, 2)),
			labels,
		);
		assert.equal(inTransaction(writer, () => writer.deleteIds(key, half, 3)).length, count / 2);
		const { counters, records, vectors, tombstones, words } = stored(db, key);
		assert.deepEqual(counters, { change: 3, nextLabel: count, records: 0 });
		assert.deepEqual([records, vectors, words], [[], [], [[], [], []]]);
		assert.deepEqual(
			[tombstones[0], tombstones.at(-1)],
			[
				{ change: 2, label: 0 },
				{ change: 3, label: count - 1 },
			],
		);
		assert.equal(
			inTransaction(writer, () => writer.giveUpTombstones(key, 2)),
			count / 2,
		);
	});

	test("replaces records with indexed metadata and finds the new values", (t) => {
		const { db, key, writer } = open(t, { ...SPEC, filterable: ["row"] });
		inTransaction(writer, () => writer.upsert(key, columns(rowsOf(3)), { change: 1, now: 1 }));
		const row = { id: "id 1", metadata: '{"row":7}', vector: Uint8Array.of(1) };
		inTransaction(writer, () => writer.upsert(key, columns([row]), { change: 2, now: 2 }));
		inTransaction(writer, () =>
			writer.update(key, columns([{ id: "id 2", metadata: '{"row":7}' }]), { change: 3, now: 3 }),
		);
		const sql = `SELECT label FROM ${tablesOf(key).records} WHERE json_extract(metadata, '$."row"') = ? ORDER BY label`;
		const labels = (value: number) =>
			db
				.prepare(sql)
				.all(value)
				.map(({ label }) => label);
		assert.deepEqual([labels(7), labels(1), labels(2)], [[2, 3], [], []]);
	});

	test("refuses labels beyond the last with COLLECTION_FULL, and gives the last", (t) => {
		const { db, key, writer } = open(t);
		const [a, b, c] = rowsOf(3) as [ModelRow, ModelRow, ModelRow];
		db.exec(`UPDATE collections SET next_label = ${BOUNDS.label.max - 1}`);
		const full = { code: "COLLECTION_FULL", message: /3 more vectors do not fit.* only 2 of its 4294967295/ };
		writer.begin();
		assert.throws(() => writer.upsert(key, columns([a, b, c]), { change: 1, now: 1 }), full);
		const { firstLabel } = writer.upsert(key, columns([a, b]), { change: 1, now: 1 });
		assert.equal(firstLabel + 1, BOUNDS.label.max);
		assert.throws(() => writer.update(key, columns([a]), { change: 2, now: 2 }), { code: "COLLECTION_FULL" });
		writer.update(key, columns([{ id: a.id, text: "red" }]), { change: 2, now: 2 });
		writer.commit();
		assert.deepEqual(
			stored(db, key).vectors.map(({ label }) => label),
			[BOUNDS.label.max - 1, BOUNDS.label.max],
		);
	});

	test("says NOT_FOUND of a collection that has been dropped, before and after its statements are forgotten", (t) => {
		const { db, key, writer } = open(t);
		inTransaction(writer, () => writer.upsert(key, columns(rowsOf(1)), { change: 1, now: 1 }));
		dropCollection(db, key);
		for (const change of [2, 3]) {
			const moment = { change, now: 1 };
			assert.throws(() => writer.upsert(key, columns(rowsOf(1)), moment), { code: "NOT_FOUND" });
			assert.throws(() => writer.update(key, columns(rowsOf(1)), moment), { code: "NOT_FOUND" });
			writer.forget(key);
		}
	});

	test("keeps nothing of a group on a full disk, and tells every operation after it", (t) => {
		const { db, key, writer } = open(t);
		const before = stored(db, key);
		const { page_count } = db.prepare("PRAGMA page_count").get() as { page_count: number };
		db.exec(`PRAGMA max_page_count = ${page_count + 10}`);
		writer.begin();
		writer.savepoint();
		writer.upsert(key, columns(rowsOf(3)), { change: 1, now: 1 });
		writer.release();
		writer.savepoint();
		assert.throws(() => writer.upsert(key, columns(rowsOf(20_000, 3)), { change: 2, now: 1 }), { code: "DISK_FULL" });
		assert.throws(() => writer.rollbackTo(), { code: "DISK_FULL" });
		writer.rollback();
		assert.deepEqual(stored(db, key), before);
		inTransaction(writer, () => writer.upsert(key, columns(rowsOf(3)), { change: 1, now: 1 }));
		assert.equal(stored(db, key).counters.records, 3);
	});

	test("refuses to go back to an operation where there is no transaction", (t) => {
		const { writer } = open(t);
		assert.throws(() => writer.rollbackTo(), { code: "UNAVAILABLE" });
		writer.rollback();
	});

	test("refuses to begin while another connection writes, with LOCKED", (t) => {
		const { db, path, writer } = open(t);
		db.exec("PRAGMA busy_timeout = 0");
		withWriter(path, (other) => {
			other.exec("BEGIN IMMEDIATE");
			assert.throws(() => writer.begin(), { code: "LOCKED" });
		});
		writer.begin();
		writer.rollback();
	});
});

describe("optimizeText", () => {
	test("leaves one segment, without the words of deleted records, and finds what it found", (t) => {
		const { db, key, writer } = open(t);
		for (let batch = 0; batch < 10; batch++) {
			inTransaction(writer, () =>
				writer.upsert(key, columns(rowsOf(300, batch * 200)), { change: batch + 1, now: batch }),
			);
		}
		const before = stored(db, key);
		const segments = `SELECT count(DISTINCT segid) AS n FROM ${tablesOf(key).words}_idx`;
		assert.ok((db.prepare(segments).get() as { n: number }).n > 1);
		writer.optimizeText(key);
		assert.equal((db.prepare(segments).get() as { n: number }).n, 1);
		assert.deepEqual(stored(db, key), before);
	});

	test("does nothing without words", (t) => {
		const { db, key, writer } = open(t);
		const before = stored(db, key);
		writer.optimizeText(key);
		assert.deepEqual(stored(db, key), before);
	});
});

describe("reclaim", () => {
	test("gives the space of dropped records back to the file system", (t) => {
		const { db, key, path, writer } = open(t);
		inTransaction(writer, () => writer.upsert(key, columns(rowsOf(10_000)), { change: 1, now: 1 }));
		const empty = createCollection(db, "empty", SPEC).key;
		dropCollection(db, key);
		const { before, after, busy } = writer.reclaim();
		assert.equal(after, statSync(path).size + statSync(`${path}-wal`).size);
		assert.ok(after < before / 4, `${after} of ${before} bytes are left`);
		assert.equal(busy, false);
		assert.equal((db.prepare("PRAGMA freelist_count").get() as { freelist_count: number }).freelist_count, 0);
		assert.equal(stored(db, empty).counters.records, 0);
	});

	test("says so where a reader is in the way, and works when it has gone", (t) => {
		const { db, key, path, writer } = open(t);
		db.exec("PRAGMA busy_timeout = 0");
		inTransaction(writer, () => writer.upsert(key, columns(rowsOf(10)), { change: 1, now: 1 }));
		const reader = openReader(path);
		reader.exec("BEGIN; SELECT * FROM collections");
		inTransaction(writer, () => writer.upsert(key, columns(rowsOf(10)), { change: 2, now: 1 }));
		assert.equal(writer.reclaim().busy, true);
		reader.close();
		assert.equal(writer.reclaim().busy, false);
		assert.equal(statSync(`${path}-wal`).size, 0);
	});
});
