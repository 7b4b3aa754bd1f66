import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { NighError } from "@nigh/contract";
import type { StoredSpec } from "../records/catalogue.ts";
import { pack, stored } from "../records/writer.test-support.ts";
import { GroupCommit } from "./group-commit.ts";
import type { Room } from "./room.ts";
import { Writes } from "./writes.ts";
import { bytesOf, writtenRecords } from "./written.test-support.ts";

const NOW = 1_000;

async function started(
	t: TestContext,
	given: Partial<StoredSpec>,
	capacity = 256,
	grow?: (room: Room) => Promise<void>,
) {
	const { db, key, reader, writer, view } = await writtenRecords(t, given);
	const { collection } = view({ capacity, idBytes: 8_192 }, grow);
	const writes = new Writes(writer, reader, new GroupCommit(writer), () => {});
	const upsert = (ids: readonly string[], partial = false) =>
		writes.upsert(collection, { rows: [rowsOf(ids)], now: NOW, partial });
	return { collection, writes, upsert, content: () => stored(db, key) };
}

function rowsOf(ids: readonly string[]) {
	return pack(ids.map((id, n) => ({ id, metadata: `{"n":${n}}`, vector: bytesOf(n) })));
}

function ids(from: number, to: number): string[] {
	return Array.from({ length: to - from }, (_, i) => `r${from + i}`);
}

test("where there is no memory for a write, it is MEMORY_LIMIT and nothing is written", async (t) => {
	const asked: Room[] = [];
	const refuse = async (room: Room) => {
		asked.push(room);
		throw new NighError("MEMORY_LIMIT", "no memory", { count: 3, limit: 4 });
	};
	const { collection, writes, upsert, content } = await started(t, {}, 4, refuse);
	await upsert(ids(0, 3));
	const before = content();
	const isRefused = { code: "MEMORY_LIMIT", details: { count: 3, limit: 4 } };
	await assert.rejects(upsert(ids(3, 5)), isRefused);
	await assert.rejects(upsert(ids(3, 5), true), isRefused);
	await assert.rejects(writes.update(collection, [rowsOf(["r0", "r1"])], NOW), isRefused);
	assert.deepEqual(content(), before);
	assert.deepEqual(asked[0], { slots: 2, idBytes: 5 });
	assert.equal(collection.generation?.slotEnd, 3);
	// What needs no slot goes on, and what fits does.
	await writes.update(collection, [pack([{ id: "r0", metadata: "{}" }])], NOW);
	await upsert(ids(3, 4));
	assert.equal((await writes.delete(collection, { ids: "r0", matched: undefined, now: NOW })).deleted, 1);
	assert.equal(asked.length, 3);
});

test("room that a write has not used is there for the next", async (t) => {
	const { upsert } = await started(t, { maxRecords: 4 }, 6, async () => assert.fail("no room is to be made"));
	await upsert(ids(0, 2));
	// No more than four can ever be written, so room is made for no more.
	await assert.rejects(upsert(ids(2, 7)), { code: "COLLECTION_FULL" });
	await upsert(ids(2, 4));
	await upsert(ids(0, 2));
});

test("a batch that is larger than all of the room is refused as a whole where the oldest go", async (t) => {
	const { upsert, content } = await started(t, { maxRecords: 10, prunePolicy: "oldest" });
	await upsert(ids(0, 5));
	const before = content();
	await assert.rejects(upsert(ids(3, 14)), { code: "COLLECTION_FULL", details: { count: 5, limit: 10, more: 11 } });
	assert.deepEqual(content(), before);
	assert.equal((await upsert(ids(3, 9))).records, 8, "down to where no warning is due");
});
