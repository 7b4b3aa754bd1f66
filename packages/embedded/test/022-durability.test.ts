// What `durability` promises is SQLite's to keep: it has to be set on the connection that writes, in the thread that writes.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { openFolder } from "@nigh/embedded";
import type { Connection } from "./tell-connections.test-support.ts";

function testFolder(t: TestContext): string {
	const folder = mkdtempSync(join(tmpdir(), "nigh-durability-"));
	t.after(() => rmSync(folder, { recursive: true }));
	return folder;
}

/** The connections of a process that has written some records. */
function connectionsOf(t: TestContext, durability: string): Connection[] {
	const folder = testFolder(t);
	const preload = new URL("./tell-connections.test-support.ts", import.meta.url).href;
	const module = fileURLToPath(new URL("./write-once.test-support.ts", import.meta.url));
	const args = ["--conditions=@nigh/source", "--import", preload, module, folder, durability];
	const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
	assert.equal(status, 0, stderr);
	return stdout
		.split("\n")
		.filter((line) => line !== "")
		.map((line) => JSON.parse(line) as Connection);
}

for (const [durability, synchronous] of Object.entries({ full: 2, normal: 1 })) {
	test(`${durability}: the connection that writes the records is at synchronous=${synchronous}, in WAL mode`, (t) => {
		const writers = connectionsOf(t, durability).filter(
			({ file, changes }) => file === "records.sqlite" && changes >= 100,
		);
		assert.equal(writers.length, 1, "one connection writes them");
		const [{ changes, ...writer }] = writers as [Connection];
		assert.deepEqual(writer, { file: "records.sqlite", synchronous, journal: "wal" });
	});
}

test(`of ":memory:" nothing is left when it is closed, on the disk or in the next one`, async (t) => {
	const folder = testFolder(t);
	const names = ["TMPDIR", "TEMP"] as const;
	const before = names.map((name) => [name, process.env[name]] as const);
	t.after(() => {
		for (const [name, value] of before) {
			if (value === undefined) delete process.env[name];
			else process.env[name] = value;
		}
	});
	// Where the system has its temporary files.
	for (const name of names) process.env[name] = folder;
	const database = await openFolder(":memory:", { threads: 1 });
	const notes = await database.collection("notes", { dimensions: 2 });
	await notes.upsert([{ id: "a", vector: [1, 2] }]);
	assert.equal(readdirSync(folder).length, 1, "it lies there while it is open");
	await database.close();
	assert.deepEqual(readdirSync(folder), []);
	const next = await openFolder(":memory:", { threads: 1 });
	assert.deepEqual(await next.collections(), []);
	await next.close();
});
