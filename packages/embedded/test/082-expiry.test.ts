// Records that expire or grow too old: gone at once, by every verb; deleted by prune, by hand or by the timer.
import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { type TestContext, test } from "node:test";
import type { CollectionSpec } from "@nigh/contract";
import { openFolder } from "@nigh/embedded";
import { testPlace } from "./points.test-support.ts";

const START = 1_700_000_000_000;
const HOUR = 3_600_000;
const VECTOR = [1, 0];

async function started(t: TestContext, spec: CollectionSpec = {}, pruneEveryMs = 0) {
	const clock = { now: START };
	const database = await openFolder(":memory:", { threads: 1, pruneEveryMs, now: () => clock.now });
	t.after(() => database.close());
	const notes = await database.collection("notes", { dimensions: 2, metric: "l2", ...spec });
	return { clock, notes };
}

/** Waits for a prune that deleted something. The timer does not keep the process alive by itself. */
async function pruned(t: TestContext): Promise<Record<string, unknown>> {
	const alive = setInterval(() => {}, 1_000);
	t.after(() => clearInterval(alive));
	return new Promise((resolve) => {
		const listener = (message: unknown) => {
			const told = message as { expired: number; tooOld: number };
			if (told.expired + told.tooOld === 0) return;
			unsubscribe("nigh:prune", listener);
			resolve(told);
		};
		subscribe("nigh:prune", listener);
	});
}

test("what has expired is gone from every verb at that moment, before anything has deleted it", async (t) => {
	const { clock, notes } = await started(t);
	await notes.upsert([
		{ id: "brief", vector: VECTOR, text: "word", metadata: { n: 1 }, expiresAt: START + 10 },
		{ id: "lasting", vector: [2, 0], text: "word", metadata: { n: 1 } },
	]);
	const see = async () => ({
		get: (await notes.get(["brief", "lasting"])).map((record) => record?.id),
		count: await notes.count(),
		filtered: await notes.count({ filter: { n: 1 } }),
		near: (await notes.search({ vector: VECTOR })).hits.map(({ id }) => id),
		match: (await notes.search({ vector: VECTOR, filter: { n: 1 } })).hits.map(({ id }) => id),
		hybrid: (await notes.search({ vector: VECTOR, text: "word" })).hits.map(({ id }) => id),
	});
	const both = ["brief", "lasting"];
	clock.now = START + 9;
	assert.deepEqual(await see(), { get: both, count: 2, filtered: 2, near: both, match: both, hybrid: both });
	clock.now = START + 10;
	const one = ["lasting"];
	assert.deepEqual(await see(), {
		get: [undefined, "lasting"],
		count: 1,
		filtered: 1,
		near: one,
		match: one,
		hybrid: one,
	});
	await assert.rejects(notes.update([{ id: "brief", metadata: {} }]), { code: "NOT_FOUND" });
	assert.deepEqual((await see()).match, one);
});

test("a time that is prolonged or taken away in time keeps a record", async (t) => {
	const { clock, notes } = await started(t);
	await notes.upsert(["a", "b", "c"].map((id) => ({ id, vector: VECTOR, expiresAt: START + 10 })));
	clock.now = START + 9;
	await notes.update([
		{ id: "a", expiresAt: START + 100 },
		{ id: "b", expiresAt: null },
	]);
	clock.now = START + 10;
	assert.deepEqual(
		(await notes.search({ vector: VECTOR })).hits.map(({ id }) => id),
		["a", "b"],
	);
	clock.now = START + 100;
	assert.deepEqual(
		(await notes.search({ vector: VECTOR })).hits.map(({ id }) => id),
		["b"],
	);
});

test("an update that prolongs a record's time is kept, though a search came first that saw it run out", async (t) => {
	const { clock, notes } = await started(t);
	await notes.upsert([{ id: "a", vector: VECTOR, expiresAt: START + 10 }]);
	clock.now = START + 9;
	const updating = notes.update([{ id: "a", expiresAt: START + 100 }]);
	// The update is on its way to the writer now.
	await new Promise<void>((resolve) => process.nextTick(resolve));
	clock.now = START + 11;
	await notes.search({ vector: VECTOR });
	await updating;
	assert.equal((await notes.get("a"))?.id, "a");
	assert.deepEqual(
		(await notes.search({ vector: VECTOR })).hits.map(({ id }) => id),
		["a"],
	);
});

test("prune takes what is too old and leaves what is fresh, also where nothing expires", async (t) => {
	const { clock, notes } = await started(t);
	await notes.upsert([{ id: "old", vector: VECTOR }]);
	clock.now += HOUR;
	await notes.upsert([{ id: "fresh", vector: VECTOR }]);
	const planned = await notes.prune({ maxAgeMs: HOUR / 2, dryRun: true });
	assert.deepEqual([planned.tooOld, await notes.count()], [1, 2]);
	const { expired, tooOld, tooMany } = await notes.prune({ maxAgeMs: HOUR / 2 });
	assert.deepEqual([expired, tooOld, tooMany], [0, 1, 0]);
	assert.deepEqual(
		(await notes.search({ vector: VECTOR })).hits.map(({ id }) => id),
		["fresh"],
	);
	assert.equal((await notes.prune()).tooOld, 0, "without a limit nothing is too old");
});

test("the timer does the same, and searches with a filter see it", async (t) => {
	const { clock, notes } = await started(t, { maxAgeMs: HOUR / 2 }, 5);
	await notes.upsert([{ id: "old", vector: VECTOR, metadata: { n: 1 } }]);
	const filter = { n: 1 };
	assert.equal((await notes.search({ vector: VECTOR, filter })).hits.length, 1);
	const told = pruned(t);
	clock.now += HOUR;
	const { tooOld, collection } = await told;
	assert.deepEqual([tooOld, collection], [1, "notes"]);
	const found = await notes.search({ vector: VECTOR, filter, timeoutMs: 5_000 });
	assert.deepEqual(found.hits, []);
	await notes.upsert([{ id: "fresh", vector: VECTOR, metadata: { n: 1 } }]);
	assert.equal(await notes.count(), 1);
});

test("the timer deletes what has expired", async (t) => {
	const { clock, notes } = await started(t, {}, 5);
	await notes.upsert([{ id: "brief", vector: VECTOR, expiresAt: START + 10 }]);
	await notes.upsert([{ id: "lasting", vector: VECTOR }]);
	const told = pruned(t);
	clock.now = START + 10;
	assert.deepEqual((await told).expired, 1);
	assert.deepEqual(
		(await notes.search({ vector: VECTOR })).hits.map(({ id }) => id),
		["lasting"],
	);
	assert.equal((await notes.prune()).expired, 0);
});

test("whatever the clock does, every verb says the same, also after maintenance and reopening", async (t) => {
	const place = testPlace(t);
	const clock = { now: START };
	const options = { threads: 1, pruneEveryMs: 0, now: () => clock.now };
	const spec = { dimensions: 2, metric: "l2", index: { kind: "hnsw", M: 4 } } as const;
	const records = Array.from({ length: 1_200 }, (_, i) => ({
		id: `r${i}`,
		vector: [i, 0],
		metadata: { n: i % 2 },
		...(i < 4 && { expiresAt: START + 10 }),
	}));
	let database = await place.open("data", options);
	let notes = await database.collection("notes", spec);
	const check = async (expected: readonly string[], what: string) => {
		const even = { filter: { n: 0 } };
		const ids = async (more: object) =>
			(await notes.search({ vector: VECTOR, k: 4, ...more })).hits.map(({ id }) => id).filter((id) => id.length === 2);
		const rest = ["r4", "r5", "r6", "r7"];
		const all = [...expected, ...rest].slice(0, 4).sort();
		assert.deepEqual((await ids({})).sort(), all, what);
		assert.deepEqual((await ids({ exact: true })).sort(), all, `${what}, exact`);
		const evens = [...expected, ...rest, "r8"].filter((id) => Number(id.slice(1)) % 2 === 0);
		assert.deepEqual(
			(await ids(even)).sort(),
			evens
				.slice(0, 4)
				.filter((id) => id.length === 2)
				.sort(),
			`${what}, filtered`,
		);
		const got = (await notes.get(["r0", "r1", "r2", "r3"])).flatMap((record) => record?.id ?? []);
		assert.deepEqual(got, expected, what);
		assert.equal(await notes.count(), records.length - 4 + expected.length, what);
		assert.deepEqual((await database.verify()).problems, [], what);
	};
	const reopen = async (now: number) => {
		await database.close();
		clock.now = now;
		database = await place.open("data", options);
		notes = await database.collection("notes");
	};
	await notes.upsert(records);
	const four = ["r0", "r1", "r2", "r3"];
	await check(four, "before");
	clock.now = START + 10;
	await check([], "expired");
	clock.now = START + 9;
	assert.deepEqual((await database.verify()).problems, [], "the clock has gone back a little");
	clock.now = START - 1_000;
	await check(four, "the clock has gone back");
	clock.now = START + 20;
	await check([], "expired again");
	await notes.optimize();
	await check([], "expired and optimized");
	await reopen(START + 9);
	await check(four, "opened when the clock had gone back");
	clock.now = START + 10;
	await check([], "expired after opening");
	assert.equal((await notes.prune()).expired, 4);
	clock.now = START;
	await check([], "deleted");
	await reopen(START);
	await check([], "deleted and opened");
});
