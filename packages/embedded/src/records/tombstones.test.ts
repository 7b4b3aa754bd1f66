import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import { testFolder } from "../folder/folder.test-support.ts";
import { specOf } from "../spec.ts";
import { createCollection, findCollection, listCollections } from "./catalogue.ts";
import { openReader, openWriter } from "./connection.ts";
import { columns } from "./writer.test-support.ts";
import { RecordWriter } from "./writer.ts";

/** Records on disk, with a collection of which change 2 deleted one record and change 4 another. */
async function deleted(t: TestContext) {
	const path = join(testFolder(t), "records.sqlite");
	const db = openWriter(path, "off");
	t.after(() => db.close());
	const { key } = createCollection(db, "notes", await specOf({ dimensions: 1 }, undefined));
	const writer = new RecordWriter(db);
	const vector = new Uint8Array(4);
	const rows = columns(["a", "b", "c"].map((id) => ({ id, vector })));
	writer.begin();
	writer.upsert(key, rows, { change: 1, now: 0 });
	writer.deleteIds(key, ["a"], 2);
	writer.deleteIds(key, ["b"], 4);
	writer.commit();
	const giveUp = (through: number) => {
		writer.begin();
		const count = writer.giveUpTombstones(key, through);
		writer.commit();
		return count;
	};
	const reclaimedThrough = () => findCollection(db, "notes")?.reclaimedThrough;
	return { path, db, key, writer, giveUp, reclaimedThrough };
}

test("what is given up is noted by the change of the last tombstone that has gone", async (t) => {
	const { giveUp, reclaimedThrough } = await deleted(t);
	assert.equal(reclaimedThrough(), 0);
	assert.deepEqual([giveUp(1), reclaimedThrough()], [0, 0], "nobody lacks anything yet");
	assert.deepEqual([giveUp(3), reclaimedThrough()], [1, 2]);
	assert.deepEqual([giveUp(9), reclaimedThrough()], [1, 4]);
	assert.deepEqual([giveUp(1), reclaimedThrough()], [0, 4], "what has gone stays gone");
});

test("where the transaction is taken back, so is the note", async (t) => {
	const { writer, key, giveUp, reclaimedThrough } = await deleted(t);
	writer.begin();
	assert.equal(writer.giveUpTombstones(key, 9), 2);
	writer.rollback();
	assert.equal(reclaimedThrough(), 0);
	assert.equal(giveUp(9), 2);
});

test("a database that was made before this was noted is read as it is, and completed by who writes", async (t) => {
	const { path, db } = await deleted(t);
	db.exec("ALTER TABLE collections DROP COLUMN reclaimed_through");
	const reader = openReader(path);
	const [entry] = listCollections(reader);
	assert.deepEqual([entry?.name, entry?.records, entry?.reclaimedThrough], ["notes", 1, 0]);
	const written = openWriter(path, "off");
	assert.equal(findCollection(written, "notes")?.reclaimedThrough, 0);
	const writer = new RecordWriter(written);
	writer.begin();
	assert.equal(writer.giveUpTombstones(1, 9), 2);
	writer.commit();
	assert.equal(findCollection(reader, "notes")?.reclaimedThrough, 4, "for those as well that had it open");
	reader.close();
	written.close();
	// And once only.
	openWriter(path, "off").close();
	const plain = new DatabaseSync(path);
	assert.equal(plain.prepare("SELECT reclaimed_through AS through FROM collections").get()?.through, 4);
	plain.close();
});
