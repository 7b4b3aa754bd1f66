import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { BOUNDS } from "./bounds.ts";
import { checkMetadata, type Metadata } from "./metadata.ts";

function nested(levels: number): Metadata {
	let value: Metadata = {};
	for (let level = 1; level < levels; level++) value = { a: value };
	return value;
}

function refuses(metadata: unknown, field: string, message: RegExp): void {
	assert.throws(
		() => checkMetadata(metadata, { row: 4 }),
		(error: Error & { code?: string; details?: { field?: string; row?: number } }) =>
			error.code === "INVALID_RECORD" &&
			error.details?.field === field &&
			error.details.row === 4 &&
			message.test(error.message),
	);
}

test("an object of JSON is returned as it is", () => {
	fc.assert(
		fc.property(fc.dictionary(fc.string({ unit: "grapheme" }), fc.jsonValue({ stringUnit: "grapheme" })), (value) => {
			const metadata = value as Metadata;
			assert.equal(checkMetadata(metadata), metadata);
		}),
	);
	checkMetadata({ a: undefined, b: [null, true, 1.5, "é", {}] });
	checkMetadata(Object.assign(Object.create(null), { a: 1 }));
});

test("what is not JSON is refused with its path", () => {
	refuses({ a: { b: [1, new Date(0)] } }, "metadata.a.b[1]", /is a Date/);
	refuses({ a: 1n }, "metadata.a", /bigint/);
	refuses({ a: Number.NaN }, "metadata.a", /NaN/);
	refuses({ a: () => 1 }, "metadata.a", /a function/);
	refuses({ a: [undefined] }, "metadata.a[0]", /undefined/);
	refuses({ a: new Map() }, "metadata.a", /Map/);
	refuses({ a: new (class Point {})() }, "metadata.a", /not JSON/);
	refuses({ "a.b": "\ud800" }, 'metadata["a.b"]', /well-formed/);
	refuses({ a: "\u0000" }, "metadata.a", /U\+0000/);
	refuses({ a: { "\ud800": 1 } }, 'metadata.a["\\ud800"]', /key/);
});

test("what is not an object is refused", () => {
	for (const value of [null, [], "a", 1, true]) refuses(value, "metadata", /must be an object/);
});

test("cyclic, too deep and too large metadata is refused", () => {
	const cyclic: Record<string, unknown> = {};
	cyclic.self = { cyclic };
	refuses(cyclic, "metadata.self.cyclic", /contains itself/);
	checkMetadata(nested(BOUNDS.metadataDepth.max));
	assert.throws(() => checkMetadata(nested(BOUNDS.metadataDepth.max + 1)), /nested deeper than 100/);
	assert.throws(() => checkMetadata(nested(100_000)), { code: "INVALID_RECORD" });
	checkMetadata({ a: Array(BOUNDS.metadataValues.max - 2).fill(0) });
	assert.throws(() => checkMetadata({ a: Array(BOUNDS.metadataValues.max - 1).fill(0) }), /one value too many/);
	// 2^60 values as text, 60 objects in memory.
	let shared: Metadata = {};
	for (let i = 0; i < 60; i++) shared = { a: shared, b: shared };
	assert.throws(() => checkMetadata(shared), /one value too many/);
});
