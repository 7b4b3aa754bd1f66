import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { NighError } from "@nigh/contract";
import type { DatabaseCore } from "./core.ts";
import { smallGeneration } from "./memory/generations.test-support.ts";
import { OpenCollections } from "./open-collections.ts";
import { cellFor, tableFor } from "./recall/served.test-support.ts";
import type { ServedTable } from "./recall/served.ts";
import { createCollection, dropCollection } from "./records/catalogue.ts";
import { openRecords } from "./records/records.test-support.ts";
import { specOf } from "./spec.ts";

/** Collections whose writer does what `writer` says; `notes` is in the catalogue, with the key 2, and `table` was known of it. */
async function collections(t: TestContext, table?: ServedTable) {
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
	/** What the indexer was told, and what the examiner was to forget. */
	const told: unknown[] = [];
	const forgotten: unknown[] = [];
	const indexer = { call: async (...call: unknown[]) => void told.push(call) };
	const threads = { writer, indexer, reader: { call: async () => {} } };
	const forget = async (...forgets: unknown[]) => void forgotten.push(forgets);
	const examiner = { install() {}, respec() {}, forget };
	const around = { diskBytes: () => null, examiner, tableOf: () => table };
	const core = { threads, settings: { readOnly: false, now: () => 0 } } as unknown as DatabaseCore;
	return { open: new OpenCollections(core, db, around), writer, told, forgotten, key };
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
	const { open, writer, forgotten, key } = await collections(t);
	const before = await open.open("notes");
	writer.refuses = "drop";
	writer.drops = true;
	await assert.rejects(open.drop("notes"), { code: "LOCKED" });
	assert.deepEqual(forgotten, [[key, true, undefined]]);
	assert.throws(() => before.core.checkOpen(), { code: "CLOSED" });
	assert.deepEqual(open.cores, []);
	await assert.rejects(open.open("notes"), { code: "NOT_FOUND" });
});

test("what was known of one that is replaced or dropped goes with it; of one that is closed it stays", async (t) => {
	const { open, forgotten, key } = await collections(t);
	await open.open("notes");
	await open.replacing(["notes"], async () => {});
	assert.deepEqual(forgotten, [[key, true, undefined]]);
	await assert.rejects(open.replacing(["notes"], () => Promise.reject(new Error("no backup"))));
	const { collection } = await open.open("notes");
	await collection.close();
	assert.deepEqual(forgotten.slice(1), [[key, false, undefined]]);
	await open.open("notes");
	await open.drop("notes");
	assert.deepEqual(forgotten.slice(2), [[key, true, undefined]]);
});

test("whoever builds is told how old the newest certificate is, not how old the index", async (t) => {
	const cells = [cellFor({ churn: 1_000 }), cellFor({ k: 1, churn: 950 })];
	const { open, told, key } = await collections(t, tableFor(cells, { key: 2 }));
	const { handle, area } = smallGeneration();
	// 9.9 % have come since.
	const generation = { ...handle, identity: { id: "first", offset: 1_099 } };
	open.install({ key, generation, areas: { caller: area, worker: area } });
	await open.open("notes");
	assert.deepEqual(told, [["certified", { key, identity: "first", churn: 1_000 }]]);
	open.served(tableFor(cells, { key, identity: "other" }));
	assert.equal(told.length, 1, "what is known is of another index");
});
