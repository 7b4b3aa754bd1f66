import assert from "node:assert/strict";
import { test } from "node:test";
import { type Collection, isNighError, NighError } from "@nigh/contract";
import { CollectionCore, type DatabaseCore } from "./core.ts";
import { diskGeneration } from "./memory/disk-generation.test-support.ts";
import { smallGeneration } from "./memory/generations.test-support.ts";
import { openFolder } from "./open.ts";
import { chosenIndex, type IndexChoice } from "./records/catalogue.ts";
import { specOf } from "./spec.ts";

function core(): CollectionCore {
	return new CollectionCore({} as never, { key: 1, name: "notes", spec: {} as never, change: 1 }, undefined);
}

const GONE = new NighError("CLOSED", "the collection has been dropped");

test("what fails in a dropped collection failed because it was dropped; what has a reason of its own keeps it", async () => {
	const dropped = core();
	const failing = (error: unknown) => dropped.track(Promise.reject(error));
	await assert.rejects(failing(new NighError("NOT_FOUND", "not here")), { code: "NOT_FOUND" });
	await dropped.drop(GONE);
	for (const cause of [
		new Error("no such table: records_1"),
		new NighError("UNAVAILABLE", "x"),
		new NighError("NOT_FOUND", "x"),
	]) {
		await assert.rejects(failing(cause), { code: "CLOSED", message: GONE.message, cause });
	}
	await assert.rejects(failing(new NighError("ABORTED", "aborted")), { code: "ABORTED" });
	assert.throws(() => dropped.checkOpen(), { code: "CLOSED" });
});

test("closing changes nothing about what fails meanwhile", async () => {
	const closed = core();
	const failure = new NighError("UNAVAILABLE", "the disk");
	const call = closed.track(Promise.reject(failure));
	const [settled] = await Promise.allSettled([call, closed.close(GONE)]);
	assert.equal((settled as PromiseRejectedResult).reason, failure);
});

test("what another thread or process has converted is what the collection is to have; one's own conversion is noted where it is stored", async () => {
	const spec = await specOf({ dimensions: 4, metric: "l2", index: { kind: "hnsw" } }, undefined);
	const { handle, area } = smallGeneration();
	const installed = { key: 1, generation: handle, areas: { caller: area, worker: area } };
	const asked: IndexChoice = { kind: "ivf", nlist: 7 };
	for (const view of ["shared", "process", "writer"] as const) {
		const core = new CollectionCore({ view } as DatabaseCore, { key: 1, name: "notes", spec, change: 1 }, undefined);
		core.install({ ...installed, choice: { kind: "hnsw" } });
		assert.deepEqual([core.spec, "converted" in core.spec], [spec, false]);
		core.install({ ...installed, choice: asked });
		const expected: IndexChoice = view === "writer" ? spec.index : asked;
		assert.deepEqual(chosenIndex(core.spec), expected, view);
		core.install(installed);
		assert.deepEqual(chosenIndex(core.spec), expected, view);
		core.install({ ...installed, choice: { kind: "hnsw" } });
		assert.deepEqual(chosenIndex(core.spec), spec.index, view);
	}
});

test("a generation that takes over while a collection closes opens no files of a closed one; opened again it is what serves", async (t) => {
	const closing = core();
	const [first, second] = [await diskGeneration(t, { kind: "ivf", storage: "disk" }), smallGeneration()];
	const { generation, areas } = first.owned;
	const next = {
		key: 1,
		generation: { ...second.handle, number: 9 },
		areas: { caller: second.area, worker: second.area },
	};
	closing.install({ key: 1, generation: generation.handle, areas });
	const { searcher } = closing;
	const { promise, resolve } = Promise.withResolvers<void>();
	void closing.track(promise);
	const closed = closing.close(GONE);
	// A call that is under way goes on with whatever takes over.
	closing.install({ key: 1, generation: { ...generation.handle, number: 5 }, areas });
	const last = closing.searcher;
	assert.notEqual(last, searcher);
	resolve();
	await closed;
	closing.install(next);
	assert.equal(closing.searcher, last);
	for (const each of [searcher, last]) assert.throws(() => each?.files?.open(), { code: "CLOSED" });
	closing.reopen();
	assert.equal(closing.searcher?.generation.handle.number, 9);
	closing.checkOpen();
});

test("queries that wait are handed over when a collection closes whose queries somebody has, and not when it is dropped; nothing comes after", async (t) => {
	t.mock.timers.enable({ apis: ["setTimeout"] });
	for (const [verb, isBegun] of [
		["close", true],
		["close", false],
		["drop", true],
	] as const) {
		const asked: string[] = [];
		const examiner = { call: async (method: string) => void asked.push(method) };
		const database = { view: "writer", settings: { now: () => 0 }, threads: { examiner } } as unknown as DatabaseCore;
		const spec = await specOf({ dimensions: 2 }, undefined);
		const closing = new CollectionCore(database, { key: 1, name: "notes", spec, change: 1 }, undefined);
		const query = { k: 10, node: undefined, share: undefined, target: 0.95 };
		if (isBegun) {
			closing.recall.sampling.offer(query, Float32Array.of(0, 1));
			closing.recall.sampling.flush();
		}
		const before = asked.length;
		const { promise, resolve } = Promise.withResolvers<void>();
		void closing.track(promise);
		const closed = closing[verb](GONE);
		// By a search that is under way.
		closing.recall.sampling.offer(query, Float32Array.of(1, 2));
		resolve();
		await closed;
		const expected = verb === "close" && isBegun ? ["queries"] : [];
		assert.deepEqual(asked.slice(before), expected);
		t.mock.timers.tick(1_000);
		assert.equal(asked.length - before, expected.length);
	}
});

const LONG: Readonly<Record<string, (notes: Collection) => Promise<unknown>>> = {
	optimize: (notes) => notes.optimize(),
	rebuild: (notes) => notes.rebuild(),
	convert: (notes) => notes.convert({ kind: "flat" }),
	analyze: (notes) => notes.analyze(),
	stats: (notes) => notes.stats(),
	get: (notes) => notes.get(Array.from({ length: 300 }, (_, i) => `r${i}`)),
	one: (notes) => notes.get("r1"),
	count: (notes) => notes.count({ filter: { n: 1 } }),
	filtered: (notes) => notes.search({ vector: [1, 2], filter: { n: 1 } }),
	words: (notes) => notes.search({ vector: [1, 2], text: "note" }),
	byId: (notes) => notes.search({ id: "r1" }),
	scan: async (notes) => {
		for await (const _ of notes.scan({ filter: { n: { $gte: 0 } } }));
	},
	update: (notes) => notes.update([{ id: "r1", metadata: { n: 2 } }]),
	prune: (notes) => notes.prune({ filter: { n: 1 }, maxRecords: 1 }),
};

test("whatever runs while its collection is dropped ends well or with CLOSED", async () => {
	const database = await openFolder(":memory:", { threads: 1 });
	try {
		for (let round = 0; round < 6; round++) {
			const notes = await database.collection("notes", { dimensions: 2, metric: "l2", index: { kind: "hnsw" } });
			await notes.upsert(
				Array.from({ length: 400 }, (_, i) => ({
					id: `r${i}`,
					vector: [i, round],
					metadata: { n: i % 3 },
					text: "note",
				})),
			);
			const calls = Object.entries(LONG).map(async ([name, call]) => {
				for (let i = 0; i < round; i++) await null;
				return call(notes).catch((error) => assert.ok(isNighError(error, "CLOSED"), `${name}: ${error}`));
			});
			if (round % 2 === 1) await new Promise(setImmediate);
			await database.drop("notes");
			await Promise.all(calls);
		}
	} finally {
		await database.close();
	}
});
