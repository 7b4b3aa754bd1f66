import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { type Collection, type Database, isNighError, type ShareHandle } from "@nigh/contract";
import { collect } from "@nigh/contract/suite";
import { testFolder } from "../folder/folder.test-support.ts";
import { openFolder } from "../open.ts";
import { turn } from "../workers/turn.ts";
import { openShared } from "./open-shared.ts";

const SPEC = { dimensions: 2, metric: "l2" } as const;

/** A database with one collection of three records, and a reader of it: a channel works inside one thread as well. */
async function shared(t: TestContext) {
	const owner = await openFolder(":memory:", { threads: 1 });
	const notes = await owner.collection("notes", SPEC);
	await notes.upsert(["a", "b", "c"].map((id, n) => ({ id, vector: [n, n], metadata: { n }, text: `word ${id}` })));
	const handle = await owner.share();
	const reader = await openShared(handle);
	t.after(async () => {
		await reader.close();
		await owner.close();
	});
	return { owner, notes, handle, reader };
}

async function nearest(collection: Collection, n: number): Promise<string | undefined> {
	return (await collection.search({ vector: [n, n], k: 1 })).hits[0]?.id;
}

test("what no share() has given is refused", async (t) => {
	const { handle } = await shared(t);
	const wrong = [undefined, null, 5, "nigh", {}, { kind: "nigh-share" }, { ...handle, kind: "other" }];
	const parts = [{ channel: undefined }, { channel: 5 }, { records: undefined }, { records: null }, { thread: "0" }];
	for (const each of [...wrong, ...parts.map((part) => ({ ...handle, ...part }))]) {
		await assert.rejects(openShared(each as ShareHandle), (error) => {
			assert.ok(isNighError(error, "INVALID_OPTION"), String(error));
			assert.equal(error.details.field, "handle");
			return true;
		});
	}
});

test("options that it does not have are refused, and a clock that is none", async (t) => {
	const { handle } = await shared(t);
	const refused = async (options: unknown, field: string) =>
		assert.rejects(openShared(handle, options as object), (error) => {
			assert.ok(isNighError(error, "INVALID_OPTION"), String(error));
			assert.equal(error.details.field, field);
			return true;
		});
	await refused({ readOnly: true }, "readOnly");
	await refused(null, "openShared");
	await refused({ now: 5 }, "now");
});

test("where the records have gone it is NOT_FOUND", async (t) => {
	const { handle } = await shared(t);
	const gone = { ...handle, records: join(testFolder(t), "records.sqlite") };
	await assert.rejects(openShared(gone as ShareHandle), { code: "NOT_FOUND" });
});

test("every verb that reads gives what the owner's gives", async (t) => {
	const { owner, notes, reader } = await shared(t);
	const seen = await reader.collection("notes");
	assert.deepEqual(await reader.collections(), await owner.collections());
	assert.deepEqual(await seen.get("b"), await notes.get("b"));
	assert.deepEqual(await seen.get(["b", "x", "a"]), await notes.get(["b", "x", "a"]));
	assert.equal(await seen.count({ filter: { n: { $gte: 1 } } }), 2);
	const all = { include: { vector: true, metadata: true, text: true } } as const;
	assert.deepEqual(await collect(seen.scan(all)), await collect(notes.scan(all)));
	const requests = [
		{ vector: [0.9, 0.9], k: 2, ...all },
		{ vector: [0.9, 0.9], k: 2, filter: { n: { $ne: 1 } } },
		{ id: "c", k: 3 },
		{ vector: [0, 0], text: "c", k: 3 },
		{ vector: [0, 0], k: 3, exact: true },
	];
	for (const request of requests)
		assert.deepEqual((await seen.search(request)).hits, (await notes.search(request)).hits);
	const many = await seen.searchMany(requests);
	assert.deepEqual(
		many.map(({ hits }) => hits),
		(await notes.searchMany(requests)).map(({ hits }) => hits),
	);
	assert.equal((await seen.stats()).records, 3);
	assert.equal((await seen.analyze()).index, "flat");
	assert.equal((await reader.health()).status, "ok");
});

test("nothing can be changed through it, and every refusal says so by its code", async (t) => {
	const { notes, reader } = await shared(t);
	const seen = await reader.collection("notes");
	const refusals: Record<string, [call: Promise<unknown>, code: string]> = {
		upsert: [seen.upsert([{ id: "d", vector: [1, 1] }]), "READ_ONLY"],
		update: [seen.update([{ id: "a", metadata: {} }]), "READ_ONLY"],
		delete: [seen.delete("a"), "READ_ONLY"],
		prune: [seen.prune({ maxRecords: 1 }), "READ_ONLY"],
		optimize: [seen.optimize(), "READ_ONLY"],
		drop: [reader.drop("notes"), "READ_ONLY"],
		backup: [reader.backup("x"), "UNSUPPORTED"],
		restore: [reader.restore("x"), "UNSUPPORTED"],
		verify: [reader.verify(), "UNSUPPORTED"],
		repair: [reader.repair(), "UNSUPPORTED"],
		share: [reader.share(), "UNSUPPORTED"],
	};
	for (const [verb, [call, code]] of Object.entries(refusals)) await assert.rejects(call, { code }, verb);
	assert.equal(await notes.count(), 3);
	const { features } = reader.capabilities;
	assert.deepEqual([features.backup, features.share, features.optimize], [false, false, false]);
});

test("what the owner has acknowledged is found at once, in a generation after the other", async (t) => {
	const { notes, reader } = await shared(t);
	const seen = await reader.collection("notes");
	for (let round = 0; round < 3; round++) {
		await notes.upsert(
			Array.from({ length: 300 }, (_, i) => ({ id: `r${i}`, vector: [i * 10 + round, i * 10 + round] })),
		);
		assert.equal(await nearest(seen, 1_230 + round), "r123");
		if (round === 0) await notes.convert({ kind: "hnsw" });
		else await notes.rebuild();
		assert.equal(await nearest(seen, 1_230 + round), "r123");
		await notes.delete("r200");
		assert.notEqual(await nearest(seen, 2_000 + round), "r200");
	}
});

test("what the owner converts is what a reader may say widths of, and what its stats tell", async (t) => {
	const { notes, reader } = await shared(t);
	const seen = await reader.collection("notes");
	const vectors = Array.from({ length: 1_100 }, (_, i) => [Math.sin(i) * 9, Math.cos(3 * i) * 9]);
	await notes.upsert(vectors.map((vector, i) => ({ id: `r${i}`, vector })));
	const vector = [1, 1];
	const nprobe = { vector, nprobe: 3 };
	const ef = { vector, ef: 40 };
	const steps = [
		[{ kind: "hnsw", M: 4, efConstruction: 8 }, ef, nprobe],
		[{ kind: "ivf", nlist: 8 }, nprobe, ef],
		[{ kind: "flat" }, ef, nprobe],
	] as const;
	for (const [index, taken, refused] of steps) {
		await notes.convert(index);
		// The generation is told of beside the answer to the conversion.
		while ((await seen.search({ vector })).plan.index !== index.kind) await turn();
		assert.equal((await seen.search(taken)).plan.index, index.kind);
		await assert.rejects(seen.search(refused), { code: "INVALID_OPTION" });
		const { parameters } = (await seen.stats()).effective.index;
		assert.equal(parameters.asked, index.kind);
	}
});

test("a collection of the first vector is there when it comes", async (t) => {
	const { owner, reader } = await shared(t);
	const written = await owner.collection("later", { metric: "l2" });
	const seen = await reader.collection("later");
	assert.deepEqual((await seen.search({ vector: [1, 2, 3] })).hits, []);
	await written.upsert([{ id: "first", vector: [1, 2, 3] }]);
	// The generation is told of beside the answer to the write.
	while ((await seen.search({ vector: [1, 2, 3] })).hits.length === 0) await turn();
	assert.equal((await seen.search({ vector: [1, 2, 3] })).hits[0]?.id, "first");
});

test("a spec that contradicts is refused, and who reads already goes on with every generation", async (t) => {
	const { notes, reader } = await shared(t);
	const seen = await reader.collection("notes");
	await assert.rejects(reader.collection("notes", { dimensions: 3 }), { code: "SPEC_CONFLICT" });
	const again = await reader.collection("notes", SPEC);
	await notes.upsert(Array.from({ length: 300 }, (_, i) => ({ id: `r${i}`, vector: [i + 10, i + 10] })));
	await notes.convert({ kind: "hnsw" });
	await notes.delete("r50");
	for (const each of [seen, again]) assert.equal(await nearest(each, 110), "r100");
});

test("what is not there is NOT_FOUND, and can be opened once it is", async (t) => {
	const { owner, reader } = await shared(t);
	await assert.rejects(reader.collection("new"), { code: "NOT_FOUND" });
	await assert.rejects(reader.collection(""), { code: "INVALID_OPTION" });
	await (await owner.collection("new", SPEC)).upsert([{ id: "x", vector: [1, 1] }]);
	assert.equal(await nearest(await reader.collection("new"), 1), "x");
});

test("a collection that is closed is opened anew, the others go on", async (t) => {
	const { reader } = await shared(t);
	const seen = await reader.collection("notes");
	await seen.close();
	await assert.rejects(seen.count(), { code: "CLOSED" });
	assert.equal(await nearest(await reader.collection("notes"), 2), "c");
});

async function assertClosed(database: Database, collection: Collection): Promise<void> {
	await assert.rejects(collection.search({ vector: [1, 1] }), { code: "CLOSED" });
	await assert.rejects(collection.count(), { code: "CLOSED" });
	await assert.rejects(database.collection("notes"), { code: "CLOSED" });
	await assert.rejects(database.collections(), { code: "CLOSED" });
	await assert.rejects(database.health(), { code: "CLOSED" });
	await assert.rejects(database.backup("x"), { code: "CLOSED" });
}

test("closing it leaves the owner and other readers as they are, and may be done twice", async (t) => {
	const { notes, handle, reader } = await shared(t);
	const other = await openShared(handle);
	const [seen, alsoSeen] = [await reader.collection("notes"), await other.collection("notes")];
	await reader.close();
	await reader.close();
	await assertClosed(reader, seen);
	assert.deepEqual([await nearest(alsoSeen, 1), await nearest(notes, 1)], ["b", "b"]);
	await other.close();
});

test("when the owner closes, readers are told, and what they ask then is CLOSED", async (t) => {
	const { owner, handle, reader } = await shared(t);
	const seen = await reader.collection("notes");
	await owner.close();
	for (let closed = false; !closed; await turn())
		closed = (await reader.collections().catch(() => undefined)) === undefined;
	await assertClosed(reader, seen);
	// What is posted late finds nobody, or no file.
	await openShared(handle).then(
		() => assert.fail("nobody is there"),
		(error) => assert.ok(isNighError(error, "NOT_FOUND") || isNighError(error, "CLOSED"), String(error)),
	);
});

test("a thread that opens it after the owner has closed it, or that has no such owner, is told CLOSED", async (t) => {
	const folder = testFolder(t);
	const owner = await openFolder(folder, { threads: 1 });
	await (await owner.collection("notes", SPEC)).upsert([{ id: "a", vector: [1, 1] }]);
	const handle = await owner.share();
	await owner.close();
	await assert.rejects(openShared(handle), { code: "CLOSED" });
	await assert.rejects(openShared({ ...handle, thread: 1e6 } as ShareHandle), { code: "CLOSED" });
});

test("a collection that is asked for while the owner closes is there or CLOSED", async (t) => {
	const { owner, reader } = await shared(t);
	const [asked] = await Promise.allSettled([reader.collection("notes"), owner.close()]);
	if (asked.status === "fulfilled") assert.equal(asked.value.name, "notes");
	else assert.ok(isNighError(asked.reason, "CLOSED"), String(asked.reason));
	await assert.rejects(reader.collection("notes"), { code: "CLOSED" });
});

test("who gets the place of one that was closed searches by its own filters", async (t) => {
	const { notes, handle, reader } = await shared(t);
	await notes.convert({ kind: "hnsw" });
	const found = async (database: Database, least: number) => {
		const seen = await database.collection("notes");
		const { hits } = await seen.search({ vector: [0, 0], filter: { n: { $gte: least } } });
		await seen.close();
		return hits.map(({ id }) => id);
	};
	for (let round = 0; round < 9; round++) assert.equal((await found(reader, round % 3)).length, 3 - (round % 3));
	for (let round = 0; round < 3; round++) {
		const other = await openShared(handle);
		assert.deepEqual(await found(other, round), ["a", "b", "c"].slice(round));
		await other.close();
	}
});

test("the clock of the thread decides what has expired there", async (t) => {
	const owner = await openFolder(":memory:", { threads: 1, pruneEveryMs: 0, now: () => 1_000 });
	const notes = await owner.collection("notes", SPEC);
	await notes.upsert([
		{ id: "short", vector: [1, 1], expiresAt: 2_000 },
		{ id: "long", vector: [2, 2] },
	]);
	let now = 1_000;
	const reader = await openShared(await owner.share(), { now: () => now });
	t.after(async () => {
		await reader.close();
		await owner.close();
	});
	const seen = await reader.collection("notes");
	assert.equal(await nearest(seen, 1), "short");
	now = 2_000;
	assert.equal(await nearest(seen, 1), "long");
	assert.equal(await seen.get("short"), undefined);
	assert.equal(await seen.count(), 1);
});
