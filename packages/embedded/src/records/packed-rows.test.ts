import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
	EXPIRES,
	METADATA,
	NULL_EXPIRES,
	NULL_METADATA,
	NULL_TEXT,
	packRows,
	TEXT,
	unpackRows,
	VECTOR,
	vectorBytesOf,
} from "./packed-rows.ts";

const text = fc.string({ unit: "grapheme" }).map((string) => string.replaceAll("\u0000", ""));
const given = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(fc.option(arbitrary, { nil: null }), { nil: undefined });
const row = (bytes: number) =>
	fc.record({
		id: text,
		metadata: given(fc.jsonValue().map((value) => JSON.stringify(value))),
		text: given(text),
		expiresAt: given(fc.integer({ min: -8.64e15, max: 8.64e15 })),
		vector: fc.option(fc.uint8Array({ minLength: bytes, maxLength: bytes }), { nil: undefined }),
	});
const batch = fc.integer({ min: 1, max: 9 }).chain((bytes) => fc.array(row(bytes), { maxLength: 20 }));

describe("packed rows", () => {
	test("give back every field, absent, null or given, also after structured cloning", () => {
		fc.assert(
			fc.property(batch, (rows) => {
				const fields = {
					ids: rows.map(({ id }) => id),
					metadata: rows.map(({ metadata }) => metadata),
					texts: rows.map(({ text }) => text),
					expiresAt: rows.map(({ expiresAt }) => expiresAt),
					vectors: rows.map(({ vector }) => vector),
				};
				const packed = structuredClone(packRows(fields));
				assert.equal(packed.count, rows.length);
				assert.deepEqual(unpackRows(packed), fields);
			}),
		);
	});

	test("tell in the flags and the times what a row has", () => {
		const { flags, expiresAt } = packRows({
			ids: ["a", "b", "c"],
			metadata: ["{}", null, undefined],
			texts: ["", null, undefined],
			expiresAt: [5, null, undefined],
			vectors: [Float32Array.of(1), undefined, undefined],
		});
		assert.deepEqual([...flags], [METADATA | TEXT | VECTOR | EXPIRES, NULL_METADATA | NULL_TEXT | NULL_EXPIRES, 0]);
		assert.deepEqual([...expiresAt], [5, Number.NaN, Number.NaN]);
	});

	test("take the bytes of floats, also of a part of a larger buffer", () => {
		const floats = Float32Array.of(9, 1, 2, 9);
		const packed = packRows({
			ids: ["a", "b"],
			metadata: [],
			texts: [],
			expiresAt: [],
			vectors: [floats.subarray(1, 3), Float32Array.of(3, 4)],
		});
		assert.deepEqual(new Float32Array(packed.vectors.buffer), Float32Array.of(1, 2, 3, 4));
		assert.equal(vectorBytesOf(packed), 8);
	});
});
