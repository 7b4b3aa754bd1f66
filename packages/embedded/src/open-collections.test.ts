import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { NighError } from "@nigh/contract";
import type { DatabaseCore } from "./core.ts";
import { OpenCollections } from "./open-collections.ts";
import { createCollection, dropCollection } from "./records/catalogue.ts";
import { openRecords } from "./records/records.test-support.ts";
import { specOf } from "./spec.ts";

/** Collections whose writer does what `writer` says; `notes` is in the catalogue, with the key 2. */
async function collections(t: TestContext) {
	const { db } = openRecords([]);
	t.after(() => db.close());
	db.exec("DELETE FROM collections");
	const spec = await specOf({ dimensions: 2 }, undefined);
	const { key } = createCollection(db, "notes", spec);
	const refused = new NighError("LOCKED", "another connection writes");
	const writer = {
		refuses: "",
		/** Whether what fails has been done in part. */
		drops: false,
		opened: 0,
		async call(method: string) {
			if (method === "drop" && (this.drops || this.refuses !== "drop")) dropCollection(db, key);
			if (method === this.refuses) throw refused;
			if (method === "open") this.opened++;
			return method === "open" ? { key, spec, change: 0 } : true;
		},
	};
	const threads = { writer, reader: { call: async () => {} } };
	const examiner = { install() {}, respec() {}, forget: async () => {} };
	const around = { diskBytes: () => null, examiner, tableOf: () => undefined };
	const core = { threads, settings: { readOnly: false, now: () => 0 } } as unknown as DatabaseCore;
	return { open: new OpenCollections(core, db, around), writer };
}

for (const verb of ["drop", "close"] as const) {
	test(`a collection whose ${verb} fails is open as it was, and can be closed after all`, async (t) => {
		const { open, writer } = await collections(t);
		const before = await open.open("notes");
		const end = () => (verb === "drop" ? open.drop("notes") : before.collection.close());
		writer.refuses = verb;
		await assert.rejects(end(), { code: "LOCKED" });
		before.core.checkOpen();
		const lost = new NighError("UNAVAILABLE", "lost");
		assert.equal(before.core.failureOf(lost), lost, "its failures are not those of a dropped one");
		assert.equal((await open.open("notes")).core, before.core);
		assert.deepEqual([open.cores, writer.opened], [[before.core], 1]);
		writer.refuses = "";
		await end();
		assert.throws(() => before.core.checkOpen(), { code: "CLOSED" });
		assert.deepEqual(open.cores, []);
	});
}

test("who asks for it while a drop fails gets the one that was there", async (t) => {
	const { open, writer } = await collections(t);
	const before = await open.open("notes");
	writer.refuses = "drop";
	const [dropped, opened] = await Promise.allSettled([open.drop("notes"), open.open("notes")]);
	assert.equal(dropped.status, "rejected");
	assert.ok(opened.status === "fulfilled" && opened.value.core === before.core);
});

test("where it has gone, though the drop has failed after that, it is not open any more", async (t) => {
	const { open, writer } = await collections(t);
	const before = await open.open("notes");
	writer.refuses = "drop";
	writer.drops = true;
	await assert.rejects(open.drop("notes"), { code: "LOCKED" });
	assert.throws(() => before.core.checkOpen(), { code: "CLOSED" });
	assert.deepEqual(open.cores, []);
	await assert.rejects(open.open("notes"), { code: "NOT_FOUND" });
});
