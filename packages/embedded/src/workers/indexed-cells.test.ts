// When the indexer trains cells, and when it does not: by the number of records, by what has come and gone since, and after a failure.
import assert from "node:assert/strict";
import { test } from "node:test";
import { CELL_KINDS, type CellKind, isNighError } from "@nigh/contract";
import { IvfIndex } from "@nigh/index";
import { rowBytes } from "@nigh/kernels";
import { RowMaker } from "../memory/rows.ts";
import { Searcher } from "../memory/searcher.ts";
import { SlotWriter } from "../memory/slot-writer.ts";
import { specOf } from "../spec.ts";
import { stateOf } from "./index-report.ts";
import { IndexedCollection } from "./indexed-collection.ts";
import { emptyGeneration } from "./next-generation.ts";
import { LEAST_CELLS, RETRY_MS } from "./parameters.ts";
import { LATER, surroundings, work } from "./surroundings.test-support.ts";
import { Task } from "./task.ts";

const DIMENSIONS = 4;
const FORMAT = { metric: "l2", dimensions: DIMENSIONS, weights: null } as const;

function vectorOf(i: number): Float32Array {
	return Float32Array.from({ length: DIMENSIONS }, (_, d) => Math.sin(i * (d + 1)));
}

/** A collection of that kind with so many records, and an indexer whose writer takes every generation. */
async function started(kind: CellKind, count: number, vector = vectorOf) {
	const rows = new RowMaker(FORMAT);
	const owned = emptyGeneration(1, FORMAT, rowBytes(DIMENSIONS * 4), 20_000, null);
	const spec = await specOf({ dimensions: DIMENSIONS, metric: "l2", index: { kind } }, undefined);
	const collection = new IndexedCollection(1, "notes", spec, owned, surroundings());
	let end = 0;
	const add = (n: number, vector = vectorOf) => {
		const { generation } = collection;
		const slots = new SlotWriter(generation);
		for (const last = end + n; end < last; end++) {
			slots.append({ label: end, id: `r${end}`, born: 1, expires: Infinity, row: rows.row(vector(end)) });
		}
		generation.publish(1);
	};
	/** Deletes the first so many that are there. */
	const kill = (n: number) => {
		const { generation } = collection;
		let left = n;
		for (let slot = 0; left > 0; slot++) if (generation.kill(slot, 1)) left--;
	};
	add(count, vector);
	return { collection, add, kill };
}

function kindOf({ owned }: IndexedCollection): string | undefined {
	return owned.main?.kind;
}

function trainedFor({ owned }: IndexedCollection): number {
	assert.ok(owned.main instanceof IvfIndex);
	return owned.main.analyze().trainedFor;
}

function nearest({ generation, owned }: IndexedCollection, vector: Float32Array, k = 1): string[] {
	const searcher = new Searcher(generation.handle, owned.areas.caller);
	searcher.search({ vector, k, change: generation.change, exact: false });
	return searcher.slots.map((slot) => generation.idOf(slot));
}

for (const kind of CELL_KINDS) {
	test(`${kind}: one below the least there are no cells, and from there on there are`, async () => {
		const { collection, add } = await started(kind, LEAST_CELLS - 1);
		assert.deepEqual(await work(collection), []);
		assert.equal(kindOf(collection), undefined);
		add(1);
		assert.deepEqual(await work(collection), ["build"]);
		assert.deepEqual([kindOf(collection), trainedFor(collection)], [kind, LEAST_CELLS]);
		for (const i of [0, 500, LEAST_CELLS - 1]) assert.deepEqual(nearest(collection, vectorOf(i)), [`r${i}`]);
	});

	test(`${kind}: a training that fails is told of, leaves everything compared, and is tried again after a while only`, async () => {
		const { collection, add } = await started(kind, LEAST_CELLS, () => Float32Array.of(1, 2, 3, 4));
		const failure = await collection.run("build").catch((error: unknown) => error);
		assert.ok(isNighError(failure, "NOT_TRAINED"));
		assert.deepEqual([failure.details.distinctCentroids, failure.details.nonEmptyCells], [1, 1]);
		collection.fault("build", failure);
		const [problem, ...others] = stateOf(collection).problems;
		assert.deepEqual([problem?.code, others], ["build-failed", []]);
		assert.match(problem?.message ?? "", /everything is compared instead: .*collapsed.*train on ones that differ/);
		assert.deepEqual([collection.building, collection.owned.main, collection.tail], [null, undefined, LEAST_CELLS]);
		assert.equal(nearest(collection, Float32Array.of(1, 2, 3, 4), 7).length, 7);
		const now = performance.now();
		const next = collection.chore(now);
		assert.ok(next !== undefined && "wait" in next && next.wait > RETRY_MS / 2 && next.wait <= RETRY_MS);
		assert.deepEqual(collection.chore(now + RETRY_MS), { chore: "build" });
		await assert.rejects(collection.optimize({ fresh: false }), { code: "NOT_TRAINED" });
		assert.equal(stateOf(collection).problems.length, 1, "it is still so");
		add(LEAST_CELLS);
		assert.deepEqual(await work(collection), ["build"]);
		assert.deepEqual(stateOf(collection).problems, []);
	});

	test(`${kind}: growing by more than a quarter trains once, and nothing is trained at a standstill or to and fro`, async () => {
		const { collection, add, kill } = await started(kind, 2_000);
		assert.deepEqual(await work(collection), ["build"]);
		assert.deepEqual(await work(collection), []);
		add(499);
		assert.deepEqual(await work(collection), [], "not yet a quarter");
		assert.equal(trainedFor(collection), 2_000);
		add(101);
		assert.deepEqual(await work(collection), ["train"]);
		assert.equal(trainedFor(collection), 2_600);
		assert.deepEqual(await work(collection), []);
		// About the border at which it was trained, again and again.
		for (let round = 0; round < 3; round++) {
			kill(150);
			add(120);
			assert.deepEqual(await work(collection), []);
		}
		await collection.optimize({ fresh: false });
		assert.deepEqual([await work(collection), trainedFor(collection)], [[], 2_600]);
	});

	test(`${kind}: what is deleted is given up, and where that is much, cells are trained for what is left`, async () => {
		const { collection, kill } = await started(kind, 6_000);
		assert.deepEqual(await work(collection), ["build"]);
		kill(1_300);
		assert.deepEqual(await work(collection), ["dead"], "more than a fifth");
		assert.deepEqual([collection.generation.slotEnd, trainedFor(collection)], [4_700, 6_000]);
		kill(1_100);
		assert.deepEqual(await work(collection), ["dead", "train"], "and now it is more than a quarter");
		assert.deepEqual([collection.generation.slotEnd, trainedFor(collection)], [3_600, 3_600]);
		assert.deepEqual(nearest(collection, vectorOf(5_999)), ["r5999"]);
		assert.notDeepEqual(nearest(collection, vectorOf(7)), ["r7"]);
	});

	test(`${kind}: a retraining that fails leaves the cells there are, and says so`, async () => {
		const { collection, add, kill } = await started(kind, LEAST_CELLS);
		assert.deepEqual(await work(collection), ["build"]);
		const { owned } = collection;
		add(3_000, () => Float32Array.of(9, 9, 9, 9));
		kill(LEAST_CELLS - 1);
		while (collection.tail > 0) await collection.fold();
		assert.deepEqual(collection.chore(LATER), { chore: "train" });
		const failure = await collection.run("train").catch((error: unknown) => error);
		assert.ok(isNighError(failure, "NOT_TRAINED"), String(failure));
		collection.fault("train", failure);
		assert.equal(collection.owned, owned);
		assert.match(stateOf(collection).problems[0]?.message ?? "", /cells could not be trained anew; the old ones go on/);
		assert.deepEqual(nearest(collection, vectorOf(LEAST_CELLS - 1)), [`r${LEAST_CELLS - 1}`]);
		assert.equal(nearest(collection, Float32Array.of(9, 9, 9, 9), 10).length, 10);
	});

	test(`${kind}: a training that is ended leaves what serves`, async () => {
		const { collection } = await started(kind, LEAST_CELLS);
		await work(collection);
		const { owned, choice } = collection;
		const task = new Task();
		const ended = collection.optimize({ fresh: true, index: { kind, nlist: 5 }, task });
		setImmediate(() => task.abort());
		await assert.rejects(ended, { code: "ABORTED" });
		assert.deepEqual([collection.owned === owned, collection.choice, collection.building], [true, choice, null]);
		assert.deepEqual(nearest(collection, vectorOf(33)), ["r33"]);
	});
}
