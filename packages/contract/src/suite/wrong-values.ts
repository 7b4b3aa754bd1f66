// Values that must be refused wherever they stand, with the code that they are refused with.
import { BOUNDS } from "../bounds.ts";
import type { ErrorCode } from "../errors.ts";

/** What it is, the code, the value. */
export type Wrong = readonly [what: string, code: ErrorCode, value: unknown];

/** Vectors for a collection of 4 floats. */
export const WRONG_VECTORS: readonly Wrong[] = [
	["too short", "DIMENSION_MISMATCH", [1, 2, 3]],
	["too long", "DIMENSION_MISMATCH", new Float32Array(5)],
	["empty", "DIMENSION_MISMATCH", []],
	["with NaN", "INVALID_VECTOR", [1, 2, Number.NaN, 4]],
	["with Infinity", "INVALID_VECTOR", Float32Array.of(1, Number.POSITIVE_INFINITY, 3, 4)],
	["with -Infinity", "INVALID_VECTOR", [1, 2, 3, Number.NEGATIVE_INFINITY]],
	["with a number beyond float32", "INVALID_VECTOR", [1, 2, 3, 1e39]],
	["above the bound of the norm", "INVALID_VECTOR", [0, 0, 0, BOUNDS.vectorNorm.max * 2]],
	["with a string", "INVALID_VECTOR", [1, 2, 3, "4"]],
	["with null", "INVALID_VECTOR", [1, 2, 3, null]],
	["with a hole", "INVALID_VECTOR", Array(4)],
	["null", "INVALID_VECTOR", null],
	["a string", "INVALID_VECTOR", "1,2,3,4"],
	["an object", "INVALID_VECTOR", { 0: 1, 1: 2, 2: 3, 3: 4, length: 4 }],
	["a Float64Array", "INVALID_VECTOR", Float64Array.of(1, 2, 3, 4)],
	["bits", "INVALID_VECTOR", Uint8Array.of(1, 2, 3, 4)],
];

/** Vectors for a collection of 32 bits. */
export const WRONG_BITS: readonly Wrong[] = [
	["too short", "DIMENSION_MISMATCH", new Uint8Array(3)],
	["not packed", "DIMENSION_MISMATCH", new Uint8Array(32)],
	["floats", "INVALID_VECTOR", new Float32Array(4)],
	["an array", "INVALID_VECTOR", [1, 2, 3, 4]],
];

export const WRONG_IDS: readonly Wrong[] = [
	["a number", "INVALID_RECORD", 7],
	["null", "INVALID_RECORD", null],
	["an object", "INVALID_RECORD", { toString: () => "a" }],
	["empty", "INVALID_RECORD", ""],
	["of 513 bytes", "INVALID_RECORD", "x".repeat(513)],
	["of 257 characters and 514 bytes", "INVALID_RECORD", "é".repeat(257)],
	["half of a surrogate pair", "INVALID_RECORD", "a\ud800"],
	["with U+0000", "INVALID_RECORD", "a\u0000b"],
];

function nested(levels: number): unknown {
	let value: unknown = 1;
	for (let i = 0; i < levels; i++) value = { a: value };
	return value;
}

function cyclic(): unknown {
	const value: Record<string, unknown> = { a: 1 };
	value.self = { deeper: value };
	return value;
}

/** Metadata of a record. */
export const WRONG_METADATA: readonly Wrong[] = [
	["an array", "INVALID_RECORD", [1]],
	["a string", "INVALID_RECORD", "{}"],
	["cyclic", "INVALID_RECORD", cyclic()],
	["too deep", "INVALID_RECORD", nested(BOUNDS.metadataDepth.max + 1)],
	["hugely deep", "INVALID_RECORD", nested(50_000)],
	["of too many values", "INVALID_RECORD", { list: Array(BOUNDS.metadataValues.max).fill(0) }],
	["with NaN", "INVALID_RECORD", { a: Number.NaN }],
	["with a bigint", "INVALID_RECORD", { a: 1n }],
	["with a map", "INVALID_RECORD", { a: new Map() }],
	["with a function", "INVALID_RECORD", { a: () => 1 }],
	["with a string that is ill-formed", "INVALID_RECORD", { a: "\udc00" }],
	["with a key that is ill-formed", "INVALID_RECORD", { "\ud800": 1 }],
	["with U+0000", "INVALID_RECORD", { a: ["x\u0000"] }],
];

export const WRONG_TEXTS: readonly Wrong[] = [
	["a number", "INVALID_RECORD", 7],
	["half of a surrogate pair", "INVALID_RECORD", "word \ud83d"],
	["with U+0000", "INVALID_RECORD", "word\u0000"],
];

export const WRONG_TIMES: readonly Wrong[] = [
	["NaN", "INVALID_RECORD", Number.NaN],
	["a fraction", "INVALID_RECORD", 1.5],
	["beyond a date", "INVALID_RECORD", BOUNDS.time.max + 1],
	["a string", "INVALID_RECORD", "2030-01-01"],
];

export const WRONG_FILTERS: readonly Wrong[] = [
	["null", "INVALID_FILTER", null],
	["a string", "INVALID_FILTER", "a = 1"],
	["an array", "INVALID_FILTER", [{ a: 1 }]],
	["an unknown operator", "INVALID_FILTER", { a: { $gtt: 1 } }],
	["an unknown logical operator", "INVALID_FILTER", { $nor: [{ a: 1 }] }],
	["an operator without a field", "INVALID_FILTER", { $gt: 1 }],
	["an object without operators", "INVALID_FILTER", { a: { b: 1 } }],
	["an order of booleans", "INVALID_FILTER", { a: { $gt: true } }],
	["a list that is none", "INVALID_FILTER", { a: { $in: 1 } }],
	["a list that is too long", "INVALID_FILTER", { a: { $in: Array(BOUNDS.inValues.max + 1).fill(0) } }],
	["an empty $or", "INVALID_FILTER", { $or: [] }],
	["an empty key in a path", "INVALID_FILTER", { "a..b": 1 }],
	["NaN", "INVALID_FILTER", { a: Number.NaN }],
	["undefined", "INVALID_FILTER", { a: undefined }],
	["too deep", "INVALID_FILTER", tooDeep()],
	["cyclic", "INVALID_FILTER", { a: { $eq: cyclic() } }],
];

function tooDeep(): unknown {
	let filter: unknown = { a: 1 };
	for (let i = 0; i < BOUNDS.filterDepth.max; i++) filter = { $not: filter };
	return filter;
}

/** Options of one call of `search`, beside a vector of 4 floats, each with the field that is at fault. */
export const WRONG_SEARCH_OPTIONS: readonly (readonly [field: string, options: object])[] = [
	...[0, -1, 1.5, 1e9, Number.NaN, Number.POSITIVE_INFINITY, "10", null].map((k) => ["k", { k }] as const),
	...[Number.NaN, Number.POSITIVE_INFINITY, "0.5", null].map((minScore) => ["minScore", { minScore }] as const),
	...[Number.NaN, Number.NEGATIVE_INFINITY, "1"].map((maxDistance) => ["maxDistance", { maxDistance }] as const),
	...[0.4, 1.1, Number.NaN, "1"].map((recall) => ["recall", { recall }] as const),
	...[0, -1, 1.5, 86_400_001, Number.NaN].map((timeoutMs) => ["timeoutMs", { timeoutMs }] as const),
	["exact", { exact: 1 }],
	["include", { include: ["vector"] }],
	["vectors", { include: { vectors: true } }],
	["vector", { include: { vector: "yes" } }],
	["topK", { topK: 3 }],
	["limit", { limit: 3 }],
];

/** Options of a hybrid search. */
export const WRONG_FUSION: readonly (readonly [field: string, options: object])[] = [
	["rrfK", { text: "words", fusion: { rrfK: 0 } }],
	["rrfK", { text: "words", fusion: { rrfK: 1.5 } }],
	["rrfk", { text: "words", fusion: { rrfk: 60 } }],
	["text", { text: 7 }],
];

/** Specs of a new collection of 4 floats, each with the field that is at fault. */
export const WRONG_SPECS: readonly (readonly [field: string, spec: object])[] = [
	...[0, -1, 1.5, BOUNDS.dimensions.max + 1, "4", Number.NaN].map(
		(dimensions) => ["dimensions", { dimensions }] as const,
	),
	["metric", { metric: "euclidean" }],
	["type", { type: "double" }],
	...[0.4, 1.1, "0.9"].map((recall) => ["recall", { recall }] as const),
	["index", { index: { kind: "tree" } }],
	["index", { index: "hnsw" }],
	["logQueries", { logQueries: "no" }],
	...[
		7,
		null,
		{ algorithm: "thompson" },
		{ epsilon: -0.1 },
		{ epsilon: 1.1 },
		{ decay: 0.8 },
		{ live: 1 },
		{ arms: 3 },
	].map((tuner) => ["tuner", { tuner }] as const),
	...[0, -1, Number.NaN, "5"].map((latencyMs) => ["latencyMs", { latencyMs }] as const),
	["filterable", { filterable: "type" }],
	["filterable", { filterable: ["a..b"] }],
	["filterable", { filterable: ["$a"] }],
	["filterable", { filterable: Array.from({ length: 33 }, (_, i) => `a${i}`) }],
	...[0, 1.5, 2 ** 33].map((maxRecords) => ["maxRecords", { maxRecords }] as const),
	...[1_000, 1_048_576.5].map((memoryLimit) => ["memoryLimit", { memoryLimit }] as const),
	...[-0.1, 1.1].map((warnAt) => ["warnAt", { warnAt }] as const),
	...[-0.1, Number.NaN].map((pruneAt) => ["pruneAt", { pruneAt }] as const),
	["prunePolicy", { prunePolicy: "newest" }],
	["maxAgeMs", { maxAgeMs: -1 }],
	["embedder", { embedder: {} }],
	["metrik", { metrik: "l2" }],
];

/** The option `memory` of a spec. */
export const WRONG_MEMORY: readonly unknown[] = [
	...[100, "1 GB", null, [], {}, { maxMb: 64 }, { maxMB: 64, minMB: 1 }],
	...[0, -1, 0.001, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 33, "64", null].map((maxMB) => ({ maxMB })),
];

/** Names that no collection can have. */
export const WRONG_NAMES: readonly unknown[] = [
	...["", "A", "1a", "-a", "a b", "a.b", "../a", "a/b", "é", "a\u0000", "x".repeat(49)],
	...[7, null, undefined],
];
