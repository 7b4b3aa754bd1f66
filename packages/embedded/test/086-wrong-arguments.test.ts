// What is not what a verb takes at all: refused with a code that names it, never with an error of the language.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Collection, Database } from "@nigh/contract";
import { openFolder } from "@nigh/embedded";

const VECTOR = [1, 0];

async function started(t: TestContext): Promise<{ database: Database; notes: Collection }> {
	const database = await openFolder(":memory:", { threads: 1, pruneEveryMs: 0 });
	t.after(() => database.close());
	const notes = await database.collection("notes", { dimensions: 2, metric: "l2" });
	await notes.upsert([{ id: "a", vector: VECTOR }]);
	return { database, notes };
}

/** A list whose first place is empty, as `delete list[0]` leaves it. */
function withHole<T>(value: T): T[] {
	const list: T[] = [];
	list[1] = value;
	return list;
}

test("a list with a hole is refused, and the hole is named", async (t) => {
	const { notes } = await started(t);
	const calls: Record<string, [code: string, call: () => Promise<unknown>]> = {
		searchMany: ["INVALID_OPTION", () => notes.searchMany(withHole({ vector: VECTOR }))],
		get: ["INVALID_RECORD", () => notes.get(withHole("a"))],
		delete: ["INVALID_RECORD", () => notes.delete(withHole("a"))],
		upsert: ["INVALID_RECORD", () => notes.upsert(withHole({ id: "b", vector: VECTOR }))],
		update: ["INVALID_RECORD", () => notes.update(withHole({ id: "a", metadata: {} }))],
	};
	for (const [verb, [code, call]] of Object.entries(calls)) {
		await assert.rejects(call, (error: { code?: string; details?: { row?: number } }) => {
			assert.deepEqual([error.code, error.details?.row], [code, 0], verb);
			return true;
		});
	}
	assert.equal(await notes.count(), 1);
	const partial = await notes.upsert(withHole({ id: "b", vector: VECTOR }), { partial: true });
	assert.deepEqual([partial.succeeded, partial.failed, partial.errors[0]?.row], [1, 1, 0]);
});

test("a path that is none is refused by backup and restore", async (t) => {
	const { database } = await started(t);
	for (const path of [5, null, undefined, {}, "", "a\0b"] as unknown as string[]) {
		await assert.rejects(database.backup(path), { code: "INVALID_OPTION", message: /^destination is / });
		await assert.rejects(database.restore(path), { code: "INVALID_OPTION", message: /^source is / });
	}
});

test("a clock that stops telling the time is refused by the call that reads it", async (t) => {
	let time = 1_000.5;
	const database = await openFolder(":memory:", { threads: 1, pruneEveryMs: 0, now: () => time });
	t.after(() => database.close());
	const notes = await database.collection("notes", { dimensions: 2 });
	await notes.upsert([{ id: "a", vector: VECTOR }]);
	assert.equal((await notes.get("a"))?.insertedAt, 1_000);
	time = Number.NaN;
	await assert.rejects(notes.upsert([{ id: "b", vector: VECTOR }]), { code: "INVALID_OPTION" });
	await assert.rejects(notes.get("a"), { code: "INVALID_OPTION" });
	await assert.rejects(notes.search({ vector: VECTOR }), { code: "INVALID_OPTION" });
	await assert.rejects(openFolder(":memory:", { now: () => time }), { code: "INVALID_OPTION" });
});
