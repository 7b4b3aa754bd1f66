import assert from "node:assert/strict";
import { test } from "node:test";
import type { IndexSettings } from "@nigh/contract";
import type { HnswIndex, IvfIndex } from "@nigh/index";
import { rowBytes } from "@nigh/kernels";
import { RowMaker } from "../memory/rows.ts";
import { SLOT_BYTES } from "../memory/sizes.ts";
import { SlotWriter } from "../memory/slot-writer.ts";
import { specOf } from "../spec.ts";
import { analyzeIndex, checkGraph, memoryOf, stateOf } from "./index-report.ts";
import { IndexedCollection } from "./indexed-collection.ts";
import { emptyGeneration } from "./next-generation.ts";
import { surroundings } from "./surroundings.test-support.ts";

const DIMENSIONS = 4;
const ROW_BYTES = rowBytes(DIMENSIONS * 4);

const GRAPH: IndexSettings = { kind: "hnsw", M: 6, efConstruction: 40 };

/** A collection of so many records whose ids are four bytes long. */
async function collectionOf(count: number, dimensions = DIMENSIONS, index = GRAPH) {
	const spec = await specOf({ dimensions, metric: "l2", index }, undefined);
	const format = { metric: "l2", dimensions, weights: null } as const;
	const empty = emptyGeneration(1, format, rowBytes(dimensions * 4), count, null);
	const collection = new IndexedCollection(3, "notes", spec, empty, surroundings());
	const rows = new RowMaker(format);
	const add = (from: number, to: number) => {
		const slots = new SlotWriter(collection.generation);
		for (let i = from; i < to; i++) {
			const row = rows.row(Float32Array.from({ length: dimensions }, (_, d) => Math.sin(i * (d + 1))));
			slots.append({ label: i, id: `${1_000 + i}`, born: 1, expires: Number.POSITIVE_INFINITY, row });
		}
		collection.generation.publish(9);
	};
	add(0, count);
	return { collection, add };
}

/** One with 300 records in a graph, of which three are dead, and ten in the tail, of which two are. */
async function mixed() {
	const { collection, add } = await collectionOf(300);
	await collection.run("build");
	add(300, 310);
	for (const slot of [1, 2, 3, 305, 306]) collection.generation.kill(slot, 5);
	return collection;
}

test("without a graph everything is compared, and there is nothing to analyse or to check", async () => {
	const { collection } = await collectionOf(20);
	collection.generation.kill(7, 2);
	assert.deepEqual(analyzeIndex(collection), { index: "flat", issues: [] });
	assert.equal(checkGraph(collection), null);
	const { kind, main, tail, tombstones, parameters, change } = stateOf(collection);
	// The index that was asked for, though there are too few records for one yet.
	assert.deepEqual(
		{ kind, main, tail, tombstones, parameters, change },
		{
			kind: "hnsw",
			main: 19,
			tail: 0,
			tombstones: 1,
			parameters: {},
			change: 9,
		},
	);
	collection.choice = { kind: "auto" };
	assert.equal(stateOf(collection).kind, "flat");
});

test("a graph is analysed as it is: all of it reached, no link leads nowhere", async () => {
	const collection = await mixed();
	const { index, graph, issues } = analyzeIndex(collection);
	assert.deepEqual([index, issues], ["hnsw", []]);
	assert.ok(graph !== undefined);
	assert.equal(graph.reachable, 1);
	assert.equal(graph.layers[0], 300, "every node is on layer 0");
	assert.deepEqual(
		graph.layers,
		graph.layers.toSorted((a, b) => b - a),
		"and those of a layer are on all below",
	);
	const highest = (collection.owned.main as HnswIndex).analyze().layers;
	assert.equal(graph.layers.at(-1), highest.at(-1));
	assert.ok(graph.meanPathLength > 0);
	const { min, mean, max } = graph.degree;
	assert.ok(min >= 1 && min <= mean && mean <= max && max <= 12, `${min} ${mean} ${max}`);
	assert.deepEqual(checkGraph(collection), { dangling: 0, reachable: 1 });
});

test("what is wrong with a graph is passed on with what to do about it", async () => {
	const collection = await mixed();
	const { main } = collection.owned;
	assert.ok(main !== undefined);
	const report = main.analyze();
	Object.defineProperty(main, "analyze", {
		value: () => ({
			...report,
			danglingLinks: 4,
			connectivityPercentage: 75,
			issues: ["a quarter is lost"],
			recommendation: "rebuild it",
		}),
	});
	const { graph, issues } = analyzeIndex(collection);
	assert.equal(graph?.reachable, 0.75);
	assert.deepEqual(issues, [
		{ code: "graph", status: "degraded", message: "a quarter is lost", recommendation: "rebuild it" },
	]);
	assert.deepEqual(checkGraph(collection), { dangling: 4, reachable: 0.75 });
});

test("the state tells what is alive in the main index, what waits in the tail, and what is dead", async () => {
	const collection = await mixed();
	const state = stateOf(collection);
	const { kind, main, tail, tombstones, change, problems, building } = state;
	assert.deepEqual(
		{ kind, main, tail, tombstones, change, problems, building },
		{
			kind: "hnsw",
			main: 297,
			tail: 10,
			tombstones: 5,
			change: 9,
			problems: [],
			building: null,
		},
	);
	const { M, efConstruction, seed } = state.parameters;
	assert.deepEqual([M, efConstruction, typeof seed], [6, 40, "number"]);
	assert.deepEqual(
		[state.foldedAt, state.snapshotAt, state.snapshotChange, state.oldestSnapshot],
		[null, null, null, null],
	);
	const before = performance.timeOrigin + performance.now();
	await collection.run("fold");
	const after = performance.timeOrigin + performance.now();
	const folded = stateOf(collection);
	assert.deepEqual([folded.main, folded.tail, folded.tombstones], [305, 0, 5]);
	assert.ok((folded.foldedAt as number) >= before && (folded.foldedAt as number) <= after);
	collection.snapshotAt = 5;
	collection.snapshotChange = 8;
	collection.oldestSnapshot = 4;
	collection.fault("snapshot", new Error("no space"));
	const saved = stateOf(collection);
	assert.deepEqual([saved.snapshotAt, saved.snapshotChange, saved.oldestSnapshot], [performance.timeOrigin + 5, 8, 4]);
	assert.deepEqual(
		saved.problems.map(({ code }) => code),
		["snapshot-failed"],
	);
});

test("memory is what is used, by the kinds of what it is for, and by the formula of the layout", async () => {
	const { collection } = await collectionOf(300);
	const tables = 300 * (SLOT_BYTES + 4);
	assert.deepEqual(memoryOf(collection), {
		codes: 0,
		index: tables + 300 * 4,
		vectors: 300 * ROW_BYTES,
		total: tables + 300 * (ROW_BYTES + 4),
		formula: tables + 300 * (ROW_BYTES + 4),
	});
	await collection.run("build");
	const { codes, index, vectors, total, formula } = memoryOf(collection);
	assert.equal(total, index + vectors);
	assert.equal(codes, 0, "vectors of so few dimensions have none");
	// What is reserved for growing is no part of it.
	assert.ok(vectors >= 300 * ROW_BYTES && vectors < 2 * 300 * ROW_BYTES, `${vectors}`);
	assert.ok(index > tables + 300 * 6 * 4 && index < tables + 300 * 400, `${index}`);
	assert.ok(total > formula / 2 && total < formula * 2, `${total} ${formula}`);
});

for (const kind of ["ivf", "ivfpq", "ivfrabitq"] as const) {
	test(`${kind}: cells are analysed as they are, and their memory is told by its parts`, async () => {
		const { collection, add } = await collectionOf(1_200, 32, { kind });
		assert.deepEqual(analyzeIndex(collection), { index: "flat", issues: [] });
		await collection.run("build");
		const { index, cells, issues } = analyzeIndex(collection);
		assert.deepEqual([index, issues, checkGraph(collection)], [kind, [], null]);
		assert.ok(cells !== undefined);
		assert.deepEqual([cells.count, cells.rule, cells.trainedFor, cells.fill], [30, "adaptive", 1_200, "OPTIMAL"]);
		assert.equal(cells.size.mean, 40);
		assert.deepEqual(stateOf(collection).parameters.nlist, 30);
		const memory = memoryOf(collection);
		const main = (collection.owned.main as IvfIndex).memory();
		assert.deepEqual([memory.centroids, memory.codebooks, memory.links], [main.centroids, main.codebooks, 0]);
		assert.equal(memory.codeBytesPerVector, { ivf: 32, ivfpq: 8, ivfrabitq: 8 }[kind]);
		assert.equal(memory.vectors, 1_200 * 32 * 4);
		assert.equal(memory.total, memory.index + memory.vectors);
		assert.ok(memory.codes >= 1_200 * (memory.codeBytesPerVector as number));
		// Room in half-full blocks is used, and no part of the formula.
		assert.ok(memory.total >= 0.99 * memory.formula && memory.total <= 1.5 * memory.formula);
		add(1_200, 1_300);
		collection.generation.kill(7, 9);
		const { main: taken, tail, tombstones } = stateOf(collection);
		assert.deepEqual([taken, tail, tombstones], [1_199, 100, 1]);
		assert.ok(memoryOf(collection).vectors === memory.vectors + 100 * 32 * 4);
	});
}

test("memory has the codes of the tail", async () => {
	const { collection, add } = await collectionOf(300, 48);
	await collection.run("build");
	const before = memoryOf(collection);
	add(300, 320);
	const after = memoryOf(collection);
	// 48 codes, norm and residual of each, padded.
	assert.equal(after.codes - before.codes, 20 * (48 + 16));
	assert.equal(after.total - before.total, 20 * (48 + 16 + 48 * 4 + 4 + SLOT_BYTES + 4));
	assert.equal(after.formula - before.formula, after.total - before.total);
});

test("a graph is compared with what it was when all of its records were in, however its generations follow one another", async () => {
	const { collection, add } = await collectionOf(300);
	assert.equal(stateOf(collection).built, null, "there is no graph");
	await collection.run("build");
	assert.deepEqual(stateOf(collection).built, { records: 300, live: 300, died: 0 });
	add(300, 320);
	for (const slot of [1, 2, 3, 305]) collection.generation.kill(slot, 5);
	assert.deepEqual(stateOf(collection).built, { records: 300, live: 316, died: 4 });
	await collection.run("dead");
	await collection.fold();
	assert.deepEqual([collection.generation.dead, stateOf(collection).built], [0, { records: 300, live: 316, died: 4 }]);
	collection.generation.kill(0, 6);
	assert.deepEqual(stateOf(collection).built, { records: 300, live: 315, died: 5 });
	await collection.optimize({ fresh: false, index: undefined });
	assert.deepEqual(stateOf(collection).built, { records: 315, live: 315, died: 0 });
});
