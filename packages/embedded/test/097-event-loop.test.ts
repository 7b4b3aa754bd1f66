// What is done on the calling thread leaves the others their turn: timers, messages, and with them the acknowledgement of writes.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Collection } from "@nigh/contract";
import { openFolder } from "@nigh/embedded";
import { DIMENSIONS, points, vectorOf } from "./points.test-support.ts";

async function filled(t: TestContext, count: number): Promise<Collection> {
	const database = await openFolder(":memory:", { threads: 1, pruneEveryMs: 0 });
	t.after(() => database.close());
	const notes = await database.collection("notes", { dimensions: DIMENSIONS, metric: "l2" });
	await notes.upsert(points(0, count));
	return notes;
}

const LOOPS: Readonly<Record<string, (notes: Collection) => Promise<unknown>>> = {
	search: (notes) => notes.search({ vector: vectorOf(1) }),
	get: (notes) => notes.get("p1"),
	searchMany: (notes) => notes.searchMany([{ vector: vectorOf(1) }]),
};

for (const [verb, call] of Object.entries(LOOPS)) {
	test(`a loop of ${verb} does not hold up a write, nor a timer`, async (t) => {
		const notes = await filled(t, 500);
		let isTold = false;
		let ticked = false;
		const timer = setTimeout(() => {
			ticked = true;
		}, 1);
		t.after(() => clearTimeout(timer));
		const writing = notes.upsert(points(500, 501)).then(() => {
			isTold = true;
		});
		let calls = 0;
		for (; !(isTold && ticked) && calls < 1_000_000; calls++) await call(notes);
		assert.ok(isTold && ticked, `${calls} calls: told ${isTold}, ticked ${ticked}`);
		await writing;
	});
}

/** How often the event loop of this thread came round while `work` ran. */
async function turnsDuring(work: () => Promise<unknown>): Promise<number> {
	let turns = 0;
	let isDone = false;
	const count = () => {
		turns++;
		if (!isDone) setImmediate(count);
	};
	setImmediate(count);
	await work();
	isDone = true;
	return turns;
}

test("calls of many records are worked on in turns, and come whole and in order", async (t) => {
	const notes = await filled(t, 6_000);
	const ids = points(0, 6_000).map(({ id }) => id);
	const asked = ids.toReversed().toSpliced(10, 0, "nobody");
	let found: readonly ({ id: string } | undefined)[] = [];
	assert.ok((await turnsDuring(async () => (found = await notes.get(asked)))) > 6_000 / 512);
	assert.deepEqual(
		found.map((record) => record?.id),
		asked.map((id) => (id === "nobody" ? undefined : id)),
	);
	const some = await notes.get(ids.slice(0, 600), { include: { vector: true, metadata: false, text: false } });
	assert.deepEqual(
		some.map((record) => record?.vector),
		points(0, 600).map(({ vector }) => vector),
	);
	const scanned: string[] = [];
	await turnsDuring(async () => {
		for await (const { id } of notes.scan()) scanned.push(id);
	});
	assert.deepEqual(scanned, ids.toSorted());
});

test("filters that are kept follow batches of any size", async (t) => {
	const notes = await filled(t, 0);
	const filter = { kind: "new" };
	const count = async () => (await notes.search({ vector: vectorOf(1), filter, k: 4_000, exact: true })).hits.length;
	const kinds = (from: number, to: number, kind: string) =>
		points(from, to).map(({ id, vector }) => ({ id, vector, metadata: { kind } }));
	await notes.upsert(kinds(0, 10, "new"));
	assert.equal(await count(), 10);
	await notes.upsert([...kinds(10, 2_000, "new"), ...kinds(2_000, 3_000, "old")]);
	assert.equal(await count(), 2_000);
	const writing = notes.upsert(kinds(1_000, 2_000, "old"));
	const beside = notes.upsert(kinds(0, 5, "old"));
	await Promise.all([writing, beside]);
	assert.equal(await count(), 995);
	const patches = (from: number, to: number, kind: string) =>
		points(from, to).map(({ id }) => ({ id, metadata: { kind } }));
	for (const [to, expected] of [
		[1_100, 1_095],
		[2_500, 2_495],
	] as const) {
		await notes.update(patches(1_000, to, "new"));
		assert.equal(await count(), expected);
	}
});
