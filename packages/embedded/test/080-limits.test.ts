// How many records a collection takes, when it warns, and what it does about it by itself.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type Collection, type CollectionSpec, isNighError } from "@nigh/contract";
import { openFolder } from "@nigh/embedded";

async function collectionWith(t: TestContext, spec: CollectionSpec): Promise<Collection> {
	const database = await openFolder(":memory:", { threads: 1, now: () => 1_700_000_000_000 });
	t.after(() => database.close());
	return database.collection("notes", { dimensions: 2, metric: "l2", index: { kind: "flat" }, ...spec });
}

/** Records `from` to `to`, without the last. */
function records(from: number, to: number) {
	return Array.from({ length: to - from }, (_, i) => ({ id: `r${from + i}`, vector: Float32Array.of(from + i, 1) }));
}

async function refusal(call: Promise<unknown>) {
	const error = await call.then(
		() => undefined,
		(each: unknown) => each,
	);
	assert.ok(isNighError(error), "it was to be refused");
	return error;
}

test("of 50,000 records the last is taken and one more is refused; a warning is due from 40,000 on", async (t) => {
	const notes = await collectionWith(t, { maxRecords: 50_000 });
	await notes.upsert(records(0, 39_999));
	assert.equal((await notes.stats()).fill.nearLimit, false);
	assert.deepEqual((await notes.health()).reasons, []);
	await notes.upsert(records(39_999, 40_000));
	assert.deepEqual((await notes.stats()).fill, { share: 0.8, nearLimit: true });
	assert.deepEqual(
		(await notes.health()).reasons.map(({ code, status }) => [code, status]),
		[["near-limit", "degraded"]],
	);
	await notes.upsert(records(40_000, 49_999));
	await notes.upsert(records(49_999, 50_000));
	const { code, details } = await refusal(notes.upsert(records(50_000, 50_001)));
	assert.deepEqual([code, details.count, details.limit], ["COLLECTION_FULL", 50_000, 50_000]);
	// What is there already needs no room, alone or beside what is refused.
	await notes.upsert(records(0, 10));
	const partial = await notes.upsert(records(49_995, 50_002), { partial: true });
	assert.deepEqual([partial.succeeded, partial.failed], [5, 2]);
	assert.deepEqual(
		partial.errors.map(({ id, error }) => [id, error.code]),
		[
			["r50000", "COLLECTION_FULL"],
			["r50001", "COLLECTION_FULL"],
		],
	);
	assert.equal(await notes.count(), 50_000);
	const { hits } = await notes.search({ vector: [49_999, 1], k: 2 });
	assert.deepEqual(
		hits.map(({ id }) => id),
		["r49999", "r49998"],
	);
});

test("at 45,000 of 50,000 the oldest go by themselves, down to where no more than 80 % are taken", async (t) => {
	const notes = await collectionWith(t, { maxRecords: 50_000, prunePolicy: "oldest" });
	await notes.upsert(records(0, 44_999));
	assert.equal(await notes.count(), 44_999);
	await notes.upsert(records(44_999, 45_000));
	assert.equal(await notes.count(), 40_000);
	assert.equal(await notes.get("r4999"), undefined);
	assert.equal((await notes.get("r5000"))?.id, "r5000");
	const { hits } = await notes.search({ vector: [0, 1], k: 1 });
	assert.deepEqual(
		hits.map(({ id }) => id),
		["r5000"],
	);
});

test("a limit of memory refuses by itself, whatever the number of records may be", async (t) => {
	const memoryLimit = 2 ** 20;
	const notes = await collectionWith(t, { memoryLimit });
	const { code, details } = await refusal(notes.upsert(records(0, 50_000)));
	assert.deepEqual([code, details.limit], ["MEMORY_LIMIT", memoryLimit]);
	assert.equal(await notes.count(), 0);
	const { succeeded, errors } = await notes.upsert(records(0, 50_000), { partial: true });
	assert.ok(succeeded > 1_000);
	assert.equal(errors[0]?.error.code, "MEMORY_LIMIT");
	assert.equal((await refusal(notes.upsert(records(50_000, 50_001)))).code, "MEMORY_LIMIT");
	assert.equal(await notes.count(), succeeded);
	await notes.delete("r0");
	await notes.upsert(records(50_000, 50_001));
	assert.equal(await notes.count(), succeeded);
});

test("where the oldest go, a batch that is larger than the collection may be is refused as a whole", async (t) => {
	const notes = await collectionWith(t, { maxRecords: 10, prunePolicy: "oldest" });
	await notes.upsert(records(0, 5));
	const { code, details, message } = await refusal(notes.upsert(records(3, 14)));
	assert.deepEqual([code, details], ["COLLECTION_FULL", { count: 5, limit: 10, more: 11 }]);
	assert.match(message, /batch has 11 records/);
	assert.deepEqual(
		(await notes.get(records(0, 14).map(({ id }) => id))).map((record) => record !== undefined),
		Array.from({ length: 14 }, (_, i) => i < 5),
	);
	// As many as may be are taken: the oldest five go, whatever the batch.
	await notes.upsert(records(5, 10));
	assert.equal(await notes.count(), 8);
	assert.equal(await notes.get("r9").then((record) => record?.id), "r9");
	const partial = await notes.upsert(records(20, 40), { partial: true });
	assert.equal(partial.succeeded + partial.failed, 20);
	assert.ok(partial.failed > 0 && partial.errors.every(({ error }) => error.code === "COLLECTION_FULL"));
});
