import assert from "node:assert/strict";
import { test } from "node:test";
import { describe, detailOf } from "./describe.ts";

test("a value is described in a few words, whatever it is", () => {
	const cases: [unknown, string][] = [
		["a\nb", '"a\\nb"'],
		["x".repeat(61), `"${"x".repeat(60)}"... (61 characters)`],
		[-0, "-0"],
		[Number.NaN, "NaN"],
		[12n, "12n"],
		[undefined, "undefined"],
		[null, "null"],
		[true, "true"],
		[Symbol("s"), "a symbol"],
		[() => 1, "a function"],
		[[1, 2], "an array of 2"],
		[new Float32Array(3), "a Float32Array of 3"],
		[{ a: 1 }, "an Object"],
		[new Date(0), "a Date"],
		[Object.create(null), "an Object"],
	];
	for (const [value, expected] of cases) assert.equal(describe(value), expected);
});

test("details keep primitives and can always be cloned to another thread", () => {
	for (const value of [1, "a", null, undefined, 3n, true]) assert.equal(detailOf(value), value);
	for (const value of [() => 1, Symbol("s"), { f: () => 1 }])
		assert.equal(typeof structuredClone(detailOf(value)), "string");
});
