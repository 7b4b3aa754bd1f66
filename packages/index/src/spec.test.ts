import assert from "node:assert/strict";
import { test } from "node:test";
import { METRICS } from "@nigh/contract";
import { Arena } from "@nigh/kernels";
import { refusal } from "./refusal.test-support.ts";
import { checkShared, checkSpec, createArena, type IndexSpec } from "./spec.ts";
import { CHEBYSHEV } from "./vectors.test-support.ts";

const check = (options: object, more: readonly string[] = []) => checkSpec(options as IndexSpec, more);

/** The field that the options are refused for. */
const field = (options: object) => refusal("INVALID_OPTION", () => check(options)).details.field;

const arena = new Arena({ engine: "scalar" });

test("every metric is taken, with dimensions up to its bound", () => {
	for (const metric of METRICS) {
		const [least, most] = metric === "hamming" ? [8, 131_072] : [1, 16_384];
		for (const dimensions of [least, most]) {
			assert.deepEqual(check({ metric, dimensions, arena }), { metric, dimensions, arena, weights: undefined });
		}
		assert.equal(field({ metric, dimensions: least - 1, arena }), "dimensions");
		assert.equal(field({ metric, dimensions: most + 8, arena }), "dimensions");
	}
	assert.equal(field({ metric: "hamming", dimensions: 12, arena }), "dimensions");
});

test("an index without an arena gets one of its own, shared where that is asked for", () => {
	const own = check({ metric: "l2", dimensions: 2 });
	assert.notEqual(own.arena, arena);
	assert.equal(own.arena.shared, false);
	assert.equal(check({ metric: "l2", dimensions: 2, shared: false }).arena.shared, false);
	assert.equal(check({ metric: "l2", dimensions: 2, shared: undefined }).arena.shared, false);
	assert.equal(check({ metric: "l2", dimensions: 2, shared: true }).arena.shared, true);
	assert.equal(check({ metric: CHEBYSHEV, dimensions: 2 }).arena.engine, "scalar");
	assert.equal(check({ metric: CHEBYSHEV, dimensions: 2, shared: false }).arena.shared, false);
});

test("what contradicts itself is refused", () => {
	assert.equal(field({ metric: "l2", dimensions: 2, arena, shared: true }), "shared");
	assert.equal(field({ metric: "l2", dimensions: 2, arena, shared: false }), "shared");
	assert.equal(field({ metric: CHEBYSHEV, dimensions: 2, arena }), "arena");
	assert.equal(field({ metric: CHEBYSHEV, dimensions: 2, shared: true }), "shared");
});

test("an unknown option is refused with the nearest, the kind's own included", () => {
	const error = (options: object, more: readonly string[]) =>
		refusal("INVALID_OPTION", () => check(options, more)).details;
	assert.equal(error({ metric: "l2", dimension: 2 }, []).nearest, "dimensions");
	assert.equal(error({ metric: "l2", dimensions: 2, efconstruction: 9 }, ["efConstruction"]).nearest, "efConstruction");
	assert.equal(error({ metric: "l2", dimensions: 2, maxElements: 9 }, []).field, "maxElements");
	assert.equal(check({ metric: "l2", dimensions: 2, arena, maxElements: 9 }, ["maxElements"]).dimensions, 2);
	for (const options of [null, 5, "l2", []]) refusal("INVALID_OPTION", () => check(options as object));
});

test("codes are one of their names, or left out", () => {
	for (const codes of ["auto", "none", "sq7", undefined]) check({ metric: "l2", dimensions: 2, arena, codes });
	for (const codes of ["SQ7", "", false, null, 7]) {
		const error = refusal("INVALID_OPTION", () => check({ metric: "l2", dimensions: 2, arena, codes }));
		assert.equal(error.details.field, "codes");
		assert.match(error.message, /auto, none, sq7/);
	}
});

test("shared is true or false, and false where left out", () => {
	assert.equal(checkShared(undefined, false), false);
	assert.equal(checkShared(undefined, true), false);
	assert.equal(checkShared(true, false), true);
	assert.equal(checkShared(false, true), false);
	for (const shared of [0, 1, "yes", null]) refusal("INVALID_OPTION", () => checkShared(shared, false));
	refusal("INVALID_OPTION", () => checkShared(true, true));
});

test("a system that has no memory for an arena says so with MEMORY_LIMIT, and other errors are not taken for that", () => {
	const custom = { dimensions: 1, distance: () => 0 };
	assert.equal(createArena({ custom }).engine, "scalar");
	const { Memory } = WebAssembly;
	const failing = (error: Error) => {
		WebAssembly.Memory = class {
			constructor() {
				throw error;
			}
		} as unknown as typeof Memory;
		try {
			createArena({ engine: "scalar" });
		} finally {
			WebAssembly.Memory = Memory;
		}
	};
	refusal("MEMORY_LIMIT", () => failing(new RangeError("could not allocate memory")));
	assert.throws(() => failing(new TypeError("another")), TypeError);
});
