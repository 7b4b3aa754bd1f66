import assert from "node:assert/strict";
import { test } from "node:test";
import { type Parallel, serial } from "@nigh/index";
import { rowBytes } from "@nigh/kernels";
import { RowMaker } from "../memory/rows.ts";
import { Searcher } from "../memory/searcher.ts";
import { SlotWriter } from "../memory/slot-writer.ts";
import { specOf } from "../spec.ts";
import { stateOf } from "./index-report.ts";
import { IndexedCollection, type IndexerSurroundings, mainIndexFor } from "./indexed-collection.ts";
import { emptyGeneration } from "./next-generation.ts";
import { GRAPH_FROM, IDLE_MS, LEAST_GRAPH } from "./parameters.ts";

const DIMENSIONS = 4;
const FORMAT = { metric: "l2", dimensions: DIMENSIONS, weights: null } as const;
const LATER = 10 ** 9;

function vectorOf(i: number): Float32Array {
	return Float32Array.from({ length: DIMENSIONS }, (_, d) => Math.sin(i * (d + 1)));
}

/** A collection with an indexer whose threads can fail, and a writer that may refuse a generation. */
async function started(count: number) {
	const bytes = rowBytes(DIMENSIONS * 4);
	const owned = emptyGeneration(1, FORMAT, bytes, count, null);
	const rows = new RowMaker(FORMAT);
	const add = (i: number) => {
		const generation = collection.generation;
		const row = rows.row(vectorOf(i));
		new SlotWriter(generation).append({ label: generation.slotEnd, id: `r${i}`, born: 1, expires: Infinity, row });
		generation.publish(1);
	};
	const control = { failure: undefined as Error | undefined, accepts: true, freed: 0, folded: 0 };
	const parallel: Parallel = {
		lanes: 1,
		async run(...call) {
			if (control.failure !== undefined) throw control.failure;
			return serial.run(...call);
		},
	};
	const failing = { ...parallel, lanes: 2 };
	const around: IndexerSurroundings = {
		get parallel() {
			return control.failure === undefined ? parallel : failing;
		},
		install: async () => control.accepts,
		freed: () => void control.freed++,
		folded: (_key, vectors) => {
			control.folded += vectors;
		},
		keepsSnapshots: false,
		saveSnapshot: async () => {},
		keepNewest: async () => {},
	};
	const spec = await specOf({ dimensions: DIMENSIONS, metric: "l2", index: { kind: "hnsw" } }, undefined);
	const collection = new IndexedCollection(1, "notes", spec, owned, around);
	for (let i = 0; i < count; i++) add(i);
	return { collection, control, add };
}

function nearest({ generation, owned }: IndexedCollection, i: number): string {
	const searcher = new Searcher(generation.handle, owned.areas.caller);
	searcher.search({ vector: vectorOf(i), k: 1, change: generation.change, exact: false });
	return generation.idOf(searcher.slots[0] as number);
}

test("an index is built when there are enough records, and finds what comparing found", async () => {
	const { collection } = await started(LEAST_GRAPH);
	assert.deepEqual(collection.chore(LATER), { chore: "build" });
	await collection.run("build");
	assert.equal(collection.owned.main?.size, LEAST_GRAPH);
	for (const i of [0, 100, 255]) assert.equal(nearest(collection, i), `r${i}`);
	assert.equal(collection.chore(LATER), undefined);
	assert.deepEqual(stateOf(collection).problems, []);
});

test("a build that fails leaves the old index serving, and says so until one succeeds", async () => {
	const { collection, control } = await started(300);
	const { owned } = collection;
	control.failure = new Error("no memory left");
	const failure = await collection.run("build").catch((error: unknown) => error);
	assert.equal((failure as Error).message, "no memory left");
	collection.fault("build", failure);
	assert.equal(collection.owned, owned);
	assert.equal(nearest(collection, 42), "r42");
	const [problem] = stateOf(collection).problems;
	assert.equal(problem?.code, "build-failed");
	assert.match(problem?.message ?? "", /no memory left/);
	assert.equal(stateOf(collection).building, null);
	control.failure = undefined;
	await collection.run("build");
	assert.deepEqual(stateOf(collection).problems, []);
	assert.equal(nearest(collection, 42), "r42");
});

test("what has failed is not tried again at once, and then it is", async () => {
	const { collection } = await started(300);
	collection.fault("build", new Error("no"));
	const now = performance.now();
	const next = collection.chore(now);
	assert.ok(next !== undefined && "wait" in next && next.wait > 0);
	assert.deepEqual(collection.chore(now + next.wait + 1_000), { chore: "build" });
});

test("a generation that the writer refuses does not take over", async () => {
	const { collection, control } = await started(300);
	const { owned } = collection;
	control.accepts = false;
	await assert.rejects(collection.optimize({ fresh: true, index: undefined }), { code: "UNAVAILABLE" });
	assert.equal(collection.owned, owned);
});

test("the tail is taken in when writes have paused, its rows are free once readers have left", async () => {
	const { collection, control, add } = await started(300);
	await collection.run("build");
	const { generation } = collection;
	for (let i = 300; i < 310; i++) add(i);
	collection.writtenAt = LATER;
	assert.deepEqual(collection.chore(LATER), { wait: IDLE_MS });
	assert.deepEqual(collection.chore(LATER + IDLE_MS), { chore: "fold" });
	generation.enter(3);
	await collection.run("fold");
	assert.deepEqual([collection.tail, control.folded], [0, 10]);
	assert.equal(generation.ringFree, 300);
	assert.equal(nearest(collection, 305), "r305");
	generation.leave(3);
	assert.equal(collection.chore(LATER + IDLE_MS), undefined);
	assert.equal(generation.ringFree, 310);
	assert.equal(control.freed, 1);
});

test("the next generation leaves out what has died", async () => {
	const { collection } = await started(300);
	await collection.run("build");
	for (let slot = 0; slot < 300; slot += 3) collection.generation.kill(slot, 1);
	await collection.run("dead");
	assert.deepEqual([collection.generation.slotEnd, collection.generation.dead], [200, 0]);
	assert.equal(nearest(collection, 100), "r100");
	assert.notEqual(nearest(collection, 99), "r99");
	assert.deepEqual([stateOf(collection).main, stateOf(collection).tombstones], [200, 0]);
});

test("which index so many records have is what was chosen", () => {
	assert.equal(mainIndexFor({ kind: "flat" }, 10 ** 6), null);
	assert.equal(mainIndexFor({ kind: "auto" }, GRAPH_FROM - 1), null);
	assert.deepEqual(mainIndexFor({ kind: "auto" }, GRAPH_FROM), {});
	assert.equal(mainIndexFor({ kind: "hnsw", M: 4 }, LEAST_GRAPH - 1), null);
	assert.deepEqual(mainIndexFor({ kind: "hnsw", M: 4, efConstruction: 50 }, LEAST_GRAPH), { M: 4, efConstruction: 50 });
});
