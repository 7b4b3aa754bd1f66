import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { parseFilter } from "@nigh/contract";
import { testFolder } from "../folder/folder.test-support.ts";
import { smallGeneration } from "../memory/generations.test-support.ts";
import { openWriter } from "../records/connection.ts";
import { fill } from "../records/filled.test-support.ts";
import { RecordReader } from "../records/reader.ts";
import { HeldState } from "../workers/held-state.ts";
import { turn } from "../workers/turn.ts";
import { matchesFrom } from "./matches.ts";

const RECORDS = 40;
/** Every third label: see `recordOf`. */
const LESSONS = parseFilter({ type: "lesson" });

/** Records on disk, every tenth of which is deleted, and a generation that has none of them yet. */
function records(t: TestContext) {
	const path = join(testFolder(t), "records.sqlite");
	const db = openWriter(path, "off");
	const key = fill(db, "notes", RECORDS);
	const reader = new RecordReader(db);
	const held = new HeldState(path);
	t.after(() => {
		held.close();
		db.close();
	});
	const small = smallGeneration();
	const { change } = reader.state(key);
	const labels = Array.from({ length: change }, (_, label) => label).filter((label) => label % 10 !== 9);
	const add = (label: number) => small.add(Float32Array.of(label, 0, 0, 0), { label });
	const asked = () => matchesFrom(reader, held, () => 1_000)({ key, searcher: small.searcher }, LESSONS);
	const slotsOf = (bitmap: number) => {
		const words = new Uint32Array(small.handle.memory.buffer, bitmap, small.area.bitmapBytes / 4);
		return Array.from({ length: small.handle.size.capacity }, (_, slot) => slot).filter(
			(slot) => ((words[slot >>> 5] as number) >>> (slot & 31)) & 1,
		);
	};
	return { small, change, labels, add, asked, slotsOf };
}

test("the slots of what matches, and of nothing else, at the newest state", async (t) => {
	const { small, change, labels, add, asked, slotsOf } = records(t);
	for (const label of labels) add(label);
	small.generation.publish(change);
	const found = await asked();
	assert.ok(found !== undefined);
	const expected = labels.flatMap((label, slot) => (label % 3 === 0 ? [slot] : []));
	assert.ok(expected.length > 10);
	assert.deepEqual(slotsOf(found.bitmap), expected);
	assert.deepEqual([found.count, found.change], [expected.length, change]);
});

test("what is committed and not in the memory yet is waited for", async (t) => {
	const { small, change, labels, add, asked, slotsOf } = records(t);
	const late = labels.length - 5;
	for (const label of labels.slice(0, late)) add(label);
	small.generation.publish(change - 1);
	let isFound = false;
	const finding = asked().then((found) => {
		isFound = true;
		return found;
	});
	for (let i = 0; i < 3; i++) await turn();
	assert.equal(isFound, false);
	for (const label of labels.slice(late)) add(label);
	small.generation.publish(change);
	const found = await finding;
	assert.deepEqual(
		slotsOf(found?.bitmap ?? 0),
		labels.flatMap((label, slot) => (label % 3 === 0 ? [slot] : [])),
	);
});

test("a state that never comes into the memory has no matches, rather than those of another", async (t) => {
	const { small, change, labels, add, asked } = records(t);
	for (const label of labels) add(label);
	small.generation.publish(change - 1);
	assert.equal(await asked(), undefined);
});
