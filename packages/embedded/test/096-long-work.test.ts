// Work that takes long tells how far it has come, and can be ended.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Collection, CollectionSpec, ProgressOptions } from "@nigh/contract";
import { DIMENSIONS, points, testPlace, vectorOf } from "./points.test-support.ts";

const COUNT = 5_000;
/** Such a graph takes several times as long as the test waits for anything. */
const SLOW = { M: 32, efConstruction: 4_000 } as const;

async function filled(
	t: TestContext,
	spec: CollectionSpec,
): Promise<{ notes: Collection; reopen: () => Promise<Collection> }> {
	const place = testPlace(t);
	const first = await place.open("data");
	const notes = await first.collection("notes", { dimensions: DIMENSIONS, metric: "l2", ...spec });
	await notes.upsert(points(0, COUNT));
	const reopen = async () => {
		await first.close();
		return (await place.open("data")).collection("notes");
	};
	return { notes, reopen };
}

/** What a call tells, looked at: it grows, and ends with its total once. Returns what came before the end. */
async function watched(call: (options: ProgressOptions) => Promise<unknown>): Promise<number[]> {
	const told: [number, number][] = [];
	await call({ onProgress: (...each) => void told.push(each) });
	const total = told.at(-1)?.[1];
	const steps = told.map(([done]) => done);
	assert.ok(
		told.every((each) => each[1] === total),
		`one total: ${told.join("; ")}`,
	);
	assert.deepEqual(
		steps,
		[...new Set(steps)].sort((a, b) => a - b),
	);
	assert.equal(steps.pop(), total);
	return steps;
}

test("building, rebuilding and taking the tail in tell how far they have come", async (t) => {
	const { notes } = await filled(t, { index: { kind: "hnsw", M: 8, efConstruction: 200 } });
	const inside = (steps: number[]) => steps.filter((done) => done > 0);
	assert.notDeepEqual(inside(await watched((options) => notes.optimize(options))), [], "the first graph");
	assert.notDeepEqual(inside(await watched((options) => notes.rebuild(options))), [], "another graph");
	await notes.upsert(points(0, COUNT / 2, 1));
	assert.notDeepEqual(inside(await watched((options) => notes.optimize(options))), [], "the tail");
	await watched((options) => notes.convert({ kind: "flat" }, options));
	await watched((options) => notes.optimize(options));
});

test("a rebuild that is ended rejects with ABORTED, and the index that was there goes on with its parameters", async (t) => {
	const { notes, reopen } = await filled(t, { index: { kind: "hnsw", M: 8 } });
	await notes.optimize();
	const controller = new AbortController();
	const reason = new Error("not needed any more");
	let last = -1;
	const rebuilding = notes.rebuild({
		...SLOW,
		signal: controller.signal,
		onProgress(done, total) {
			last = done / total;
			if (done > 0) controller.abort(reason);
		},
	});
	await assert.rejects(rebuilding, (error) => {
		assert.equal((error as { code?: string }).code, "ABORTED");
		assert.equal((error as Error).cause, reason);
		return true;
	});
	assert.ok(last < 0.75, `ended at ${last}`);
	const check = async (collection: Collection) => {
		const { kind, parameters } = (await collection.stats()).effective.index;
		assert.deepEqual([kind, parameters.M], ["hnsw", 8]);
		assert.equal((await collection.search({ vector: vectorOf(7), k: 1 })).hits[0]?.id, "p7");
		assert.equal((await collection.health()).status, "ok");
	};
	await check(notes);
	await notes.upsert(points(0, 10, 1));
	await notes.upsert(points(0, 10));
	await notes.optimize();
	await check(notes);
	await check(await reopen());
});

test("work that waits for its turn is ended at once, and so is what has not begun", async (t) => {
	const { notes } = await filled(t, { index: { kind: "hnsw", M: 8 } });
	await notes.optimize();
	const first = new AbortController();
	const second = new AbortController();
	const order: string[] = [];
	const slow = notes.rebuild({ ...SLOW, signal: first.signal }).catch(() => void order.push("the first"));
	const waiting = notes.convert({ kind: "flat" }, { signal: second.signal });
	const ended = waiting.catch(({ code }) => void order.push(`the second: ${code}`));
	// Both have been asked for when this is answered.
	await notes.stats();
	second.abort();
	await ended;
	first.abort();
	await slow;
	assert.deepEqual(order, ["the second: ABORTED", "the first"]);
	assert.equal((await notes.stats()).effective.index.kind, "hnsw");
	await assert.rejects(notes.optimize({ signal: AbortSignal.abort() }), { code: "ABORTED" });
});
