import assert from "node:assert/strict";
import { test } from "node:test";
import {
	BOUNDS,
	type CollectionSpec,
	type ErrorCode,
	type IndexSpec,
	isNighError,
	type NighError,
	type SearchRequest,
} from "@nigh/contract";
import fc from "fast-check";
import { smallGeneration } from "../memory/generations.test-support.ts";
import { checkRequest } from "./check-request.ts";
import { coreOf, countingEmbedder, throwing } from "./core.test-support.ts";

const CORE = await coreOf({ dimensions: 2, metric: "l2", recall: 0.9 });
const OPEN = await coreOf({ metric: "l2" });
const BITS = await coreOf({ type: "bit", dimensions: 16 });
const EMBEDDING = await coreOf({ metric: "l2", embedder: countingEmbedder() });
const vector = [1, 2];

function check(request: unknown, core = CORE, row?: number) {
	return checkRequest(core, request as SearchRequest, row);
}

function refusal(request: unknown, core = CORE, row?: number): NighError {
	try {
		check(request, core, row);
	} catch (error) {
		assert.ok(isNighError(error), `no coded error: ${error}`);
		structuredClone(error.details.field);
		return error;
	}
	return assert.fail("nothing was refused");
}

test("every default is filled in", () => {
	assert.deepEqual(check({ vector }), {
		vector: Float32Array.from(vector),
		embed: undefined,
		id: undefined,
		text: undefined,
		rrfK: BOUNDS.rrfK.default,
		weights: { vector: 1, text: 1 },
		k: BOUNDS.k.default,
		node: undefined,
		minScore: Number.NEGATIVE_INFINITY,
		maxDistance: Number.POSITIVE_INFINITY,
		recall: 0.9,
		exact: false,
		ef: undefined,
		nprobe: undefined,
		rerank: undefined,
		budget: undefined,
		timeoutMs: undefined,
		partial: false,
		include: { vector: false, metadata: true, text: false },
		signal: undefined,
	});
	const undefinedIsLeftOut = Object.fromEntries(
		["k", "recall", "exact", "ef", "nprobe", "rerank", "budget", "fusion", "include", "filter", "id"].map((name) => [
			name,
			undefined,
		]),
	);
	assert.deepEqual(check({ vector, ...undefinedIsLeftOut }), check({ vector }));
});

test("what is given comes through, at the ends of its bounds as well", () => {
	const { signal } = new AbortController();
	const given = {
		k: 12,
		minScore: -5,
		maxDistance: 7,
		recall: 0.5,
		exact: true,
		ef: 12,
		timeoutMs: 1,
		partial: true,
		include: { vector: true, metadata: false, text: true },
		signal,
	};
	const { node, weights, rrfK, text, nprobe, rerank, budget, ...checked } = check({
		...given,
		id: "near",
		text: "words",
		filter: { a: 1 },
		fusion: { rrfK: 1, weights: { text: 0 } },
	});
	assert.deepEqual(checked, { ...given, vector: undefined, embed: undefined, id: "near" });
	assert.deepEqual([weights, rrfK, text], [{ vector: 1, text: 0 }, 1, "words"]);
	assert.deepEqual([nprobe, rerank, budget], [undefined, undefined, undefined]);
	assert.ok(node !== undefined);
	assert.equal(check({ embed: "words" }, EMBEDDING).embed, "words");
});

test("exact is what was asked for, what a recall of 1 means, and what so many hits need", () => {
	const number = fc.record({
		k: fc.integer({ min: 1, max: BOUNDS.k.max }),
		recall: fc.oneof(fc.constant(1), fc.double({ min: 0.5, max: 1, noNaN: true })),
		exact: fc.boolean(),
	});
	fc.assert(
		fc.property(number, ({ k, recall, exact }) => {
			const checked = check({ vector, k, recall, exact });
			assert.equal(checked.exact, exact || recall === 1 || k > 4_000);
			assert.deepEqual([checked.k, checked.recall], [k, recall]);
		}),
	);
});

test("a vector is copied: what the caller does to it later does not reach the search", () => {
	for (const [core, query] of [
		[CORE, Float32Array.of(1, 2)],
		[BITS, Uint8Array.of(1, 2)],
	] as const) {
		const { vector } = check({ vector: query }, core);
		query.fill(77);
		assert.deepEqual([...(vector ?? [])], [1, 2]);
	}
});

test("widths are those of the kind of index that the collection is to have", async () => {
	type Widths = Pick<SearchRequest, "ef" | "nprobe" | "rerank" | "budget">;
	const cells: Widths[] = [{ nprobe: 1 }, { nprobe: 1_000_000, budget: 1 }];
	const codes: Widths[] = [...cells, { rerank: 0 }, { rerank: 10 }, { rerank: 16_000, nprobe: 2 }];
	const noCells: Widths[] = [{ nprobe: 1 }, { budget: 1 }, { rerank: 0 }];
	const wrongCells: Widths[] = [{ ef: 20 }, { nprobe: 0 }, { nprobe: 1_000_001 }, { nprobe: 1.5 }, { budget: 0 }];
	const wrongCodes: Widths[] = [...wrongCells, { rerank: 9 }, { rerank: 16_001 }, { rerank: -1 }, { rerank: 10.5 }];
	const rows: [index: IndexSpec, taken: Widths[], refused: Widths[]][] = [
		["auto", [{ ef: 20 }], noCells],
		[{ kind: "flat" }, [], noCells],
		[{ kind: "hnsw" }, [{ ef: 20 }], noCells],
		[{ kind: "ivf" }, cells, [...wrongCells, { rerank: 10 }]],
		[{ kind: "ivfpq" }, codes, wrongCodes],
		[{ kind: "ivfrabitq" }, codes, wrongCodes],
	];
	for (const [index, taken, refused] of rows) {
		const core = await coreOf({ dimensions: 2, index });
		for (const widths of taken) {
			const { ef, nprobe, rerank, budget } = check({ vector, ...widths }, core);
			const none = { ef: undefined, nprobe: undefined, rerank: undefined, budget: undefined };
			assert.deepEqual({ ef, nprobe, rerank, budget }, { ...none, ...widths });
		}
		for (const widths of refused) {
			const { code, details, message } = refusal({ vector, ...widths }, core);
			assert.deepEqual([code, details.field], ["INVALID_OPTION", Object.keys(widths)[0]], message);
		}
	}
});

test("a width of another kind says what the collection has, also after it was converted", async () => {
	const core = await coreOf({ dimensions: 2, index: { kind: "ivf" } });
	assert.match(refusal({ vector, ef: 40 }, core).message, /has cells of vectors \(ivf\): say nprobe instead/);
	core.spec = { ...core.spec, converted: { kind: "hnsw" } };
	assert.match(refusal({ vector, nprobe: 4 }, core).message, /has a graph \(hnsw\): leave it out/);
	assert.equal(check({ vector, ef: 40 }, core).ef, 40);
});

test("the index that serves tells which widths there are, whatever was asked for", async () => {
	const core = await coreOf({ dimensions: 4, metric: "l2", index: { kind: "ivf" } });
	const { handle, area } = smallGeneration({ graph: true });
	const vector = [1, 2, 3, 4];
	core.install({ key: 1, generation: handle, areas: { caller: area, worker: area } });
	assert.equal(check({ vector, ef: 40 }, core).ef, 40);
	assert.match(refusal({ vector, nprobe: 4 }, core).message, /has a graph \(hnsw\): leave it out/);
	const flat = smallGeneration();
	core.install({ key: 1, generation: flat.handle, areas: { caller: flat.area, worker: flat.area } });
	assert.equal(check({ vector, nprobe: 4 }, core).nprobe, 4, "as long as none serves, what was asked for");
});

const many = { in: Array.from({ length: BOUNDS.inValues.max + 1 }, (_, i) => i) };

/** Requests that are refused: the code and the field. */
const BAD: Record<string, [request: unknown, code: ErrorCode, field?: string]> = {
	"no request": [undefined, "INVALID_OPTION", "request"],
	null: [null, "INVALID_OPTION", "request"],
	"a string": ["words", "INVALID_OPTION", "request"],
	"a bare vector": [vector, "INVALID_OPTION", "search"],
	"nothing to search for": [{}, "INVALID_OPTION", "vector"],
	"only a text": [{ text: "words" }, "INVALID_OPTION", "vector"],
	"a vector and an id": [{ vector, id: "a" }, "INVALID_OPTION", "vector"],
	"a vector and an embedding": [{ vector, embed: "words" }, "INVALID_OPTION", "vector"],
	"a name that is near": [{ vector, topK: 3 }, "INVALID_OPTION", "topK"],
	"a name that there is not": [{ vector, limit: 3 }, "INVALID_OPTION", "limit"],
	"an embedding without an embedder": [{ embed: "words" }, "INVALID_OPTION", "embed"],
	"an embedding of no words": [{ embed: 5 }, "INVALID_OPTION", "embed"],
	"a text that is none": [{ vector, text: ["a"] }, "INVALID_OPTION", "text"],
	"null as text": [{ vector, text: null }, "INVALID_OPTION", "text"],
	"an id that is no string": [{ id: 7 }, "INVALID_RECORD", "id"],
	"an empty id": [{ id: "" }, "INVALID_RECORD", "id"],
	"null as the vector": [{ vector: null }, "INVALID_VECTOR", "vector"],
	"a string as the vector": [{ vector: "12" }, "INVALID_VECTOR", "vector"],
	"something like a vector": [{ vector: { length: 2, 0: 1, 1: 2 } }, "INVALID_VECTOR", "vector"],
	"other dimensions": [{ vector: [1, 2, 3] }, "DIMENSION_MISMATCH", "vector"],
	"an empty vector": [{ vector: [] }, "DIMENSION_MISMATCH", "vector"],
	NaN: [{ vector: [Number.NaN, 1] }, "INVALID_VECTOR", "vector"],
	infinity: [{ vector: Float32Array.of(1, Number.POSITIVE_INFINITY) }, "INVALID_VECTOR", "vector"],
	"a vector with holes": [{ vector: new Array(2) }, "INVALID_VECTOR", "vector"],
	"a Float64Array": [{ vector: Float64Array.of(1, 2) }, "INVALID_VECTOR", "vector"],
	"an Int8Array": [{ vector: Int8Array.of(1, 2) }, "INVALID_VECTOR", "vector"],
	"bits for floats": [{ vector: Uint8Array.of(1, 2) }, "INVALID_VECTOR", "vector"],
	"k = 0": [{ vector, k: 0 }, "INVALID_OPTION", "k"],
	"k = 1e9": [{ vector, k: 1e9 }, "INVALID_OPTION", "k"],
	"k = 1.5": [{ vector, k: 1.5 }, "INVALID_OPTION", "k"],
	"k = NaN": [{ vector, k: Number.NaN }, "INVALID_OPTION", "k"],
	"k = null": [{ vector, k: null }, "INVALID_OPTION", "k"],
	"k as a string": [{ vector, k: "10" }, "INVALID_OPTION", "k"],
	"k as a bigint": [{ vector, k: 10n }, "INVALID_OPTION", "k"],
	"ef below k": [{ vector, k: 20, ef: 19 }, "INVALID_OPTION", "ef"],
	"ef above its bound": [{ vector, ef: 10_001 }, "INVALID_OPTION", "ef"],
	"half an ef": [{ vector, ef: 20.5 }, "INVALID_OPTION", "ef"],
	"nprobe without cells": [{ vector, nprobe: 3 }, "INVALID_OPTION", "nprobe"],
	"rerank without codes": [{ vector, rerank: 30 }, "INVALID_OPTION", "rerank"],
	"budget without cells": [{ vector, budget: 30 }, "INVALID_OPTION", "budget"],
	"exact that is no flag": [{ vector, exact: 1 }, "INVALID_OPTION", "exact"],
	"exact as a bigint": [{ vector, exact: 1n }, "INVALID_OPTION", "exact"],
	"null as exact": [{ vector, exact: null }, "INVALID_OPTION", "exact"],
	"partial that is no flag": [{ vector, partial: "yes" }, "INVALID_OPTION", "partial"],
	"a recall below its bound": [{ vector, recall: 0.4 }, "INVALID_OPTION", "recall"],
	"a recall above 1": [{ vector, recall: 1.01 }, "INVALID_OPTION", "recall"],
	"null as recall": [{ vector, recall: null }, "INVALID_OPTION", "recall"],
	"no time": [{ vector, timeoutMs: 0 }, "INVALID_OPTION", "timeoutMs"],
	"time below zero": [{ vector, timeoutMs: -5 }, "INVALID_OPTION", "timeoutMs"],
	"time without end": [{ vector, timeoutMs: Number.POSITIVE_INFINITY }, "INVALID_OPTION", "timeoutMs"],
	"a fraction of time": [{ vector, timeoutMs: 0.5 }, "INVALID_OPTION", "timeoutMs"],
	"null as time": [{ vector, timeoutMs: null }, "INVALID_OPTION", "timeoutMs"],
	"NaN as a score": [{ vector, minScore: Number.NaN }, "INVALID_OPTION", "minScore"],
	"infinity as a distance": [{ vector, maxDistance: Number.POSITIVE_INFINITY }, "INVALID_OPTION", "maxDistance"],
	"include that is no object": [{ vector, include: true }, "INVALID_OPTION", "include"],
	"a list to include": [{ vector, include: ["text"] }, "INVALID_OPTION", "include"],
	"something else to include": [{ vector, include: { vectors: true } }, "INVALID_OPTION", "vectors"],
	"a number to include": [{ vector, include: { text: 1 } }, "INVALID_OPTION", "include.text"],
	"a fusion without a text": [{ vector, fusion: {} }, "INVALID_OPTION", "fusion"],
	"null as a fusion": [{ vector, text: "a", fusion: null }, "INVALID_OPTION", "fusion"],
	"a fusion of another kind": [{ vector, text: "a", fusion: { k: 3 } }, "INVALID_OPTION", "k"],
	"a weight below zero": [
		{ vector, text: "a", fusion: { weights: { text: -1 } } },
		"INVALID_OPTION",
		"fusion.weights.text",
	],
	"null as a weight": [
		{ vector, text: "a", fusion: { weights: { vector: null } } },
		"INVALID_OPTION",
		"fusion.weights.vector",
	],
	"null as weights": [{ vector, text: "a", fusion: { weights: null } }, "INVALID_OPTION", "fusion.weights"],
	"a weight for nothing": [{ vector, text: "a", fusion: { weights: { words: 1 } } }, "INVALID_OPTION", "words"],
	"rrfK = 0": [{ vector, text: "a", fusion: { rrfK: 0 } }, "INVALID_OPTION", "fusion.rrfK"],
	"null as rrfK": [{ vector, text: "a", fusion: { rrfK: null } }, "INVALID_OPTION", "fusion.rrfK"],
	"a filter that is none": [{ vector, filter: "a = 1" }, "INVALID_FILTER"],
	"null as a filter": [{ vector, filter: null }, "INVALID_FILTER"],
	"an operator that there is not": [{ vector, filter: { a: { $near: 1 } } }, "INVALID_FILTER"],
	"too many values in a filter": [{ vector, filter: { a: { $in: many.in } } }, "INVALID_FILTER"],
	"a request that cannot be read": [throwing("vector"), "INVALID_OPTION", "request"],
	"k that cannot be read": [Object.assign(throwing("k"), { vector }), "INVALID_OPTION", "request"],
	"a filter that cannot be read": [{ vector, filter: throwing("a") }, "INVALID_OPTION", "request"],
	"a weight that cannot be read": [
		{ vector, text: "a", fusion: { weights: throwing("text") } },
		"INVALID_OPTION",
		"request",
	],
};

for (const [what, [request, code, field]] of Object.entries(BAD)) {
	test(`refused: ${what}`, () => {
		const error = refusal(request);
		assert.equal(error.code, code, error.message);
		if (field !== undefined) assert.equal(error.details.field, field, error.message);
	});
}

test("any number that a bound does not allow is refused with field, value and bound, any other is taken", () => {
	const fields = {
		k: BOUNDS.k,
		timeoutMs: BOUNDS.timeoutMs,
		minScore: BOUNDS.minScore,
		maxDistance: BOUNDS.maxDistance,
		recall: BOUNDS.recall,
	} as const;
	const names = Object.keys(fields) as (keyof typeof fields)[];
	const number = fc.oneof(fc.double(), fc.integer(), fc.integer({ min: -2, max: 12_000 }));
	fc.assert(
		fc.property(fc.constantFrom(...names), number, (name, value) => {
			const { min, max, ...more } = fields[name];
			const isWhole = Number.isInteger(value) || !("integer" in more);
			if (value >= min && value <= max && isWhole) {
				assert.equal(check({ vector, [name]: value })[name], value);
				return;
			}
			const { code, details } = refusal({ vector, [name]: value });
			assert.deepEqual([code, details.field, details.value], ["INVALID_OPTION", name, value]);
			assert.ok(details.bound !== undefined);
		}),
	);
});

test("a collection whose dimensions nobody has told takes any vector that could be one, and nothing else", () => {
	assert.equal(check({ vector: [1, 2, 3] }, OPEN).vector?.length, 3);
	assert.equal(check({ vector: new Float32Array(BOUNDS.dimensions.max) }, OPEN).vector?.length, BOUNDS.dimensions.max);
	const none = [
		null,
		[],
		"abc",
		5,
		() => {},
		{ length: "x" },
		{ length: 2.5 },
		{ length: -1 },
		[Number.NaN],
		Float64Array.of(1, 2),
		new DataView(new ArrayBuffer(4)),
		new Float32Array(BOUNDS.dimensions.max + 1),
	];
	for (const vector of none) {
		const { code, details } = refusal({ vector }, OPEN);
		assert.ok(code === "INVALID_VECTOR" || code === "DIMENSION_MISMATCH", code);
		assert.equal(details.field, "vector");
	}
});

test("bits are asked for with bits", async () => {
	assert.deepEqual(check({ vector: Uint8Array.of(1, 2) }, BITS).vector, Uint8Array.of(1, 2));
	assert.equal(refusal({ vector: Uint8Array.of(1) }, BITS).code, "DIMENSION_MISMATCH");
	for (const vector of [[1, 0], Float32Array.of(1, 0), "ab", null]) {
		assert.equal(refusal({ vector }, BITS).code, "INVALID_VECTOR");
	}
	const open = await coreOf({ type: "bit" } satisfies CollectionSpec);
	assert.equal(check({ vector: Uint8Array.of(1, 2, 3) }, open).vector?.length, 3);
	assert.equal(refusal({ vector: { length: 1e9 } }, open).code, "INVALID_VECTOR");
});

test("an error of a vector says which of many requests it was", () => {
	assert.equal(refusal({ vector: [1] }, CORE, 17).details.row, 17);
	assert.equal(refusal({ vector: [1] }).details.row, undefined);
});
