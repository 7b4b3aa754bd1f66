import assert from "node:assert/strict";
import type { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import type { DatabaseCore } from "../core.ts";
import { smallGeneration } from "../memory/generations.test-support.ts";
import { specOf } from "../spec.ts";
import type { Caller } from "../workers/rpc.ts";
import { turn } from "../workers/turn.ts";
import type { HostMethods } from "./messages.ts";
import { SharedDatabase } from "./shared-database.ts";

test("what cannot be read in at length fails who asks for that, and nothing else; it is asked for once a generation", async (t) => {
	const { handle, area, generation } = smallGeneration();
	const spec = await specOf({ dimensions: 4 }, undefined);
	const installed = { key: 1, generation: handle, areas: { caller: area, worker: area } };
	const host = {
		call: async (method: string) =>
			method === "open" ? { entry: { key: 1, name: "notes", spec, change: 0 }, installed } : undefined,
	} as unknown as Caller<HostMethods>;
	let attached = 0;
	const reader = {
		async call() {
			attached++;
			throw new Error("no memory");
		},
	};
	const core = { threads: { reader }, settings: { readOnly: true, now: () => 0 } } as unknown as DatabaseCore;
	const database = new SharedDatabase(host, { close: () => {} } as DatabaseSync, core, () => {});
	t.after(() => database.close());
	// As a thread that was ended while it read has left it.
	generation.enter(area.reader);
	const turns = generation.readerTurns();
	await database.collection("notes");
	assert.equal(generation.haveLeft(turns), true, "the turn of who had the number before is ended");
	database.install(installed);
	await turn();
	assert.equal(attached, 1);
	database.install({ ...installed, generation: { ...handle, number: handle.number + 1 } });
	await turn();
	assert.equal(attached, 2);
});

test("a collection that is closed, alone or with its database, is let go of by whoever reads in it at length", async () => {
	const { handle, area } = smallGeneration();
	const spec = await specOf({ dimensions: 4 }, undefined);
	const installed = { key: 1, generation: handle, areas: { caller: area, worker: area } };
	const host = {
		call: async (method: string) =>
			method === "open" ? { entry: { key: 1, name: "notes", spec, change: 0 }, installed } : undefined,
	} as unknown as Caller<HostMethods>;
	const asked: string[] = [];
	const reader = { call: async (method: string) => void asked.push(method) };
	const core = { threads: { reader }, settings: { readOnly: true, now: () => 0 } } as unknown as DatabaseCore;
	const database = new SharedDatabase(host, { close: () => {} } as DatabaseSync, core, () => {});
	const notes = await database.collection("notes");
	await notes.close();
	assert.deepEqual(asked, ["attach", "detach"]);
	await database.collection("notes");
	await database.close();
	database.install({ ...installed, generation: { ...handle, number: handle.number + 1 } });
	assert.deepEqual(asked, ["attach", "detach", "attach", "detach"]);
});
