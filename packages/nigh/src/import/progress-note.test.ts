import assert from "node:assert/strict";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "../temporary-folder.test-support.ts";
import { isStillThere, ProgressNote } from "./progress-note.ts";

const IDENTITY = { collection: "c", file: "/a/b.fvecs", bytes: 100, modifiedMs: 5.5, reading: { format: "fvecs" } };
const PROGRESS = { rows: 10, changeNumber: 2, firstId: "0", lastId: "9" };

test("a note is read back by the same import, and is gone with its folder when it is removed", (t) => {
	const folder = temporaryFolder(t);
	const note = new ProgressNote(folder, IDENTITY);
	assert.equal(note.read(), undefined);
	note.write({ ...PROGRESS, rows: 5 });
	note.write(PROGRESS);
	assert.deepEqual(new ProgressNote(folder, IDENTITY).read(), PROGRESS);
	const other = new ProgressNote(folder, { ...IDENTITY, file: "/a/c.fvecs" });
	other.write({ ...PROGRESS, rows: 7 });
	note.remove();
	assert.equal(note.read(), undefined);
	assert.equal(other.read()?.rows, 7);
	other.remove();
	other.remove();
	assert.equal(existsSync(join(folder, "imports")), false);
});

test("the note of another file, collection or way of reading is passed over", (t) => {
	const folder = temporaryFolder(t);
	new ProgressNote(folder, IDENTITY).write(PROGRESS);
	for (const other of [
		{ collection: "d" },
		{ file: "/a/c.fvecs" },
		{ bytes: 101 },
		{ modifiedMs: 6 },
		{ reading: { format: "fvecs", idPrefix: "x" } },
	]) {
		assert.equal(new ProgressNote(folder, { ...IDENTITY, ...other }).read(), undefined, JSON.stringify(other));
	}
});

test("a note that is cut off or says nothing of use counts as none", (t) => {
	const folder = temporaryFolder(t);
	const note = new ProgressNote(folder, IDENTITY);
	note.write(PROGRESS);
	const [name = ""] = readdirSync(join(folder, "imports"));
	const contents = ["", "{", "null", JSON.stringify(IDENTITY), JSON.stringify({ ...IDENTITY, progress: { rows: -1 } })];
	for (const content of contents) {
		writeFileSync(join(folder, "imports", name), content);
		assert.equal(note.read(), undefined, content);
	}
});

test("a collection that has lost the first or the last row, or is older than the note, does not have what was noted", async () => {
	const collection = (changeNumber: number, ids: readonly string[]) =>
		({
			stats: async () => ({ changeNumber }),
			get: async (asked: readonly string[]) => asked.map((id) => (ids.includes(id) ? { id } : undefined)),
		}) as unknown as Parameters<typeof isStillThere>[0];
	assert.equal(await isStillThere(collection(2, ["0", "9"]), PROGRESS), true);
	assert.equal(await isStillThere(collection(1, ["0", "9"]), PROGRESS), false);
	assert.equal(await isStillThere(collection(3, ["0"]), PROGRESS), false);
	assert.equal(await isStillThere(collection(3, ["9"]), PROGRESS), false);
});
