import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { hashedNgrams } from "@nigh/embed";
import { open } from "../open.ts";
import { temporaryFolder } from "../temporary-folder.test-support.ts";
import { DATABASE_FOLDER, openPassages, type PassageDatabase } from "./database.ts";

const embedder = hashedNgrams();
const RECORD = {
	id: "a.md#0",
	text: "some words",
	metadata: { file: "a.md", fingerprint: "f", line: 1, heading: "" },
};

async function opened(t: TestContext, folder: string): Promise<PassageDatabase> {
	const passages = await openPassages(folder, embedder);
	t.after(() => passages.database.close());
	return passages;
}

test("the database is kept in the folder, where Git does not see it", async (t) => {
	const folder = temporaryFolder(t);
	const first = await opened(t, folder);
	assert.deepEqual([first.mode, first.note, first.path], ["kept", "", join(folder, DATABASE_FOLDER)]);
	await first.passages.upsert([RECORD]);
	await first.database.close();
	assert.equal(readFileSync(join(folder, DATABASE_FOLDER, ".gitignore"), "utf8"), "*\n");
	assert.equal(await (await opened(t, folder)).passages.count(), 1);
});

test("beside one that writes it is read, and says who writes", async (t) => {
	const folder = temporaryFolder(t);
	const writer = await opened(t, folder);
	await writer.passages.upsert([RECORD]);
	const reader = await opened(t, folder);
	assert.equal(reader.mode, "read-only");
	assert.match(reader.note, new RegExp(`^Opened for reading only: .*${process.pid}`));
	assert.equal((await reader.passages.search({ embed: "words", k: 1 })).hits[0]?.id, RECORD.id);
});

test("beside one that has not written anything yet, one in memory is filled", async (t) => {
	const folder = temporaryFolder(t);
	await opened(t, folder);
	const second = await opened(t, folder);
	assert.deepEqual([second.mode, second.path], ["memory", ":memory:"]);
	await second.passages.upsert([RECORD]);
	assert.equal(await second.passages.count(), 1);
});

test("where nothing can be kept, one in memory takes its place and the note says why", async (t) => {
	// A file where the folder of the database would be: not even root can write there.
	const folder = temporaryFolder(t, { [DATABASE_FOLDER]: "in the way" });
	const { mode, note, passages } = await opened(t, folder);
	assert.equal(mode, "memory");
	assert.match(note, /^Nothing is kept this time: .*is, or is in, a file/);
	await passages.upsert([RECORD]);
	assert.equal(await passages.count(), 1);
});

test("what an embedder of another version has written is dropped, to be made again", async (t) => {
	const folder = temporaryFolder(t);
	const database = await open(join(folder, DATABASE_FOLDER));
	const old = await database.collection("passages", { embedder: hashedNgrams({ dimensions: 64 }), metric: "cosine" });
	await old.upsert([RECORD]);
	await database.close();
	const { mode, passages } = await opened(t, folder);
	assert.deepEqual([mode, await passages.count()], ["kept", 0]);
	await passages.upsert([RECORD]);
});
