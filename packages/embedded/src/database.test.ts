import assert from "node:assert/strict";
import { test } from "node:test";
import { NighError } from "@nigh/contract";
import type { DatabaseCore } from "./core.ts";
import { EmbeddedDatabase } from "./database.ts";
import { testFolder } from "./folder/folder.test-support.ts";
import type { FolderPaths } from "./folder/layout.ts";
import { createCollection } from "./records/catalogue.ts";
import { openRecords } from "./records/records.test-support.ts";
import { specOf } from "./spec.ts";
import type { Threads } from "./threads.ts";

for (const failure of [undefined, new NighError("LOCKED", "another connection writes")]) {
	const how = failure === undefined ? "closes" : "does not";
	test(`the examiner lets go of a collection after the writer has closed it, which ends what the examiner may be busy with; also where it ${how}`, async (t) => {
		const { db } = openRecords([]);
		db.exec("DELETE FROM collections");
		const spec = await specOf({ dimensions: 2 }, undefined);
		const { key } = createCollection(db, "notes", spec);
		const told: unknown[] = [];
		const { promise: pressed, resolve: press } = Promise.withResolvers<void>();
		const writer = {
			async call(method: string) {
				told.push(method);
				if (method === "open") return { key, spec, change: 0 };
				if (method !== "close") return;
				press();
				if (failure !== undefined) throw failure;
			},
		};
		const examiner = {
			async forget() {
				// It asks an index that is being built until somebody presses the thread that builds.
				await pressed;
				told.push("forget");
			},
		};
		const idle = { call: async () => {} };
		const threads = { writer, examiner, indexer: idle, reader: idle, end: async () => {} } as unknown as Threads;
		const settings = { readOnly: false, pruneEveryMs: 0, now: () => 0 };
		const core = { threads, settings, view: "writer" } as unknown as DatabaseCore;
		const folder = testFolder(t);
		const database = new EmbeddedDatabase(core, threads, {
			paths: { folder, snapshots: folder } as FolderPaths,
			connection: db,
			release() {},
		});
		await database.collection("notes");
		if (failure === undefined) await database.close();
		else await assert.rejects(database.close(), failure);
		assert.deepEqual(told.slice(0, 3), ["open", "close", "forget"]);
	});
}
