// What a cap on memory makes of an index: the one that is left for nothing but the vectors, and those that are refused before they are built.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type CollectionSpec, isNighError, type NighError } from "@nigh/contract";
import { HnswIndex } from "@nigh/index";
import { rowBytes } from "@nigh/kernels";
import { testFolder } from "../folder/folder.test-support.ts";
import { RowMaker, vectorBytes } from "../memory/rows.ts";
import { Searcher } from "../memory/searcher.ts";
import { SlotWriter } from "../memory/slot-writer.ts";
import { leastCap, mostWithin, type PlannedChoice } from "../plan-memory-bytes.ts";
import type { IndexChoice } from "../records/catalogue.ts";
import { specOf } from "../spec.ts";
import { stateOf } from "./index-report.ts";
import { IndexedCollection } from "./indexed-collection.ts";
import { emptyGeneration } from "./next-generation.ts";
import { GRAPH_FROM, MOST_TRIES } from "./parameters.ts";
import { surroundings, work } from "./surroundings.test-support.ts";

const DIMENSIONS = 64;
const BITS = { metric: "hamming", dimensions: DIMENSIONS } as const;
const FLOATS = { metric: "l2", dimensions: DIMENSIONS } as const;

/** A collection in which nothing is left of the work in the background, and the bytes of which are all different. */
async function started(t: TestContext, spec: CollectionSpec, count: number) {
	const stored = await specOf({ dimensions: DIMENSIONS, ...spec }, undefined);
	const { metric } = stored;
	const format = { metric, dimensions: DIMENSIONS, weights: null };
	const rows = new RowMaker(format);
	const owned = emptyGeneration(1, format, rowBytes(vectorBytes(format)), 20_000, null);
	const control = { refusals: 0, asked: 0, saved: 0 };
	const folder = testFolder(t);
	const collection: IndexedCollection = new IndexedCollection(
		1,
		"notes",
		stored,
		owned,
		surroundings({
			install: async () => {
				control.asked++;
				return control.refusals-- <= 0;
			},
			keepsSnapshots: true,
			placeOf: () => ({ folder, key: 1, databaseId: "the database", records: "no such file", readOnly: false }),
			saveSnapshot: async ({ owned, generation }) => {
				control.saved++;
				collection.oldestSnapshot = owned.main === undefined ? null : generation.change;
				collection.snapshotChange = collection.oldestSnapshot;
				collection.snapshotMain = generation.mainEnd;
				collection.changedBefore = 0;
			},
		}),
	);
	t.after(() => collection.owned.rows?.discard());
	const vectorOf = (i: number): Float32Array | Uint8Array =>
		metric === "hamming"
			? Uint8Array.from({ length: DIMENSIONS / 8 }, (_, d) => Math.imul(i + 1, 0x9e3779b1 + 2 * d) >>> 24)
			: Float32Array.from({ length: DIMENSIONS }, (_, d) => Math.sin((i + 1) * (d + 1)));
	const add = (n: number) => {
		const { generation } = collection;
		const slots = new SlotWriter(generation);
		for (let left = n; left > 0; left--) {
			const slot = generation.slotEnd;
			slots.append({ label: slot, id: `r${slot}`, born: 1, expires: Infinity, row: rows.row(vectorOf(slot)) });
		}
		generation.publish(1);
	};
	add(count);
	return { collection, control, add, vectorOf };
}

async function refusal(work: Promise<unknown>): Promise<NighError> {
	const error = await work.then(
		() => undefined,
		(error: unknown) => error,
	);
	assert.ok(isNighError(error), `refused, and not ${error}`);
	return error;
}

/** The cap within which an index holds so many vectors, and no more. */
function capFor(index: PlannedChoice, vectors: number, space: typeof BITS | typeof FLOATS): { maxMB: number } {
	return { maxMB: leastCap(index, vectors, { ...space, idBytes: 8 }) / 2 ** 20 };
}

test("where a cap leaves a graph no room, it is given up for the vectors alone, once, with what is on disk of it", async (t) => {
	const memory = capFor({ kind: "hnsw" }, 6_000, BITS);
	const { collection, control, add, vectorOf } = await started(t, { type: "bit", memory }, GRAPH_FROM);
	assert.deepEqual(await work(collection), ["build", "snapshot"]);
	assert.ok(collection.owned.main instanceof HnswIndex);
	add(400);
	assert.deepEqual(await work(collection), [], "and a quarter more has room still");
	add(500);
	assert.equal(stateOf(collection).plan?.index.kind, "flat");
	const done = await work(collection);
	assert.deepEqual([done.includes("build"), done.at(-1)], [true, "snapshot"]);
	assert.deepEqual([collection.owned.main, collection.oldestSnapshot], [undefined, null]);
	assert.match(stateOf(collection).plan?.reason ?? "", /^flat stays/);
	const searcher = new Searcher(collection.generation.handle, collection.owned.areas.caller);
	searcher.search({ vector: vectorOf(17), k: 1, change: 1, exact: false });
	assert.equal(searcher.distances[0], 0);
	// About the border, to and fro.
	const { saved } = control;
	for (let round = 0; round < 3; round++) {
		for (let slot = 0, left = 300; left > 0; slot++) if (collection.generation.kill(slot, 1)) left--;
		assert.ok(!(await work(collection)).includes("build"));
		add(300);
		assert.ok(!(await work(collection)).includes("build"));
	}
	assert.deepEqual([collection.owned.main, control.saved], [undefined, saved]);
});

test("a graph that has become small stays under a cap too, until something else is done", async (t) => {
	const { collection } = await started(t, { type: "bit", memory: { maxMB: 64 } }, GRAPH_FROM);
	assert.deepEqual(await work(collection), ["build", "snapshot"]);
	for (let slot = 0; slot < 500; slot++) collection.generation.kill(slot, 1);
	assert.deepEqual(await work(collection), []);
	assert.ok(collection.owned.main instanceof HnswIndex);
});

test("an index that a cap has no room for is refused before it is built, with the numbers, and what fits is not", async (t) => {
	const count = 5_000;
	const memory = capFor({ kind: "hnsw" }, count + 100, FLOATS);
	const { collection, control } = await started(t, { metric: "l2", index: { kind: "flat" }, memory }, count);
	assert.deepEqual(await work(collection), []);
	const { owned, choice } = collection;
	const space = { ...FLOATS, idBytes: 8 };
	const limit = Math.floor(memory.maxMB * 2 ** 20);
	for (const index of [{ kind: "hnsw", M: 32 }, { kind: "ivf" }, { kind: "ivfpq", storage: "disk" }] as const) {
		const { code, details, message } = await refusal(collection.optimize({ fresh: true, index }));
		assert.equal(code, "MEMORY_LIMIT", message);
		const mostVectors = mostWithin(index, space, limit);
		assert.deepEqual(details, { count, limit, mostVectors, bytes: leastCap(index, count, space) });
		assert.ok(mostVectors < count && (details.bytes as number) > limit);
		assert.deepEqual([collection.owned === owned, collection.choice, collection.building], [true, choice, null]);
	}
	assert.equal(control.asked, 0, "nothing was built");
	await collection.optimize({ fresh: true, index: { kind: "hnsw" } });
	assert.ok(collection.owned.main instanceof HnswIndex);
});

test("what is named of a graph under a cap is what is built, or refused where it has no room", async (t) => {
	const memory = capFor({ kind: "hnsw", M: 24 }, 6_500, FLOATS);
	const { collection } = await started(t, { metric: "l2", memory }, 5_000);
	await work(collection);
	const graph = () => collection.owned.main?.effective() ?? {};
	assert.equal(graph().M, 16);
	const named: IndexChoice = { kind: "auto", M: 24, efConstruction: 60 };
	await collection.optimize({ fresh: true, index: named });
	assert.deepEqual([graph().M, graph().efConstruction], [24, 60]);
	const { owned } = collection;
	const { code, details } = await refusal(collection.optimize({ fresh: true, index: { kind: "auto", M: 64 } }));
	assert.deepEqual([code, details], ["MEMORY_LIMIT", { count: 5_000, limit: Math.floor(memory.maxMB * 2 ** 20) }]);
	assert.deepEqual([collection.owned === owned, collection.choice], [true, named]);
});

test("a conversion that writers outrun is built again, a few times, and then says so", async (t) => {
	const { collection, control } = await started(t, { metric: "l2", index: { kind: "flat" } }, 300);
	control.refusals = MOST_TRIES - 1;
	await collection.optimize({ fresh: true, index: { kind: "hnsw", M: 4, efConstruction: 8 } });
	assert.deepEqual([collection.owned.main?.kind, control.asked], ["hnsw", MOST_TRIES]);
	const { owned, choice } = collection;
	control.refusals = MOST_TRIES;
	const index = { kind: "hnsw", M: 8, efConstruction: 16 } as const;
	const { code, message } = await refusal(collection.optimize({ fresh: true, index }));
	assert.deepEqual([code, control.asked], ["UNAVAILABLE", 2 * MOST_TRIES]);
	assert.match(message, /Write less meanwhile/);
	assert.deepEqual([collection.owned === owned, collection.choice], [true, choice]);
});
