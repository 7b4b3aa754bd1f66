import assert from "node:assert/strict";
import { test } from "node:test";
import { rowBytes } from "@nigh/kernels";
import { churnOf } from "../memory/generation.ts";
import { RowMaker, vectorBytes } from "../memory/rows.ts";
import { SlotWriter } from "../memory/slot-writer.ts";
import { specOf } from "../spec.ts";
import type { Chore } from "./chores.ts";
import { IndexedCollection, type IndexerSurroundings } from "./indexed-collection.ts";
import { emptyGeneration } from "./next-generation.ts";
import { LATER, surroundings } from "./surroundings.test-support.ts";
import { Task } from "./task.ts";

const FORMAT = { metric: "l2", dimensions: 8, weights: null } as const;
const N = 6_000;

/** A graph of N vectors whose recall has been asked, and a tail to come. */
async function started(given: Partial<IndexerSurroundings> = {}) {
	const spec = await specOf(
		{ dimensions: 8, metric: "l2", index: { kind: "hnsw", M: 4, efConstruction: 16 } },
		undefined,
	);
	const bytes = rowBytes(vectorBytes(FORMAT));
	const asked: Uint32Array[] = [];
	const examine: IndexerSurroundings["examine"] = async (_collection, { main, generation }, slots) => {
		asked.push(slots);
		for (const slot of slots) assert.ok(main?.has(slot) === false, "it has been taken in");
		assert.ok(slots.every((slot) => slot < generation.slotEnd));
	};
	const collection = new IndexedCollection(
		1,
		"notes",
		spec,
		emptyGeneration(1, FORMAT, bytes, 4 * N, null),
		surroundings({ examine, ...given }),
	);
	const rows = new RowMaker(FORMAT);
	const append = (count: number) => {
		const { generation } = collection;
		const slots = new SlotWriter(generation);
		for (let i = 0; i < count; i++) {
			const label = generation.slotEnd;
			const row = rows.row(Float32Array.from({ length: 8 }, (_, d) => Math.sin(label * (d + 1.7))));
			slots.append({ label, id: `r${label}`, born: 1, expires: Number.POSITIVE_INFINITY, row });
		}
		generation.publish(1);
	};
	append(N);
	await collection.replace({ fresh: true, arrange: true });
	asked.length = 0;
	/** Does what there is to do, at most so much of it. */
	const work = async (): Promise<Chore[]> => {
		const done: Chore[] = [];
		for (let rounds = 0; rounds < 30; rounds++) {
			const next = collection.chore(LATER);
			if (next === undefined || !("chore" in next)) return done;
			await collection.run(next.chore).catch((error) => collection.fault(next.chore, error));
			done.push(next.chore);
		}
		assert.fail(`it does not end: ${done}`);
	};
	return { collection, asked, append, work };
}

test("an index that has grown by a tenth is asked by what it takes in last, once", async () => {
	const { collection, asked, append, work } = await started();
	const askedLast = () => asked.at(-1) as Uint32Array;
	append(500);
	assert.deepEqual(await work(), ["fold"]);
	assert.deepEqual(asked, []);
	append(700);
	const done = await work();
	assert.equal(done.filter((chore) => chore === "examine").length, 1);
	assert.equal(done.at(-1), "fold");
	assert.equal(collection.tail, 0);
	assert.equal(asked.length, 1);
	// Those that wait are the last of the tail.
	const slots = askedLast();
	assert.ok(slots.length >= 256 && slots.every((slot) => slot >= N + 500));
	assert.equal(new Set(slots).size, slots.length);
	assert.equal(collection.examinedChurn, churnOf(collection.generation));
	append(300);
	assert.deepEqual(await work(), ["fold"]);
});

test("where it cannot be asked what waits is taken in all the same, and nothing is done again and again", async () => {
	const { collection, append } = await started({
		examine: () => {
			throw new Error("no memory");
		},
	});
	append(1_200);
	for (let rounds = 0; collection.tail > 0; rounds++) {
		assert.ok(rounds < 6, "it does not end");
		const next = collection.chore(LATER);
		assert.ok(next !== undefined && "chore" in next);
		await collection.run(next.chore);
	}
});

test("an examination that failed is not waited for: the tail is taken in", async () => {
	const { collection, append } = await started();
	append(1_200);
	collection.fault("examine", new Error("it could not"));
	for (let rounds = 0; collection.tail > 0; rounds++) {
		assert.ok(rounds < 6, "it does not end");
		const now = performance.now() + 100;
		const next = collection.chore(now);
		assert.ok(next !== undefined && "chore" in next && next.chore === "fold");
		await collection.run(next.chore);
	}
});

test("who waits for other work ends it", async () => {
	let isAwaited = false;
	const { collection, append } = await started({
		isAwaited: () => isAwaited,
		examine: async (_collection, _index, _slots, task) => {
			isAwaited = true;
			while (!task.isAborted) await new Promise((resolve) => setImmediate(resolve));
		},
	});
	isAwaited = false;
	append(1_200);
	await collection.fold(500);
	await collection.examineByTail();
	// A build in the background too, and not one that somebody waits for.
	isAwaited = false;
	await collection.replace({ fresh: true, arrange: true });
	assert.ok(isAwaited);
});

test("who gives the work up is told so, and it is as if nobody had asked", async () => {
	const task = new Task();
	let isBuilt = false;
	const { collection, append } = await started({
		examine: async (_collection, _index, _slots, given) => {
			while (isBuilt && !given.isAborted) await new Promise((resolve) => setImmediate(resolve));
		},
	});
	isBuilt = true;
	append(1_200);
	await collection.fold(500);
	const before = collection.examinedChurn;
	task.abort();
	await assert.rejects(collection.examineByTail(task), /AbortSignal/);
	assert.equal(collection.examinedChurn, before);
});

test("an index is asked as soon as its certificate is a tenth old; that it was asked since, however much that told, is not forgotten", async () => {
	const { collection, asked, append, work } = await started();
	const identity = collection.generation.handle.identity?.id as string;
	const built = churnOf(collection.generation);
	append(580);
	assert.deepEqual(await work(), ["fold"]);
	// As one that is opened again, with a certificate from before the last rows came.
	collection.examinedChurn = undefined;
	collection.noteExamined("another", 10 ** 6);
	assert.equal(collection.examinedChurn, undefined);
	collection.noteExamined(identity, built);
	append(300);
	await work();
	assert.equal(asked.length, 1);
	collection.noteExamined(identity, built);
	append(300);
	await work();
	assert.equal(asked.length, 1);
});

test("a generation that cannot be examined is told of once, and is a problem until it can be or another has taken over", async () => {
	const reason = new Error("no memory");
	let told = 0;
	const { collection, append } = await started({
		examine: () => {
			throw reason;
		},
		unexamined: (asked, generation) => {
			if (asked.noteUnexamined(generation, reason)) told++;
		},
	});
	const codes = () => [...collection.problems.keys()];
	assert.deepEqual([told, codes()], [1, ["recall-unexamined"]], "told by the build, and of the index that was built");
	assert.equal(collection.noteUnexamined(collection.generation, reason), false);
	// Another generation takes over, of which nobody has asked anything yet.
	await collection.optimize({ fresh: false });
	assert.deepEqual(codes(), []);
	assert.equal(collection.noteUnexamined(collection.generation, reason), true);
	// There is nothing to do any more, which makes no room.
	await collection.optimize({ fresh: false });
	assert.deepEqual([told, codes()], [1, ["recall-unexamined"]]);
	collection.noteExaminable();
	assert.deepEqual(codes(), []);
	assert.equal(collection.noteUnexamined(collection.generation, reason), false);
	assert.match(collection.problems.get("recall-unexamined")?.message ?? "", /no memory/);
	append(1);
	await collection.replace({ fresh: false, arrange: false });
	assert.deepEqual(codes(), []);
	assert.equal(collection.noteUnexamined(collection.generation, reason), true);
});
