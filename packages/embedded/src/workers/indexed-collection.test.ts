import assert from "node:assert/strict";
import { test } from "node:test";
import { isNighError, NighError } from "@nigh/contract";
import { HnswIndex, type Parallel, serial } from "@nigh/index";
import { rowBytes } from "@nigh/kernels";
import { RowMaker } from "../memory/rows.ts";
import { Searcher } from "../memory/searcher.ts";
import { mostRecords } from "../memory/sizes.ts";
import { SlotWriter } from "../memory/slot-writer.ts";
import { specOf } from "../spec.ts";
import { stateOf } from "./index-report.ts";
import { IndexedCollection, type IndexerSurroundings } from "./indexed-collection.ts";
import { emptyGeneration } from "./next-generation.ts";
import { begun } from "./one-thread.test-support.ts";
import { IDLE_MS, LEAST_GRAPH, LEAST_WAIT_MS } from "./parameters.ts";
import { LATER, surroundings } from "./surroundings.test-support.ts";
import { Task } from "./task.ts";

const DIMENSIONS = 4;
const FORMAT = { metric: "l2", dimensions: DIMENSIONS, weights: null } as const;

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
	const control = {
		failure: undefined as Error | undefined,
		accepts: true,
		refusals: 0,
		freed: 0,
		folded: 0,
		foldFailures: [] as unknown[],
		stalls: [] as unknown[],
	};
	const parallel: Parallel = {
		lanes: 1,
		async run(...call) {
			if (control.failure !== undefined) throw control.failure;
			return serial.run(...call);
		},
	};
	const failing = { ...parallel, lanes: 2 };
	const around: IndexerSurroundings = {
		...surroundings({
			install: async () => control.accepts || control.refusals-- <= 0,
			freed: () => void control.freed++,
			folded: (_key, vectors) => {
				control.folded += vectors;
			},
			foldFailed: (_key, _durationMs, error) => void control.foldFailures.push(error),
			stalled: (_key, reason) => void control.stalls.push(reason),
		}),
		get parallel() {
			return control.failure === undefined ? parallel : failing;
		},
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

test("where a build is what frees the tail, why it fails is told; not what passes by itself", async () => {
	const { collection, control } = await started(300);
	const full = new NighError("DISK_FULL", "no space");
	for (const error of [new NighError("UNAVAILABLE", "overtaken"), new NighError("NOT_TRAINED", "too few"), full]) {
		collection.fault("build", error);
	}
	assert.deepEqual(control.stalls, [full]);
	await collection.run("build");
	collection.fault("build", full);
	assert.deepEqual(control.stalls, [full], "the tail is folded now");
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
	control.refusals = Number.POSITIVE_INFINITY;
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

test("who dies while it is taken in counts once among the dead of the main index", async () => {
	const { collection, add } = await started(300);
	await collection.run("build");
	const { generation } = collection;
	for (let i = 300; i < 310; i++) add(i);
	generation.kill(301, 2);
	// A writer that deletes just after the rows have come to be in the main index, and before the indexer has counted.
	const words = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(generation), "mainEnd");
	Object.defineProperty(generation, "mainEnd", {
		get: () => words?.get?.call(generation),
		set: (end: number) => {
			words?.set?.call(generation, end);
			generation.kill(302, 3);
		},
	});
	await collection.run("fold");
	assert.deepEqual([collection.tail, generation.dead, generation.deadInMain], [0, 2, 2]);
	assert.equal(stateOf(collection).main, 308);
});

test("a generation is made with room for what is about to be written, and none where there is room", async () => {
	const { collection } = await started(300);
	const { owned, generation } = collection;
	await collection.makeRoom({ slots: generation.size.capacity - 300, idBytes: 10 });
	assert.equal(collection.owned, owned);
	const slots = generation.size.capacity;
	await collection.makeRoom({ slots, idBytes: slots * 100 });
	assert.notEqual(collection.owned, owned);
	const { size, slotEnd, idStarts } = collection.generation;
	assert.ok(slotEnd + slots <= size.capacity);
	assert.ok((idStarts[slotEnd] as number) + slots * 100 <= size.idBytes);
	assert.equal(nearest(collection, 42), "r42");
});

test("room is made before it runs out, but not for ever in a memory that is as large as can be", async () => {
	const { collection } = await started(300);
	const { generation } = collection;
	const { capacity } = generation.size;
	const flat = { ...collection.spec, index: { kind: "flat" } } as const;
	collection.respec(flat);
	generation.slotEnd = Math.ceil(capacity * 0.76);
	assert.deepEqual(collection.chore(LATER), { chore: "room" });
	const bytes = 2 ** 16;
	// What nothing is written to takes no memory.
	const format = { ...FORMAT, dimensions: bytes / 4 };
	const largest = emptyGeneration(1, format, bytes, Math.floor(mostRecords(bytes) * 0.75), null);
	const full = new IndexedCollection(1, "notes", flat, largest, {} as IndexerSurroundings);
	full.generation.slotEnd = Math.ceil(full.generation.size.capacity * 0.76);
	assert.equal(full.chore(LATER), undefined);
});

test("a reader that stands still does not keep writers waiting for ever, even when all of the tail has been taken in", async () => {
	const { collection, add } = await started(300);
	await collection.run("build");
	const { generation } = collection;
	for (let i = 300; i < 310; i++) add(i);
	generation.enter(3);
	await collection.run("fold");
	assert.deepEqual(collection.chore(LATER), { wait: LEAST_WAIT_MS }, "writers have room");
	generation.mainEnd = generation.ringFree + Math.ceil(generation.size.ringRows * 0.6);
	generation.slotEnd = generation.mainEnd;
	assert.equal(collection.tail, 0);
	assert.deepEqual(collection.chore(LATER), { chore: "room" });
	generation.leave(3);
	assert.notDeepEqual(collection.chore(LATER), { chore: "room" });
});

test("room that no memory has is MEMORY_LIMIT with count and limit, and the old generation goes on", async () => {
	const { collection } = await started(300);
	const { owned } = collection;
	await assert.rejects(collection.makeRoom({ slots: 2 ** 31, idBytes: 0 }), (error) => {
		assert.ok(isNighError(error, "MEMORY_LIMIT"));
		assert.deepEqual([error.details.count, error.details.more], [300, 2 ** 31]);
		assert.ok((error.details.limit as number) < 2 ** 31);
		assert.match(error.message, /has 300 records and no memory for 2147483648 more/);
		return true;
	});
	assert.equal(collection.owned, owned);
	assert.equal(nearest(collection, 42), "r42");
});

test("room is made again when more was written meanwhile, not for ever", async () => {
	const { collection, control } = await started(300);
	control.accepts = false;
	control.refusals = 2;
	const slots = collection.generation.size.capacity;
	await collection.makeRoom({ slots, idBytes: 0 });
	assert.ok(collection.generation.size.capacity > slots);
	control.refusals = Number.POSITIVE_INFINITY;
	await assert.rejects(collection.makeRoom({ slots: slots * 4, idBytes: 0 }), { code: "UNAVAILABLE" });
});

/** One that nobody wants any more once so much is done. */
class Ending extends Task {
	readonly #at: number;

	constructor(at: number) {
		super();
		this.#at = at;
	}

	override advance(done: number, total: number): void {
		super.advance(done, total);
		if (this.share >= this.#at) this.abort();
	}
}

test("what a fold has taken in stays in where it is ended early, and the rest follows", async () => {
	const { collection, control, add } = await started(300);
	await collection.run("build");
	for (let i = 300; i < 1_500; i++) add(i);
	const task = new Ending(0.1);
	task.plan(1);
	task.begin(1);
	await assert.rejects(collection.foldAll(task), { code: "ABORTED" });
	const { mainEnd, slotEnd } = collection.generation;
	assert.ok(mainEnd > 300 && mainEnd < slotEnd, `${mainEnd}`);
	assert.equal(collection.owned.main?.size, mainEnd);
	assert.deepEqual([control.folded, control.foldFailures], [mainEnd - 300, []]);
	for (const i of [299, 300, mainEnd - 1, mainEnd, 1_499]) assert.equal(nearest(collection, i), `r${i}`);
	await collection.run("fold");
	assert.deepEqual([collection.tail, control.folded], [0, 1_200]);
});

test("a fold that fails is told of, and leaves the tail as it is", async () => {
	const { collection, control, add } = await started(300);
	await collection.run("build");
	for (let i = 300; i < 310; i++) add(i);
	control.failure = new Error("no threads");
	await assert.rejects(collection.run("fold"), /no threads/);
	assert.deepEqual(control.foldFailures, [control.failure]);
	assert.deepEqual([collection.tail, control.folded], [10, 0]);
	assert.equal(nearest(collection, 305), "r305");
});

test("work that is ended leaves the index that there is, and what it is to be", async () => {
	const { collection } = await started(2_000);
	await collection.run("build");
	const { owned, choice } = collection;
	for (const at of [0, 0.3, 0.6]) {
		const task = new Ending(at);
		if (at === 0) task.abort();
		const index = { kind: "hnsw", M: 4 } as const;
		await assert.rejects(collection.optimize({ fresh: true, index, task }), { code: "ABORTED" });
		assert.ok(task.share >= at && task.share < 1, `${at}: ${task.share}`);
		assert.deepEqual([collection.owned === owned, collection.choice, collection.building], [true, choice, null]);
	}
	assert.equal(nearest(collection, 1_234), "r1234");
	assert.equal(collection.chore(LATER), undefined);
});

test("an index that is built anew is what it was asked to be, and no snapshot has it yet", async () => {
	const { collection } = await started(300);
	await collection.run("build");
	const { owned } = collection;
	collection.snapshotChange = 1;
	const index = { kind: "hnsw", M: 4 } as const;
	await collection.optimize({ fresh: true, index });
	assert.notEqual(collection.owned, owned);
	assert.deepEqual([collection.choice, stateOf(collection).choice], [index, index]);
	assert.equal(stateOf(collection).parameters.M, 4);
	assert.equal(collection.snapshotChange, null, "the snapshot on disk is of the index before");
});

test("a task that waits for what is being built comes forward with it", async () => {
	const { collection } = await started(2_000);
	const idle = new Task();
	collection.follow(idle, 0.9);
	const building = collection.run("build");
	const task = new Task();
	collection.follow(task, 0.5);
	await building;
	assert.ok(task.share > 0.4 && task.share <= 0.5, `${task.share}`);
	assert.equal(idle.share, 0);
	await collection.optimize({ fresh: true, index: undefined, task });
	assert.ok(task.share > 0.9, `${task.share}`);
});

test("another spec asks for another index only where it names one", async () => {
	const { collection } = await started(300);
	const { spec } = collection;
	collection.choice = { kind: "flat" };
	collection.respec({ ...spec, recall: 0.9 });
	assert.deepEqual([collection.spec.recall, collection.choice], [0.9, { kind: "flat" }]);
	collection.respec({ ...spec, converted: { kind: "hnsw", M: 9 } });
	assert.deepEqual(collection.choice, { kind: "hnsw", M: 9 });
});

test("codes that have become stale in a graph that has taken everything in are learnt anew, once", async (t) => {
	const life = await begun(t, 0, { index: { kind: "hnsw" } });
	const { collection, rings } = life;
	await life.upsert(300);
	await life.settle();
	const built = rings.length;
	await life.upsert(900);
	while (collection.tail > 0) await collection.fold();
	const isStale = () => collection.owned.main instanceof HnswIndex && collection.owned.main.codesAreStale();
	assert.ok(isStale());
	assert.deepEqual(collection.chore(performance.now()), { chore: "codes" });
	await collection.run("codes");
	assert.ok(!isStale());
	await life.settle();
	assert.equal(rings.length, built + 1);
	life.checkAll();
});
