import assert from "node:assert/strict";
import { test } from "node:test";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { BOUNDS } from "./bounds.ts";
import { checkBits, checkVector, checkWeights } from "./vectors.ts";

const LARGEST = 2 ** 62;

test("a Float32Array is returned as it is, an array of numbers is rounded to float32", () => {
	const floats = new Float32Array([1, -2]);
	assert.equal(checkVector(floats, 2), floats);
	assert.deepEqual(checkVector([0.1, -2], 2), new Float32Array([0.1, -2]));
});

test("a Float32Array of another realm is accepted", () => {
	const foreign: unknown = runInNewContext("new Float32Array([1, 2])");
	assert.equal(foreign instanceof Float32Array, false);
	assert.equal(checkVector(foreign, 2), foreign);
});

test("a wrong dimension names both numbers and the likely mistake", () => {
	assert.throws(() => checkVector(new Float32Array(768), 500, { row: 2, field: "vector" }), {
		code: "DIMENSION_MISMATCH",
		message:
			"The vector of row 2 has 768 dimensions, but 500 are expected. Was it made by another model? Vectors of different models cannot be compared: embed with the model of the collection, do not pad or truncate.",
		details: { field: "vector", row: 2, expected: 500, actual: 768 },
	});
	assert.throws(() => checkVector([1, 2, 3, 4], 2), /Are these 2 vectors in one array\?/);
	assert.throws(() => checkVector([], 2), /It is empty/);
	assert.throws(() => checkVector([1, 2], 1), /another model/);
});

test("a component that is not a finite number is refused with its index", () => {
	for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
		const expected = { code: "INVALID_VECTOR", details: { field: "query", row: 5, index: 2, value: bad } };
		assert.throws(() => checkVector([1, 2, bad], 3, { row: 5, field: "query" }), expected);
		assert.throws(() => checkVector(new Float32Array([1, 2, bad]), 3, { row: 5, field: "query" }), expected);
	}
	for (const bad of ["1", null, undefined, 1n]) {
		assert.throws(() => checkVector([bad, 2], 2), {
			code: "INVALID_VECTOR",
			details: { field: "vector", index: 0, value: bad },
		});
	}
	// A hole in an array.
	assert.throws(() => checkVector(Array(2), 2), { code: "INVALID_VECTOR" });
});

test("a number beyond float32 is refused as such", () => {
	assert.throws(
		() => checkVector([0, 1e39], 2),
		(error: Error) => /has 1e\+39 as component 1, beyond what float32/.test(error.message),
	);
});

test("the norm may reach the bound and not exceed it", () => {
	assert.equal(checkVector([LARGEST], 1)[0], LARGEST);
	assert.throws(() => checkVector([LARGEST, LARGEST], 2, { row: 0 }), {
		code: "INVALID_VECTOR",
		details: { field: "vector", row: 0, value: Math.SQRT2 * LARGEST, bound: BOUNDS.vectorNorm },
	});
	assert.throws(() => checkVector(new Float32Array([3.4e38]), 1), { code: "INVALID_VECTOR" });
});

test("other types are refused", () => {
	for (const bad of [
		"1,2",
		null,
		undefined,
		1,
		{},
		{ length: 2 },
		new Float64Array(2),
		new Uint8Array(2),
		new DataView(new ArrayBuffer(8)),
	]) {
		assert.throws(() => checkVector(bad, 2), { code: "INVALID_VECTOR" });
	}
	assert.throws(() => checkVector(new Float64Array(2), 2), /Float32Array\.from/);
});

test("a vector is accepted exactly when its float32 components are finite and its norm is within the bound", () => {
	const component = fc.oneof(fc.float(), fc.double(), fc.constantFrom(LARGEST, -LARGEST, 2 ** 61, 0));
	fc.assert(
		fc.property(fc.array(component, { minLength: 1, maxLength: 5 }), (numbers) => {
			const floats = numbers.map(Math.fround);
			const fits = floats.every(Number.isFinite) && floats.reduce((sum, x) => sum + x * x, 0) <= LARGEST ** 2;
			if (fits) assert.deepEqual([...checkVector(numbers, numbers.length)], floats);
			else assert.throws(() => checkVector(numbers, numbers.length), { code: "INVALID_VECTOR" });
		}),
	);
});

test("packed bits are returned as they are", () => {
	const packed = new Uint8Array(16);
	assert.equal(checkBits(packed, 128), packed);
});

test("bits of another length or type are refused", () => {
	assert.throws(() => checkBits(new Uint8Array(15), 128, { row: 1 }), {
		code: "DIMENSION_MISMATCH",
		details: { field: "vector", row: 1, expected: 128, actual: 120 },
	});
	assert.throws(() => checkBits(new Uint8Array(128), 128), /Pack the bits/);
	for (const bad of [new Float32Array(16), Array(16).fill(0), "0101", null]) {
		assert.throws(() => checkBits(bad, 128), { code: "INVALID_VECTOR" });
	}
});

test("weights become floats", () => {
	assert.deepEqual(checkWeights([0, 0.5, 1_000_000], 3), new Float32Array([0, 0.5, 1_000_000]));
	assert.deepEqual(checkWeights(new Float32Array([1, 2]), 2), new Float32Array([1, 2]));
});

test("weights that cannot weigh are refused", () => {
	for (const bad of [[1], [1, 2, 3], "12", null, undefined, 1, new Float64Array(2)]) {
		assert.throws(() => checkWeights(bad, 2), { code: "INVALID_OPTION" });
	}
	for (const bad of [-1, Number.NaN, Number.POSITIVE_INFINITY, 1_000_001, "1", null]) {
		assert.throws(() => checkWeights([1, bad], 2), {
			code: "INVALID_OPTION",
			details: { field: "weights[1]", index: 1, value: bad, bound: BOUNDS.weight },
		});
	}
	assert.throws(() => checkWeights([0, 0], 2), /Every weight is 0/);
	// Rounds to 0 in float32.
	assert.throws(() => checkWeights([1e-60, 0], 2), /Every weight is 0/);
});
