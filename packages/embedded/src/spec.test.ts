import assert from "node:assert/strict";
import { test } from "node:test";
import { BOUNDS, type CollectionSpec, type Embedder, isNighError } from "@nigh/contract";
import { readersSpec, specOf } from "./spec.ts";

function embedderOf(name: string, dimensions: number, model = "m"): Embedder {
	return { identity: async () => ({ name, model, dimensions }), embed: async () => [] };
}

async function refusalOf(given: unknown, stored?: CollectionSpec) {
	const before = stored === undefined ? undefined : await specOf(stored, undefined);
	try {
		await specOf(given as CollectionSpec, before);
	} catch (error) {
		if (isNighError(error)) return { code: error.code, field: error.details.field, message: error.message };
		throw error;
	}
	return undefined;
}

test("what is left out has the defaults of the contract", async () => {
	assert.deepEqual(await specOf({}, undefined), {
		dimensions: null,
		type: "float",
		metric: "cosine",
		weights: null,
		recall: BOUNDS.recall.default,
		index: { kind: "auto" },
		embedder: null,
		logQueries: true,
		tuner: { algorithm: "epsilon-greedy", epsilon: 0.1, decay: 1, live: false },
		latencyMs: null,
		filterable: [],
		memory: null,
		maxRecords: BOUNDS.maxRecords.default,
		memoryLimit: null,
		warnAt: BOUNDS.warnAt.default,
		pruneAt: BOUNDS.pruneAt.default,
		prunePolicy: "expired",
		maxAgeMs: null,
	});
	assert.equal((await specOf({ type: "bit", dimensions: 64 }, undefined)).metric, "hamming");
});

test("opening again without a word keeps everything; saying the same again changes nothing", async () => {
	const given: CollectionSpec = {
		dimensions: 3,
		metric: "l2",
		weights: [1, 2, 0],
		recall: 0.9,
		index: { kind: "hnsw", efConstruction: 100, M: 8 },
		logQueries: false,
		tuner: { algorithm: "ucb1", epsilon: 0, decay: 0.99, live: true },
		latencyMs: 1.5,
		filterable: ["b", "a.c", "b"],
		memory: { maxMB: 512 },
		maxRecords: 100,
		memoryLimit: 2 ** 20,
		warnAt: 0.5,
		pruneAt: 0.6,
		prunePolicy: "oldest",
		maxAgeMs: 1_000,
	};
	const stored = await specOf(given, undefined);
	assert.deepEqual(stored.filterable, ["a.c", "b"]);
	assert.deepEqual(await specOf({}, stored), stored);
	assert.deepEqual(await specOf({ ...given, index: { M: 8, efConstruction: 100, kind: "hnsw" } }, stored), stored);
	assert.deepEqual(await specOf({ warnAt: undefined } as CollectionSpec, stored), stored);
	const auto = await specOf({ index: "auto" }, undefined);
	assert.deepEqual(auto.index, { kind: "auto" });
	assert.deepEqual(await specOf({ index: { kind: "auto" } }, auto), auto);
});

const STORED: CollectionSpec = {
	dimensions: 8,
	metric: "l2",
	weights: [1, 1, 1, 1, 1, 1, 1, 2],
	index: { kind: "hnsw", M: 8 },
};

for (const [field, given] of Object.entries({
	dimensions: { dimensions: 9, weights: new Array(9).fill(1) },
	metric: { metric: "l1" },
	weights: { weights: [1, 1, 1, 1, 1, 1, 1, 3] },
	index: { index: { kind: "hnsw", M: 9 } },
	embedder: { embedder: embedderOf("other", 8) },
})) {
	test(`another ${field} than the stored one is a conflict that names it`, async () => {
		const { code, field: named } = (await refusalOf(given, STORED)) ?? {};
		assert.deepEqual([code, named], ["SPEC_CONFLICT", field]);
	});
}

test("another type than the stored one is a conflict that names it", async () => {
	const refusal = await refusalOf({ type: "float", metric: "l2" }, { type: "bit", dimensions: 64 });
	assert.deepEqual([refusal?.code, refusal?.field], ["SPEC_CONFLICT", "type"]);
});

test("limits, recall and what is kept of queries may change", async () => {
	const stored = await specOf(STORED, undefined);
	const changed: CollectionSpec = {
		recall: 0.99,
		logQueries: false,
		tuner: { algorithm: "ucb1", epsilon: 0.5, decay: 1, live: true },
		latencyMs: 0.5,
		filterable: ["x"],
		memory: { maxMB: 0.5 },
		maxRecords: 7,
		memoryLimit: 2 ** 21,
		warnAt: 0,
		pruneAt: 1,
		prunePolicy: "oldest",
		maxAgeMs: 0,
	};
	assert.deepEqual(await specOf(changed, stored), { ...stored, ...changed });
});

test("what need not be there is taken away by null, and stays where nothing is said", async () => {
	const given: CollectionSpec = { ...STORED, latencyMs: 2, memoryLimit: 2 ** 21, maxAgeMs: 5_000 };
	const stored = await specOf(given, undefined);
	const none = { latencyMs: null, memoryLimit: null, maxAgeMs: null };
	assert.deepEqual(await specOf(none, stored), { ...stored, ...none });
	assert.deepEqual(await specOf({ latencyMs: null }, stored), { ...stored, latencyMs: null });
	assert.deepEqual(await specOf({}, stored), stored);
});

test("who only reads has what may change as he asks for it, but for what would have to be written", async () => {
	const stored = await specOf({ ...STORED, filterable: ["x"] }, undefined);
	const asked = await specOf({ recall: 0.99, maxRecords: 7, filterable: ["y"] }, stored);
	assert.deepEqual(readersSpec(asked, stored), { ...stored, recall: 0.99, maxRecords: 7 });
	const untold = await specOf({}, undefined);
	assert.equal(readersSpec(await specOf({ dimensions: 5 }, untold), untold).dimensions, null);
});

test("dimensions that nobody has told may be told later, and then they are fixed", async () => {
	const open = await specOf({}, undefined);
	const told = await specOf({ dimensions: 5 }, open);
	assert.equal(told.dimensions, 5);
	await assert.rejects(specOf({ dimensions: 6 }, told), { code: "SPEC_CONFLICT" });
});

test("dimensions that an embedder tells are checked as those of a spec are", async () => {
	for (const wrong of [0, -1, 1.5, BOUNDS.dimensions.max + 1, Number.NaN, "3", null, undefined]) {
		const refusal = await refusalOf({ embedder: embedderOf("e", wrong as number) });
		assert.deepEqual([refusal?.code, refusal?.field], ["INVALID_OPTION", "embedder.dimensions"], String(wrong));
	}
	const refusal = await refusalOf({ type: "bit", embedder: embedderOf("e", 12) });
	assert.equal(refusal?.field, "embedder.dimensions", "bits come in bytes");
	const { max } = BOUNDS.dimensions;
	assert.equal((await specOf({ embedder: embedderOf("e", max) }, undefined)).dimensions, max);
});

test("an embedder tells the dimensions; another name, model or length is a conflict", async () => {
	const stored = await specOf({ embedder: embedderOf("e", 16) }, undefined);
	assert.equal(stored.dimensions, 16);
	assert.deepEqual(await specOf({ embedder: embedderOf("e", 16) }, stored), stored);
	for (const other of [embedderOf("f", 16), embedderOf("e", 16, "n"), embedderOf("e", 17)]) {
		await assert.rejects(specOf({ embedder: other }, stored), (error) => {
			assert.ok(isNighError(error, "SPEC_CONFLICT"));
			assert.equal(error.details.field, "embedder");
			return true;
		});
	}
	const refusal = await refusalOf({ dimensions: 4, embedder: embedderOf("e", 16) });
	assert.deepEqual([refusal?.code, refusal?.field], ["SPEC_CONFLICT", "dimensions"]);
});

for (const [what, given, code, field] of [
	["a name that is none", { dimension: 3 }, "INVALID_OPTION", "dimension"],
	["dimensions of 0", { dimensions: 0 }, "INVALID_OPTION", "dimensions"],
	["dimensions beyond the bound", { dimensions: BOUNDS.dimensions.max + 1 }, "INVALID_OPTION", "dimensions"],
	["a fraction of a dimension", { dimensions: 2.5 }, "INVALID_OPTION", "dimensions"],
	["bits that are no whole bytes", { type: "bit", dimensions: 12 }, "INVALID_OPTION", "dimensions"],
	["a type that is none", { type: "int" }, "INVALID_OPTION", "type"],
	["a metric that is none", { metric: "l3" }, "INVALID_OPTION", "metric"],
	["hamming of floats", { metric: "hamming" }, "INVALID_OPTION", "metric"],
	["bits by cosine", { type: "bit", metric: "cosine" }, "INVALID_OPTION", "metric"],
	["weights without dimensions", { weights: [1, 2] }, "INVALID_OPTION", "dimensions"],
	["weights of bits", { type: "bit", dimensions: 16, weights: [1] }, "UNSUPPORTED", "weights"],
	["too few weights", { dimensions: 3, weights: [1, 2] }, "INVALID_OPTION", "weights"],
	["a negative weight", { dimensions: 2, weights: [1, -1] }, "INVALID_OPTION", "weights[1]"],
	["a recall beyond 1", { recall: 1.1 }, "INVALID_OPTION", "recall"],
	["a recall in per cent", { recall: 95 }, "INVALID_OPTION", "recall"],
	["an index without a kind", { index: {} }, "INVALID_OPTION", "index.kind"],
	["an index that is a word", { index: "hnsw" }, "INVALID_OPTION", "index"],
	["cells of bits", { type: "bit", dimensions: 64, index: { kind: "ivf" } }, "UNSUPPORTED", "index.kind"],
	[
		"codes that do not fit the dimensions",
		{ dimensions: 4, index: { kind: "ivfpq", M: 3 } },
		"INVALID_OPTION",
		"index.M",
	],
	["an option of another index", { index: { kind: "flat", M: 8 } }, "INVALID_OPTION", "M"],
	["an M beyond the bound", { index: { kind: "hnsw", M: 201 } }, "INVALID_OPTION", "index.M"],
	[
		"an efConstruction below 2 M",
		{ index: { kind: "hnsw", M: 20, efConstruction: 39 } },
		"INVALID_OPTION",
		"index.efConstruction",
	],
	["an embedder that is none", { embedder: {} }, "INVALID_OPTION", "embedder"],
	["a tuner that is none", { tuner: 7 }, "INVALID_OPTION", "tuner"],
	["an unknown algorithm", { tuner: { algorithm: "ucb2" } }, "INVALID_OPTION", "tuner.algorithm"],
	["an unknown option of the tuner", { tuner: { arms: 4 } }, "INVALID_OPTION", "tuner.arms"],
	["an epsilon above 1", { tuner: { epsilon: 2 } }, "INVALID_OPTION", "tuner.epsilon"],
	["a decay below 0.9", { tuner: { decay: 0.5 } }, "INVALID_OPTION", "tuner.decay"],
	["a flag of the tuner that is none", { tuner: { live: 1 } }, "INVALID_OPTION", "tuner.live"],
	["a latency of 0", { latencyMs: 0 }, "INVALID_OPTION", "latencyMs"],
	["logQueries that is no flag", { logQueries: 1 }, "INVALID_OPTION", "logQueries"],
	["filterable that is no list", { filterable: "type" }, "INVALID_OPTION", "filterable"],
	["a path with an empty key", { filterable: ["a..b"] }, "INVALID_OPTION", "filterable"],
	["a path with an operator", { filterable: ["$eq"] }, "INVALID_OPTION", "filterable"],
	["a path that is no string", { filterable: [3] }, "INVALID_OPTION", "filterable"],
	["too many paths", { filterable: Array.from({ length: 33 }, (_, i) => `p${i}`) }, "INVALID_OPTION", "filterable"],
	["no room for one record", { maxRecords: 0 }, "INVALID_OPTION", "maxRecords"],
	["less memory than anything needs", { memoryLimit: 1_000 }, "INVALID_OPTION", "memoryLimit"],
	["a cap that is a number", { memory: 512 }, "INVALID_OPTION", "memory"],
	["a cap that is null", { memory: null }, "INVALID_OPTION", "memory"],
	["a cap without a number", { memory: {} }, "INVALID_OPTION", "memory.maxMB"],
	["a cap of nothing", { memory: { maxMB: 0 } }, "INVALID_OPTION", "memory.maxMB"],
	["a cap of all there is", { memory: { maxMB: 2 ** 33 } }, "INVALID_OPTION", "memory.maxMB"],
	["a cap with a name that nobody reads", { memory: { maxMb: 5 } }, "INVALID_OPTION", "memory.maxMb"],
	["a warning beyond full", { warnAt: 1.5 }, "INVALID_OPTION", "warnAt"],
	["a negative share", { pruneAt: -0.1 }, "INVALID_OPTION", "pruneAt"],
	["a policy that is none", { prunePolicy: "newest" }, "INVALID_OPTION", "prunePolicy"],
	["a negative age", { maxAgeMs: -1 }, "INVALID_OPTION", "maxAgeMs"],
] as const) {
	test(`${what} is refused, and named`, async () => {
		const refusal = await refusalOf(given);
		assert.deepEqual([refusal?.code, refusal?.field], [code, field], refusal?.message);
	});
}

test("what is given of the tuner goes before what was stored, and the rest stays", async () => {
	const stored = await specOf({ tuner: { algorithm: "ucb1", epsilon: 0.3 } }, undefined);
	const { tuner } = await specOf({ tuner: { epsilon: 0.05 } }, stored);
	assert.deepEqual(tuner, { algorithm: "ucb1", epsilon: 0.05, decay: 1, live: false });
});
